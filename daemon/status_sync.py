"""Carries out what routers' words about agents mean: pages are told again, units are given back."""

import logging
from collections.abc import Awaitable, Callable

import attrs
import trio

from ..protocol.limits import PAGE_CLOSED_S
from ..protocol.names import AgentStatus, RunId, WireId
from ..protocol.packets import ReturnStatuses
from ..storage.records import Agent, OnboardingAgent
from .lifecycle.onboarding import shown_status
from .lifecycle.sync import AWAY, Sync, sync

log = logging.getLogger(__name__)

Life = Agent | OnboardingAgent


@attrs.frozen
class SyncDoors:
    """What follows from what a router says."""

    find: Callable[[WireId], Awaitable[Life | None]]
    """The agent of this run whom a router means."""
    gone: Callable[[Agent], Awaitable[None]] | None
    """The agent's page was closed for good; None: in this run that costs nobody the unit."""


class StatusSync:
    """One per run. Remembers, where it matters, since when pages are closed."""

    def __init__(self, run_id: RunId, doors: SyncDoors) -> None:
        self._run_id = run_id
        self._doors = doors
        self._away: dict[WireId, tuple[str, float]] = {}
        """By which router an agent was away first, and since when."""

    async def hear(self, router: str, packet: ReturnStatuses) -> list[Life]:
        """Take a router's report; returns the agents of whom it is to be told again."""
        wrong = [
            agent
            for name, presence in packet.presence.items()
            if (agent := await self._hear(router, WireId(name), presence, packet.statuses.get(name)))
        ]
        if packet.partial:
            return wrong
        # Who is away is said each time: of whom nothing is said any more, the work is over.
        gone = {name for name, (first, _) in self._away.items() if first == router} - packet.presence.keys()
        for name in gone:
            del self._away[name]
        return wrong

    async def _hear(self, router: str, wire_id: WireId, presence: str, shows: str | None) -> Life | None:
        if presence != AWAY:
            self._away.pop(wire_id, None)
        if presence == AWAY and shows != AgentStatus.DISCONNECT.value and self._doors.gone is None:
            return None  # said again and again of every closed page, and means nothing here
        agent = await self._doors.find(wire_id)
        if agent is None:
            return None
        shown = shown_status(agent) if isinstance(agent, OnboardingAgent) else agent.status
        gone = self._doors.gone
        match sync(presence, shows, shown):
            case Sync.UNKNOWN:
                ids = {"run": self._run_id, "router": router}
                log.warning("a router says what nobody knows: %.40r, %.40r", presence, shows, extra=ids)
            case Sync.CORRECT:
                return agent
            case Sync.GONE if gone is None:
                return agent if shows != shown.value else None
            case Sync.GONE if gone is not None and isinstance(agent, Agent):
                await self._count(router, agent, gone)
            case _:
                self._away.pop(wire_id, None)
        return None

    async def _count(self, router: str, agent: Agent, gone: Callable[[Agent], Awaitable[None]]) -> None:
        """A page that is loaded anew says that it goes, too: wait whether it comes, here or elsewhere."""
        now = trio.current_time()
        first, since = self._away.setdefault(agent.wire_id, (router, now))
        if first == router and now - since >= PAGE_CLOSED_S:
            del self._away[agent.wire_id]
            await gone(agent)
