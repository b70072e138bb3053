"""Stores furnished through the contract of storage: runs with free units, workers, what they did."""

from collections.abc import Callable
from datetime import UTC, datetime

import trio

from crowdd.protocol.names import AgentStatus, RunState, UnitStatus, WireId
from crowdd.storage.contract import NewAssignment, NewRun, Registration, Reserved, Storage
from crowdd.storage.records import Agent, TaskRun, Worker
from crowdd.storage.writes import AddSubmission, MoveAgent, MoveRun, MoveUnit, Write

AT_ONCE = 200  # transactions that share a commit
ROWS_AT_ONCE = 5_000  # units made in one transaction
PATH = (AgentStatus.ACCEPTED, AgentStatus.IN_TASK)
CONCURRENT, MOST = 1_000, 100_000  # limits that are looked at and never reached


async def add_run(
    storage: Storage, task: str, label: str, units: int, tell: Callable[[str], None] | None = None
) -> TaskRun:
    """A running run with so many free units."""
    now = datetime.now(UTC)
    new = NewRun(task, "me", label, label, "static", "mock", "local", True, {}, b"k" * 32)
    run = await storage.create_run(new, now, "staff:benchmark")
    for first in range(0, units, ROWS_AT_ONCE):
        numbers = range(first, min(first + ROWS_AT_ONCE, units))
        rows = [NewAssignment(number, f"{number}", {}, [{}]) for number in numbers]
        await storage.add_assignments(run.id, rows, numbers.stop == units, now)
        await storage.launch_units(run.id, len(rows), now)
        if tell is not None:
            tell(f"{numbers.stop:,} of {units:,} units made")
    await storage.commit([MoveRun(run.id, RunState.LAUNCHING, RunState.RUNNING, "daemon", "")], now)
    return run


async def add_worker(storage: Storage, name: str) -> Worker:
    """A worker, as the mock provider names them."""
    return await storage.register_worker("mock", f"{name}_sandbox", {}, datetime.now(UTC))


async def take_unit(storage: Storage, run: TaskRun, worker: Worker, link: str) -> Agent:
    """Give the worker the first unit that is free for them."""
    wire = WireId(f"wire-{run.id}-{link}")
    registration = Registration(
        run.id,
        worker.id,
        wire,
        link,
        "",
        PATH,
        None,
        allowed_concurrent=CONCURRENT,
        maximum_units_per_worker=MOST,
    )
    given = await storage.reserve(registration, datetime.now(UTC))
    assert isinstance(given, Reserved), given
    return given.agent


async def submit_unit(storage: Storage, agent: Agent) -> None:
    """The answer of an agent."""
    writes: list[Write] = [
        AddSubmission(agent.id, b"{}", [], "digest"),
        MoveAgent(agent.id, agent.status, AgentStatus.COMPLETED, "worker", ""),
        MoveUnit(agent.unit_id, UnitStatus.ASSIGNED, UnitStatus.COMPLETED, "worker", "", agent.id),
    ]
    await storage.commit(writes, datetime.now(UTC))


async def make_known(storage: Storage, task: str, names: list[str]) -> None:
    """Workers who each did one unit of an earlier run of the task."""
    run = await add_run(storage, task, f"{task}-earlier", len(names))
    limit = trio.CapacityLimiter(AT_ONCE)

    async def work(name: str) -> None:
        async with limit:
            await submit_unit(storage, await take_unit(storage, run, await add_worker(storage, name), name))

    async with trio.open_nursery() as nursery:
        for name in names:
            nursery.start_soon(work, name)
    done = MoveRun(run.id, RunState.RUNNING, RunState.COMPLETED, "daemon", "")
    await storage.commit([done], datetime.now(UTC))
