"""What the parts of one run's core share: the link's end, what is known of agents, and the clocks. Pure."""

from collections import Counter
from collections.abc import Callable

import attrs

from ..protocol.ids import verify_wire_id
from ..protocol.link import LinkEnd
from ..protocol.names import AgentStatus, WireId
from ..protocol.packets import UpdateStatus
from ..protocol.uploads import UploadRule
from .agents import Agents
from .calm import Pulse
from .feeds import Feeds
from .page_streams import PageStreams
from .presence import Presence


@attrs.define(eq=False)
class Memory:
    """Owned by one `RouterRun`; of it the shell keeps only key and uploads for the next process."""

    link: LinkEnd
    pulse: Pulse
    wall: Callable[[], float]
    key: bytes | None = attrs.field(repr=False)
    uploads: UploadRule | None = None
    agents: Agents = attrs.Factory(Agents)
    presence: Presence = attrs.Factory(Presence)
    feeds: Feeds = attrs.Factory(Feeds)
    page_streams: PageStreams = attrs.Factory(PageStreams)
    counters: Counter[str] = attrs.Factory(Counter[str])

    def verifies(self, agent: WireId) -> bool:
        """Whether this id was made by the run's daemon (SEC2)."""
        return self.key is not None and verify_wire_id(self.key, agent)

    def learn(self, agent: WireId, status: AgentStatus, now: float) -> bool:
        """The daemon mentioned a status; whether it is news."""
        news = self.agents.learn(agent, status, now)
        self._let_go(agent)
        return news

    def update(self, packet: UpdateStatus, now: float) -> bool:
        """Take the daemon's word; False when a later one is already known."""
        news = self.agents.update(packet, now)
        self._let_go(packet.subject)
        return news

    def forget_updates(self, agent: WireId) -> None:
        """Drop the live updates of an agent that is over, both ways."""
        self.feeds.forget(agent)
        self.page_streams.forget(agent)
        self.link.forget(agent)

    def _let_go(self, agent: WireId) -> None:
        if not self.agents.lives(agent):
            self.presence.forget(agent)
