"""A daemon and a router with a run of so many units and known workers, and what letting one in costs."""

import json
import statistics
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import httpx
import trio
from tests.system.pages import Page
from tests.system.processes import PAGE, Daemon

from crowdd.testing.http_doors import HttpDoors, PageAddress

from .copying import copy_workers
from .instrument.sample import Meter
from .stores import make_known

TASK = "benchmark"
PAGES_AT_ONCE = 8  # as in a busy run; more would measure how long they wait for each other
LOOK_S = 0.5  # between two looks at how far a launch is
WORKERS_MADE = 10_000  # through the contract of storage; of more, as often so many, the others are copies
WORKERS_AT_WORK = 100  # of those known, who come again and again
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

    @property
    def pid(self) -> int:
        """The daemon's process."""
        assert self.daemon.process is not None
        return self.daemon.process.pid

    async def measure(self, registrations: int, at_rest: float = 0.0) -> Measured:
        """Let workers take so many units, a few at the same time.

        `at_rest`: seconds of CPU that the daemon takes each second for other things, not counted.
        """
        waited: list[float] = []
        async with httpx.AsyncClient(trust_env=False) as client:
            with Meter([self.pid]) as meter:
                async with trio.open_nursery() as nursery:
                    numbers = iter(range(self.registered, self.registered + registrations))
                    for _ in range(PAGES_AT_ONCE):
                        nursery.start_soon(self._come, client, numbers, waited)
        spent = meter.cpu_s - at_rest * meter.wall_s
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
    first = min(workers, WORKERS_MADE)
    async with daemon.store() as storage:
        await make_known(storage, TASK, [worker_name(number) for number in range(first)])
    copy_workers(daemon.data / "crowdd.db", first, workers // first)
    try:
        await daemon.start()
        label = await daemon.launch(static_task(folder, units))
        yield Crowd(name, daemon, await released(daemon, label, units))
    finally:
        daemon.clean_up()


async def released(daemon: Daemon, label: str, units: int) -> str:
    """Wait until every unit is free; returns the run's address."""
    while True:
        shown = await daemon.ask("show", label)
        if shown.rows_done and shown.units.get("launched") == units:
            return str(shown.address)
        await trio.sleep(LOOK_S)


async def all_up(daemon: Daemon, runs: int) -> None:
    """Wait until the routers of so many runs are reached."""
    while sum(router["up"] for held in (await daemon.ask("status")).runs.values() for router in held) < runs:
        await trio.sleep(LOOK_S)


def static_task(folder: Path, units: int) -> Path:
    """A task folder with so many rows."""
    task = folder / "task"
    (task / "page").mkdir(parents=True)
    (task / "task.toml").write_text(TASK_TOML)
    (task / "page" / "index.html").write_text(PAGE)
    with (task / "data.jsonl").open("w") as data:
        data.writelines(json.dumps({"text": f"word {number}"}) + "\n" for number in range(units))
    return task
