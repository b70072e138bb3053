"""What the router remembers of each agent: the daemon's last word, and whether its page is there. Pure."""

from collections.abc import Iterable

import attrs

from ..protocol.limits import PAGE_SILENT_S
from ..protocol.names import LIVE_AGENT, AgentStatus, Reason, WireId
from ..protocol.packets import UpdateStatus
from .limits import FINAL_STATUS_KEPT_S

PRESENT, AWAY = "present", "away"


@attrs.define(eq=False)
class Known:
    """One agent as the router knows it. `heard_at` None: its page never had a socket, as static pages do."""

    status: AgentStatus
    changed_at: float
    version: int = -1
    reason: Reason | None = None
    text: str | None = None
    heard_at: float | None = None
    presence: str | None = None
    reported: str | None = None


class Agents:
    """The last status of every agent of a run. The daemon decides; this only repeats it."""

    def __init__(self) -> None:
        self._known: dict[WireId, Known] = {}

    def __len__(self) -> int:
        return len(self._known)

    def get(self, agent: WireId) -> Known | None:
        """What is known of this agent, if anything."""
        return self._known.get(agent)

    def learn(self, agent: WireId, status: AgentStatus, now: float) -> None:
        """The daemon mentioned a status without a version (in an answer or its hello): never older news."""
        known = self._known.get(agent)
        if known is None:
            self._known[agent] = Known(status, now)
        elif known.status in LIVE_AGENT and known.status is not status:
            known.status, known.changed_at, known.reason, known.text = status, now, None, None

    def update(self, packet: UpdateStatus, now: float) -> bool:
        """Take the daemon's word; False when a later one is already known."""
        known = self._known.get(packet.subject)
        if known is None:
            known = self._known[packet.subject] = Known(packet.status, now)
        elif packet.version <= known.version:
            return False
        known.version, known.status, known.changed_at = packet.version, packet.status, now
        known.reason, known.text = packet.reason, packet.text
        return True

    def heard(self, agent: WireId, now: float) -> None:
        """The agent's page sent something over its socket."""
        known = self._known.get(agent)
        if known is not None:
            known.heard_at, known.presence = now, PRESENT

    def came(self, agent: WireId) -> None:
        """The agent's page asked something over HTTP."""
        known = self._known.get(agent)
        if known is not None:
            known.presence = PRESENT

    def left(self, agent: WireId) -> None:
        """The agent's page said that it goes."""
        known = self._known.get(agent)
        if known is not None:
            known.presence, known.heard_at = AWAY, None

    def presence(self, now: float) -> dict[str, str]:
        """Who is away, and whose presence changed since this was last asked."""
        report: dict[str, str] = {}
        for agent, known in self._known.items():
            if known.status not in LIVE_AGENT or known.presence is None:
                continue
            if known.heard_at is not None and now - known.heard_at > PAGE_SILENT_S:
                known.presence = AWAY
            if known.presence == AWAY or known.presence != known.reported:
                report[agent] = known.reported = known.presence
        return report

    def statuses(self, agents: Iterable[str]) -> dict[str, str]:
        """What these agents' pages are shown."""
        return {agent: self._known[WireId(agent)].status.value for agent in agents}

    def report_anew(self) -> None:
        """The daemon may have forgotten, or moved on meanwhile: say again whose page is there."""
        for known in self._known.values():
            known.reported = None

    def forget_finished(self, now: float, kept: frozenset[WireId]) -> list[WireId]:
        """Drop (and name) agents that ended a while ago, but for those whose pages are still connected."""
        gone = [
            agent
            for agent, known in self._known.items()
            if known.status not in LIVE_AGENT
            and now - known.changed_at > FINAL_STATUS_KEPT_S
            and agent not in kept
        ]
        for agent in gone:
            del self._known[agent]
        return gone
