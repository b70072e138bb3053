"""A daemon and a router with a run of so many units and known workers, and what letting one in costs."""

import json
import statistics
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import attrs
import httpx
import trio
from tests.system.pages import Page
from tests.system.processes import PAGE, Daemon

from crowdd.protocol.names import AgentStatus, RunState, UnitStatus, WireId
from crowdd.storage.contract import NewAssignment, NewRun, Registration, Reserved, Storage
from crowdd.storage.records import TaskRun
from crowdd.storage.writes import AddSubmission, MoveAgent, MoveRun, MoveUnit
from crowdd.testing.http_doors import HttpDoors, PageAddress

from .instrument.sample import cpu_s

TASK = "benchmark"
PAGES_AT_ONCE = 8  # as in a busy run; more would measure how long they wait for each other
LOOK_S = 0.5  # between two looks at how far a launch is
WORKERS_AT_WORK = 100  # of those known, who come again and again
AT_ONCE_IN_STORE = 200  # transactions that share a commit while the store is furnished
TASK_TOML = f"""
name = "{TASK}"
[blueprint]
type = "static"
[provider]
type = "mock"
[limits]
allowed_concurrent = 1000
maximum_units_per_worker = 100000
no_submission_patience_s = 0
"""


@attrs.frozen
class Measured:
    """So many registrations: the daemon's CPU time for each, and how long each took as its page saw it."""

    cpu_ms: float
    waited_ms: list[float]


def together(slices: Sequence[Measured]) -> Measured:
    """Slices of the same size as one."""
    waited = [wait for measured in slices for wait in measured.waited_ms]
    return Measured(statistics.mean(measured.cpu_ms for measured in slices), waited)


@attrs.define(eq=False)
class Crowd:
    """A daemon with one run; each `measure` lets further workers in."""

    name: str
    daemon: Daemon
    address: str
    registered: int = 0

    async def measure(self, registrations: int) -> Measured:
        """Let workers take so many units, a few at the same time."""
        process = self.daemon.process
        assert process is not None
        waited: list[float] = []
        async with httpx.AsyncClient(trust_env=False) as client:
            before = cpu_s(process.pid)
            async with trio.open_nursery() as nursery:
                numbers = iter(range(self.registered, self.registered + registrations))
                for _ in range(PAGES_AT_ONCE):
                    nursery.start_soon(self._come, client, numbers, waited)
            spent = cpu_s(process.pid) - before
        self.registered += registrations
        return Measured(spent / registrations * 1000, waited)

    async def _come(self, client: httpx.AsyncClient, numbers: Iterator[int], waited: list[float]) -> None:
        for number in numbers:
            worker = worker_name(number % WORKERS_AT_WORK)
            link = f"{self.address}?worker_id={worker}&assignment_id=visit-{number}"
            began = time.monotonic()
            answered = await Page(HttpDoors(client, PageAddress(link))).register()
            waited.append((time.monotonic() - began) * 1000)
            assert answered.agent_id, answered


def worker_name(number: int) -> str:
    """The names of workers that are known before."""
    return f"worker-{number}"


@asynccontextmanager
async def open_crowd(folder: Path, name: str, units: int, workers: int) -> AsyncGenerator[Crowd]:
    """Furnish a store, start a daemon and a router on it, launch; ended when the block is left."""
    folder.mkdir()
    daemon = Daemon(folder / "data")
    daemon.data.mkdir()
    async with daemon.store() as storage:
        await _make_known(storage, workers)
    try:
        await daemon.start()
        label = await daemon.launch(_task(folder, units))
        yield Crowd(name, daemon, await _released(daemon, label, units))
    finally:
        daemon.clean_up()


async def _released(daemon: Daemon, label: str, units: int) -> str:
    """Wait until every unit is free; returns the run's address."""
    while True:
        shown = await daemon.ask("show", label)
        if shown["rows_done"] and shown["units"].get("launched") == units:
            return str(shown["address"])
        await trio.sleep(LOOK_S)


def _task(folder: Path, units: int) -> Path:
    task = folder / "task"
    (task / "page").mkdir(parents=True)
    (task / "task.toml").write_text(TASK_TOML)
    (task / "page" / "index.html").write_text(PAGE)
    with (task / "data.jsonl").open("w") as data:
        data.writelines(json.dumps({"text": f"word {number}"}) + "\n" for number in range(units))
    return task


async def _make_known(storage: Storage, workers: int) -> None:
    """Workers who each did one unit of an earlier run of the task."""
    now = datetime.now(UTC)
    new = NewRun(TASK, "me", "earlier", "earlier", "static", "mock", "local", True, {}, b"k" * 32)
    run = await storage.create_run(new, now, "staff:benchmark")
    rows = [NewAssignment(number, f"{number}", {}, [{}]) for number in range(workers)]
    await storage.add_assignments(run.id, rows, True, now)
    await storage.launch_units(run.id, workers, now)
    await storage.commit([MoveRun(run.id, RunState.LAUNCHING, RunState.RUNNING, "daemon", "")], now)
    limit = trio.CapacityLimiter(AT_ONCE_IN_STORE)
    async with trio.open_nursery() as nursery:
        for number in range(workers):
            nursery.start_soon(partial(_do_one, storage, run, worker_name(number), limit))
    await storage.commit([MoveRun(run.id, RunState.RUNNING, RunState.COMPLETED, "daemon", "")], now)


async def _do_one(storage: Storage, run: TaskRun, name: str, limit: trio.CapacityLimiter) -> None:
    now = datetime.now(UTC)
    async with limit:
        worker = await storage.register_worker("mock", f"{name}_sandbox", {}, now)
        path = (AgentStatus.ACCEPTED, AgentStatus.IN_TASK)
        wanted = Registration(run.id, worker.id, WireId(f"wire-{name}"), name, "", path, None)
        given = await storage.reserve(wanted, now)
        assert isinstance(given, Reserved)
        agent = given.agent
        await storage.commit(
            [
                AddSubmission(agent.id, b"{}", [], "digest"),
                MoveAgent(agent.id, agent.status, AgentStatus.COMPLETED, "worker", ""),
                MoveUnit(agent.unit_id, UnitStatus.ASSIGNED, UnitStatus.COMPLETED, "worker", "", agent.id),
            ],
            now,
        )
