"""Rows: durable transactions of many callers and of one, beside a thread call and a commit for each.

A transaction is what live work does most: one update of a page and the journal's entry about it are stored.
"""

import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import trio

from crowdd.protocol.names import PieceKind
from crowdd.storage.contract import Storage
from crowdd.storage.opening import open_storage
from crowdd.storage.records import Agent, JournalEntry, LiveUpdate
from crowdd.storage.sqlite import SqliteStorage

from ..instrument.row import Measure, Row, Setting, Sides, at_least
from ..instrument.sample import Figure, Meter, Sample
from ..stores import add_run, add_worker, take_unit
from .thread_calls import ThreadCalls

CALLERS = 64
OF_EACH, OF_EACH_SMALL = 15, 2
ALONE, ALONE_SMALL = 250, 50
TURNS = 6  # short ones: what the disk does besides changes within seconds
UPDATE = {"words": "x" * 100}


def open_many(setting: Setting) -> AbstractAsyncContextManager[Sides]:
    """64 callers, each one after the other."""
    return _open(setting, CALLERS, setting.size(OF_EACH, OF_EACH_SMALL))


def open_alone(setting: Setting) -> AbstractAsyncContextManager[Sides]:
    """One caller: grouping must not make it wait."""
    return _open(setting, 1, setting.size(ALONE, ALONE_SMALL))


@asynccontextmanager
async def _open(setting: Setting, callers: int, of_each: int) -> AsyncGenerator[Sides]:
    ours, theirs = setting.folder / "ours.db", setting.folder / "baseline.db"
    agents = [await _furnish(path, callers) for path in (ours, theirs)]
    async with open_storage(ours) as storage:
        with closing(ThreadCalls(theirs)) as calls:
            baseline = SqliteStorage(calls)
            yield Sides(_side(storage, agents[0], of_each), _side(baseline, agents[1], of_each))


async def _furnish(path: Path, agents: int) -> Sequence[Agent]:
    async with open_storage(path) as storage:
        run = await add_run(storage, "transactions", "transactions", agents)
        workers = [await add_worker(storage, f"worker-{number}") for number in range(agents)]
        return [await take_unit(storage, run, worker, f"{worker.id}") for worker in workers]


def _side(storage: Storage, agents: Sequence[Agent], of_each: int) -> Measure:
    numbers = [count(1) for _ in agents]

    async def call(agent: Agent, numbered: "count[int]") -> None:
        for _ in range(of_each):
            await _store(storage, agent, next(numbered))

    async def measure() -> Sample:
        with Meter([os.getpid()]) as meter:
            async with trio.open_nursery() as nursery:
                for agent, numbered in zip(agents, numbers, strict=True):
                    nursery.start_soon(call, agent, numbered)
        return meter.sample(of_each * len(agents))

    return measure


async def _store(storage: Storage, agent: Agent, number: int) -> None:
    now = datetime.now(UTC)
    update = LiveUpdate(False, agent.id, False, number, f"{number}", "page", number, UPDATE, now)
    entry = JournalEntry(PieceKind.UNIT, agent.unit_id, number, "update", agent.id, number, now)
    await storage.add_live([update], [entry])


MANY = Row(
    "transactions",
    f"durable transactions, {CALLERS} callers, SQLite FULL",
    "one thread call and one commit for each",
    (at_least(Figure.PER_S, 6),),
    open_many,
    TURNS,
)
ALONE_ROW = Row(
    "transactions-alone",
    "durable transactions, one caller alone, SQLite FULL",
    "one thread call and one commit for each",
    (at_least(Figure.PER_S, 0.9),),
    open_alone,
    TURNS,
)
