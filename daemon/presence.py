"""Gives those who are at work more time: what newcomers get, or what an outage of ours took from them."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from ..protocol.names import LIVE_AGENT, RunId
from ..storage.errors import StaleWrite
from ..storage.records import Agent
from ..storage.writes import SetDue
from .due_times import due_after, with_lost_time
from .house import House
from .task_config import Limits

AGENTS_PER_TRANSACTION = 200


async def give_time(run_id: RunId, house: House, limits: Limits) -> Sequence[Agent]:
    """The agents who have more time now, as they are; who ends at this very moment is left as they are."""
    reserved = await house.storage.reserved_agents(run_id)
    given = [write for agent in reserved if (write := _more_time(agent, limits)) is not None]
    for start in range(0, len(given), AGENTS_PER_TRANSACTION):
        await _commit(given[start : start + AGENTS_PER_TRANSACTION], house)
    agents = [await house.storage.agent(write.agent_id) for write in given]
    return [agent for agent in agents if agent.status in LIVE_AGENT]


async def give_back(house: House, agents: Sequence[Agent], lost_s: float, at_least_s: float = 0.0) -> None:
    """Nobody works while no router is reached: those of `agents` who live get the lost time once more.

    `at_least_s`: so much they have from now on, whatever they had before.
    """
    at_least = house.wall() + timedelta(seconds=at_least_s)
    given = [
        SetDue(agent.id, due_at)
        for agent in agents
        if agent.status in LIVE_AGENT
        and agent.due_at is not None
        and (due_at := with_lost_time(agent.due_at, lost_s, at_least)) > agent.due_at
    ]
    for start in range(0, len(given), AGENTS_PER_TRANSACTION):
        await _commit(given[start : start + AGENTS_PER_TRANSACTION], house)


def _more_time(agent: Agent, limits: Limits) -> SetDue | None:
    """Counted from when the unit was taken; nobody loses time."""
    if agent.status not in LIVE_AGENT or agent.due_at is None:
        return None
    due_at = due_after(agent.created_at, limits.assignment_duration_s)
    return None if due_at is not None and due_at <= agent.due_at else SetDue(agent.id, due_at)


async def _commit(writes: Sequence[SetDue], house: House) -> None:
    try:
        await house.storage.commit(writes, house.wall())
    except StaleWrite:
        for write in writes:  # somebody submitted: the others must not suffer
            with suppress(StaleWrite):
                await house.storage.commit([write], house.wall())
