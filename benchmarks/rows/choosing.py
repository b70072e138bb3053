"""Row: choosing a unit in a large run, by workers who did much, beside a small run and fresh workers."""

import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from itertools import count

import trio

from crowdd.storage.contract import Storage
from crowdd.storage.opening import open_storage
from crowdd.storage.records import Agent, TaskRun, Worker

from ..instrument.row import Measure, Row, Setting, Sides, at_most
from ..instrument.sample import Figure, Meter, Sample
from ..stores import add_run, add_worker, submit_unit, take_unit

UNITS, UNITS_SMALL = 1_000_000, 4_000
DONE, DONE_SMALL = 1_000, 50
FEW = 1_000  # units of the run beside
WORKERS = 8  # at the same time: they share commits, as in a busy run
OF_EACH, OF_EACH_SMALL = 25, 5


@asynccontextmanager
async def open_sides(setting: Setting) -> AsyncGenerator[Sides]:
    """A store each."""
    async with (
        open_storage(setting.folder / "large.db") as large,
        open_storage(setting.folder / "few.db") as few,
    ):
        units, done = setting.size(UNITS, UNITS_SMALL), setting.size(DONE, DONE_SMALL)
        run = await add_run(large, "choosing", "large", units, setting.tell)
        workers = [await add_worker(large, f"worker-{number}") for number in range(WORKERS)]
        links = count()
        setting.tell(f"{WORKERS} workers do {done} units each")
        async with trio.open_nursery() as nursery:
            for worker in workers:
                nursery.start_soon(_work, large, run, worker, done, links)
        of_each = setting.size(OF_EACH, OF_EACH_SMALL)
        yield Sides(_in_large(large, run, workers, of_each, links), _in_few(few, of_each))


async def _work(storage: Storage, run: TaskRun, worker: Worker, units: int, links: "count[int]") -> None:
    for _ in range(units):
        await submit_unit(storage, await take_unit(storage, run, worker, f"{next(links)}"))


def _in_large(
    storage: Storage, run: TaskRun, workers: Sequence[Worker], of_each: int, links: "count[int]"
) -> Measure:
    """The same workers again and again; what they took they do, while nobody measures."""

    async def measure() -> Sample:
        turns = [[worker] * of_each for worker in workers]
        agents, sample = await _take(storage, run, turns, links)
        async with trio.open_nursery() as nursery:
            for agent in agents:
                nursery.start_soon(submit_unit, storage, agent)
        return sample

    return measure


def _in_few(storage: Storage, of_each: int) -> Measure:
    """Each time a new run, and a new worker for each unit."""
    numbers, links = count(), count()

    async def measure() -> Sample:
        number = next(numbers)
        run = await add_run(storage, "choosing", f"few-{number}", FEW)
        turns = [
            [await add_worker(storage, f"worker-{number}-{turn}-{each}") for each in range(of_each)]
            for turn in range(WORKERS)
        ]
        _, sample = await _take(storage, run, turns, links)
        return sample

    return measure


async def _take(
    storage: Storage, run: TaskRun, turns: Sequence[Sequence[Worker]], links: "count[int]"
) -> tuple[list[Agent], Sample]:
    """Read the facts of each worker and give them a unit, all turns at the same time."""
    agents: list[Agent] = []

    async def take(workers: Sequence[Worker]) -> None:
        for worker in workers:
            await storage.worker_facts(run.id, worker.id)
            agents.append(await take_unit(storage, run, worker, f"{next(links)}"))

    with Meter([os.getpid()]) as meter:
        async with trio.open_nursery() as nursery:
            for workers in turns:
                nursery.start_soon(take, workers)
    return agents, meter.sample(len(agents))


ROW = Row(
    "choosing",
    "choose and reserve a unit: a run of 1,000,000 units, workers who have done 1,000",
    "the same in a run of 1,000 units, fresh workers",
    (at_most(Figure.TIME_US, 2), at_most(Figure.CPU_US, 2)),
    open_sides,
)
