"""A rush on the admission of one process, over SQLite on its threads."""

import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from crowdd.daemon.clock import wall_clock
from crowdd.daemon.house import House
from crowdd.daemon.pace import Pace
from crowdd.daemon.user_code import UserCode
from crowdd.protocol.names import AgentStatus, UnitStatus
from crowdd.storage import check_store, open_storage

from ..rush import UNITS, WORKERS, Answer, check, rush
from .desk import Desk, a_desk


@asynccontextmanager
async def open_house(folder: Path) -> AsyncGenerator[House]:
    """A house over SQLite; left, its store is looked through."""
    path = folder / "crowdd.db"
    async with open_storage(path) as storage:
        yield House(storage, wall_clock, random.Random(1), UserCode(), folder, [b"s" * 32], Pace())
    assert check_store(path) == []


async def rush_once(house: House, number: int) -> None:
    """One rush, on a run of its own."""
    desk = await a_desk(house, UNITS, label=f"rush-{number}")
    check(await rush([partial(_ask, desk, f"worker-{n}") for n in range(WORKERS)]))
    counts = await house.storage.counts(desk.run.id)
    assert {status: n for status, n in counts.units.items() if n} == {UnitStatus.ASSIGNED: UNITS}
    assert {status: n for status, n in counts.agents.items() if n} == {AgentStatus.IN_TASK: UNITS}
    agents = await house.storage.agents(desk.run.id)
    assert len({agent.worker_id for agent in agents}) == len({agent.unit_id for agent in agents}) == UNITS


async def _ask(desk: Desk, worker: str) -> Answer:
    details = await desk.register(worker)
    reason = details.reason.value if details.reason else None
    return Answer(details.agent_id, reason, details.failure_reason)
