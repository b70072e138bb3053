"""A small house for tests of the daemon: memory storage, virtual time, chance from a seed."""

import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from crowdd.daemon.clock import simulated_wall
from crowdd.daemon.house import House
from crowdd.daemon.pace import Pace
from crowdd.daemon.user_code import UserCode
from crowdd.protocol.names import RunState
from crowdd.storage.contract import NewAssignment, NewRun, Storage
from crowdd.storage.opening import open_storage
from crowdd.storage.records import TaskRun
from crowdd.storage.writes import MoveRun


@pytest.fixture
async def storage() -> AsyncIterator[Storage]:
    async with open_storage(None) as storage:
        yield storage


@pytest.fixture
async def house(storage: Storage, tmp_path: Path) -> House:
    return House(
        storage, simulated_wall, random.Random(1), UserCode(inline=True), tmp_path, [b"s" * 32], Pace()
    )


async def a_run(house: House, label: str = "digits", config: dict[str, Any] | None = None) -> TaskRun:
    """A stored run in state `running`, without units."""
    new = NewRun("digits", "me", label, label, "static", "mock", "mock", True, config or {}, key=b"k" * 32)
    run = await house.storage.create_run(new, house.wall(), "staff:ann")
    move = MoveRun(run.id, RunState.LAUNCHING, RunState.RUNNING, "daemon", "test")
    await house.storage.commit([move], house.wall())
    return attrs.evolve(run, state=RunState.RUNNING)


async def launched_units(house: House, run: TaskRun, count: int) -> None:
    """Store and release `count` assignments of one unit each."""
    rows = [NewAssignment(n, f"d{n}", {"n": n}, [{}]) for n in range(count)]
    await house.storage.add_assignments(run.id, rows, True, house.wall())
    await house.storage.launch_units(run.id, count, house.wall())
