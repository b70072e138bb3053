"""Ends many agents at once: at a shutdown, or when staff stop a run now; in slices, so nothing stalls.

What follows from a slice is one turn of the loop: its pages are told, its pieces of live work wake.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import trio

from ..protocol.names import LIVE_AGENT, AgentId, AgentStatus, RunId
from ..storage.errors import NotFound, StaleWrite
from ..storage.records import Agent, Unit
from . import lifecycle
from .causes import causes
from .house import House
from .lifecycle import AgentEvent, Command, Dismissed, IllegalEvent, ShutDown
from .task_config import Limits
from .task_runner import TaskRunner

AGENTS_PER_TRANSACTION = 100
EventFor = Callable[[Agent], AgentEvent]


async def shut_down_all(run_id: RunId, house: House, runner: TaskRunner, limits: Limits, live: bool) -> int:
    """Every active agent becomes `disconnect`, its unit kept until it may no longer rejoin."""

    def event(agent: Agent) -> AgentEvent:
        return ShutDown(_rejoin_until(agent, house.wall(), limits, live))

    return await end_all(await _active(run_id, house), event, house, runner)


async def dismiss_all(run_id: RunId, house: House, runner: TaskRunner) -> int:
    """Every active agent becomes `disconnect` and its unit expires; kept units expire, too."""
    count = await end_all(await _active(run_id, house), lambda agent: Dismissed(), house, runner)
    for agent in await house.storage.reserved_agents(run_id):
        unit = await house.storage.unit(agent.unit_id)
        if lifecycle.may_rejoin(agent, unit):
            with suppress(StaleWrite):  # it submitted, or came back and is dismissed when staff ask again
                await runner.carry_out(lifecycle.release(agent, unit, run_goes_on=False))
    return count


def _rejoin_until(agent: Agent, now: datetime, limits: Limits, live: bool) -> datetime | None:
    """Static work keeps the rest of its time, and never less than the time to come back; live work that."""
    soonest = now + timedelta(seconds=limits.rejoin_s)
    if live:
        return soonest
    return None if agent.due_at is None else max(agent.due_at, soonest)


async def _active(run_id: RunId, house: House) -> list[Agent]:
    reserved = await house.storage.reserved_agents(run_id)
    active = LIVE_AGENT | {AgentStatus.PARTNER_DISCONNECT}
    return [agent for agent in reserved if agent.status in active]


async def end_all(agents: list[Agent], event: EventFor, house: House, runner: TaskRunner) -> int:
    """End these, or those of them who have not ended meanwhile; returns how many were to end."""
    for start in range(0, len(agents), AGENTS_PER_TRANSACTION):
        chunk = agents[start : start + AGENTS_PER_TRANSACTION]
        try:
            units = await _units(chunk, house)
            await runner.carry_out([c for agent in chunk for c in _steps(agent, units[agent.id], event)])
        except (StaleWrite, IllegalEvent):
            await _one_by_one(chunk, event, runner)
    return len(agents)


async def _units(agents: Sequence[Agent], house: House) -> Mapping[AgentId, Unit]:
    """Each agent's unit: asked for together, storage reads them together."""
    units: dict[AgentId, Unit] = {}

    async def read(agent: Agent) -> None:
        units[agent.id] = await house.storage.unit(agent.unit_id)

    try:
        async with trio.open_nursery() as nursery:
            for agent in agents:
                nursery.start_soon(read, agent)
    except ExceptionGroup as failed:  # the store, for all of them; whoever asked for one knows no groups
        raise causes(failed)[0] from failed
    return units


def _steps(agent: Agent, unit: Unit, event: EventFor) -> list[Command]:
    return lifecycle.step(agent, unit, event(agent), run_goes_on=False)


async def _one_by_one(agents: Iterable[Agent], event: EventFor, runner: TaskRunner) -> None:
    """Somebody of the slice submitted at this very moment: the others must not suffer."""
    for agent in agents:
        try:
            await runner.happen(agent.id, event(agent))
        except (IllegalEvent, NotFound):
            continue
