"""The daemon's last word about each agent: its status, why, and the text for the worker. Pure.

Kept also after an agent has ended, so that who comes back while the daemon is away, or after the run has
ended, is told at once.
"""

from collections.abc import Iterable
from itertools import takewhile

import attrs

from ..protocol.limits import STATES_MAX
from ..protocol.names import LIVE_AGENT, AgentStatus, Reason, WireId
from ..protocol.newest import Newest
from ..protocol.packets import UpdateStatus
from .limits import ENDED_UPDATES_KEPT_S


@attrs.define(eq=False)
class Known:
    """One agent as the router knows it."""

    status: AgentStatus
    version: int = -1
    reason: Reason | None = None
    text: str | None = None

    @property
    def lives(self) -> bool:
        """Whether it holds its unit."""
        return self.status in LIVE_AGENT


class Agents:
    """The last status of every agent of a run. The daemon decides; this only repeats it.

    Of those who have ended the newest `STATES_MAX` are kept.
    """

    def __init__(self) -> None:
        self._known: dict[WireId, Known] = {}
        self._ended: Newest[WireId, None] = Newest(STATES_MAX)
        self._finishing: dict[WireId, float] = {}
        """Those of them for whose live updates somebody may wait, and until when; who is first is first."""
        self._forgotten: list[WireId] = []
        """Those who are not kept any more, before that time had come."""

    def __len__(self) -> int:
        return len(self._known)

    def get(self, agent: WireId) -> Known | None:
        """What is known of this agent, if anything."""
        return self._known.get(agent)

    def lives(self, agent: WireId) -> bool:
        """Whether the daemon said last that this agent holds its unit."""
        known = self._known.get(agent)
        return known is not None and known.lives

    def learn(self, agent: WireId, status: AgentStatus, now: float) -> bool:
        """The daemon mentioned a status without a version (in an answer or its hello): never older news.

        Whether it is news.
        """
        known = self._known.get(agent)
        if known is None:
            self._known[agent] = known = Known(status)
        elif not known.lives or known.status is status:
            return False
        else:
            known.status, known.reason, known.text = status, None, None
        self._note(agent, known, now)
        return True

    def update(self, packet: UpdateStatus, now: float) -> bool:
        """Take the daemon's word; False when a later one is already known."""
        known = self._known.get(packet.subject)
        if known is None:
            known = self._known[packet.subject] = Known(packet.status)
        elif packet.version <= known.version:
            return False
        known.version, known.status = packet.version, packet.status
        known.reason, known.text = packet.reason, packet.text
        self._note(packet.subject, known, now)
        return True

    def statuses(self, agents: Iterable[str]) -> dict[str, str]:
        """What these agents' pages are shown."""
        return {agent: self._known[WireId(agent)].status.value for agent in agents}

    def take_finished(self, now: float) -> list[WireId]:
        """Those for whose live updates nobody waits any more; each once.

        They ended long ago, or so many did after them that they are not kept.
        """
        finished, self._forgotten = self._forgotten, []
        passed = list(takewhile(lambda agent: self._finishing[agent] <= now, self._finishing))
        for agent in passed:
            del self._finishing[agent]
        return finished + passed

    def _note(self, agent: WireId, known: Known, now: float) -> None:
        self._finishing.pop(agent, None)
        if known.lives:
            self._ended.pop(agent, None)
            return
        self._finishing[agent] = now + ENDED_UPDATES_KEPT_S
        for oldest in self._ended.note(agent, None):
            self._forget(oldest)

    def _forget(self, agent: WireId) -> None:
        del self._known[agent]
        if self._finishing.pop(agent, None) is not None:
            self._forgotten.append(agent)
