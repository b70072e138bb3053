"""Revokes personal links: finds the run and its provider, and says what becomes of who works by one."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import attrs

from ..protocol.names import LIVE_AGENT, RunId
from ..storage.errors import NotFound, StaleWrite
from ..storage.records import Agent, TaskRun
from . import lifecycle
from .house import House
from .lifecycle import IllegalEvent, LinkRevoked
from .live_run import LiveRun
from .parts import RunBroken, provider_of
from .providers.contract import CrowdProvider, LinkUnknown, RevokedLink
from .registry import BrokenPlugIn, Kind, Registry, UnknownPlugIn
from .user_code import UserCodeFailed

Held = Callable[[RunId], Awaitable[LiveRun | None]]
"""The run, if it is held at present."""


@attrs.frozen
class Revocation:
    """What came of revoking a link."""

    run: TaskRun
    link: RevokedLink
    at_work: int
    """How many agents hold a unit by it, still."""
    ended: int
    """From how many the unit was taken."""


class Revoker:
    """One per daemon. Holds nothing: providers keep what is revoked."""

    def __init__(self, house: House, registry: Registry, held: Held) -> None:
        self._house = house
        self._registry = registry
        self._held = held

    async def revoke_link(self, link: str, now: bool, who: str) -> Revocation:
        """Refuse a personal link, given as text, from the next request on; `now` takes its units, too.

        LinkUnknown: it is nobody's, or its run is gone.
        """
        label = self._run_of(link)
        if label is None:
            raise LinkUnknown("this is no personal link that this daemon has made")
        try:
            run = await self._house.storage.run_by_label(label)
        except NotFound:
            raise LinkUnknown(f"the run {label!r} of this link is not there any more") from None
        return await self._revoke(run, lambda provider: provider.revoke_link(link, who), now, who)

    async def revoke_link_of(self, run_id: RunId, worker: str, now: bool, who: str) -> Revocation:
        """The same for the link that a worker was given last to this run. LinkUnknown, NotFound."""
        run = await self._house.storage.run(run_id)
        return await self._revoke(run, lambda provider: provider.revoke_link_of(worker, who), now, who)

    def _run_of(self, link: str) -> str | None:
        for name in self._registry.names(Kind.PROVIDER):
            with suppress(UnknownPlugIn, BrokenPlugIn):
                provider = self._registry.provider(name)
                labels = (provider.run_of_link(link, secret) for secret in self._house.link_secrets)
                for label in filter(None, labels):
                    return label
        return None

    async def _revoke(
        self, run: TaskRun, revoke: Callable[[CrowdProvider], Awaitable[RevokedLink]], now: bool, who: str
    ) -> Revocation:
        live = await self._held(run.id)
        revoked = await revoke(await self._provider(run) if live is None else live.provider)
        agents = await self._at_work(run, revoked.link)
        if now and live is not None:
            await _end(live, agents, self._house, who)
        left = await self._at_work(run, revoked.link)
        return Revocation(run, revoked, len(left), len(agents) - len(left))

    async def _provider(self, run: TaskRun) -> CrowdProvider:
        try:
            return await self._house.user_code.load(provider_of, run, self._house, self._registry)
        except (RunBroken, UserCodeFailed) as exc:
            raise LinkUnknown(f"run {run.label!r} cannot be asked for its links: {exc}") from exc

    async def _at_work(self, run: TaskRun, link: str) -> Sequence[Agent]:
        agents = await self._house.storage.agents_of_link(run.id, link)
        return [agent for agent in agents if await self._holds(agent)]

    async def _holds(self, agent: Agent) -> bool:
        unit = await self._house.storage.unit(agent.unit_id)
        return agent.status in LIVE_AGENT or lifecycle.may_rejoin(agent, unit)


async def _end(live: LiveRun, agents: Sequence[Agent], house: House, who: str) -> None:
    """Take the units from these agents; who submits at this very moment keeps what they did."""
    for agent in agents:
        with suppress(IllegalEvent, StaleWrite):
            if agent.status in LIVE_AGENT:
                await live.runner.happen(agent.id, LinkRevoked(who))
            else:
                unit = await house.storage.unit(agent.unit_id)
                await live.runner.carry_out(lifecycle.release(agent, unit, live.goes_on))
