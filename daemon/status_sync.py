"""Carries out what routers' words about agents mean: pages are told again, units are given back."""

import logging
from collections.abc import Awaitable, Callable, Collection, Sequence

import attrs
import trio

from ..protocol.limits import PAGE_CLOSED_S
from ..protocol.names import AgentStatus, RunId, WireId
from ..protocol.packets import ReturnStatuses
from ..storage.records import Agent, OnboardingAgent
from .lifecycle.onboarding import shown_status
from .lifecycle.sync import AWAY, Sync, sync

log = logging.getLogger(__name__)

AGENTS_AT_ONCE = 100  # of a report, found with one call of storage
Life = Agent | OnboardingAgent


@attrs.frozen
class SyncDoors:
    """What follows from what a router says."""

    find: Callable[[Collection[WireId]], Awaitable[Sequence[Life]]]
    """The agents of this run whom a router means."""
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
            for agent in await self._meant(
                [WireId(name) for name in packet.presence if self._matters(packet, name)]
            )
            if await self._hear(router, agent, packet)
        ]
        if packet.partial:
            return wrong
        # Who is away is said each time: of whom nothing is said any more, the work is over.
        gone = {name for name, (first, _) in self._away.items() if first == router} - packet.presence.keys()
        for name in gone:
            del self._away[name]
        return wrong

    def _matters(self, packet: ReturnStatuses, name: str) -> bool:
        """Whether it is looked who this is."""
        if packet.presence[name] != AWAY:
            self._away.pop(WireId(name), None)
            return True
        # It is said again and again of every closed page, and means nothing where that costs nobody the unit.
        return self._doors.gone is not None or packet.statuses.get(name) == AgentStatus.DISCONNECT.value

    async def _meant(self, names: Sequence[WireId]) -> list[Life]:
        starts = range(0, len(names), AGENTS_AT_ONCE)
        return [life for at in starts for life in await self._doors.find(names[at : at + AGENTS_AT_ONCE])]

    async def _hear(self, router: str, agent: Life, packet: ReturnStatuses) -> bool:
        """Take what is said of an agent; whether the router is to be told again of it."""
        presence, shows = packet.presence[agent.wire_id], packet.statuses.get(agent.wire_id)
        shown = shown_status(agent) if isinstance(agent, OnboardingAgent) else agent.status
        gone = self._doors.gone
        match sync(presence, shows, shown):
            case Sync.UNKNOWN:
                ids = {"run": self._run_id, "router": router}
                log.warning("a router says what nobody knows: %.40r, %.40r", presence, shows, extra=ids)
            case Sync.CORRECT:
                return True
            case Sync.GONE if gone is None:
                return shows != shown.value
            case Sync.GONE if gone is not None and isinstance(agent, Agent):
                await self._count(router, agent, gone)
            case _:
                self._away.pop(agent.wire_id, None)
        return False

    async def _count(self, router: str, agent: Agent, gone: Callable[[Agent], Awaitable[None]]) -> None:
        """A page that is loaded anew says that it goes, too: wait whether it comes, here or elsewhere."""
        now = trio.current_time()
        first, since = self._away.setdefault(agent.wire_id, (router, now))
        if first == router and now - since >= PAGE_CLOSED_S:
            del self._away[agent.wire_id]
            await gone(agent)
