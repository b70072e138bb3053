"""The writer thread of SQLite: many transactions share a commit; each fails and is cancelled alone."""

import sqlite3
import threading
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from crowdd.storage.errors import Duplicate, InvalidRecord, StorageFailed
from crowdd.storage.sqlite import open_threads
from crowdd.storage.sqlite.engine import Engine, Threads

CALLERS = 64


class Gate:
    """A job that keeps the writer busy until it is let go, so that others queue up behind it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._token = trio.lowlevel.current_trio_token()
        self._release = threading.Event()
        self.entered = trio.Event()
        self.commits: list[str] = []

    def _hold(self, db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO fact (scope, key, value) VALUES ('gate', 'held', '1')")
        db.set_trace_callback(self._trace)
        self._token.run_sync_soon(self.entered.set)
        assert self._release.wait(20)

    def _trace(self, statement: str) -> None:
        if statement == "COMMIT":
            self.commits.append(statement)

    async def hold(self) -> None:
        await self._engine.write(self._hold)

    def open(self) -> None:
        self._release.set()


def insert(key: str) -> Callable[[sqlite3.Connection], str]:
    def job(db: sqlite3.Connection) -> str:
        db.execute("INSERT INTO fact (scope, key, value) VALUES ('test', ?, '1')", (key,))
        return key

    return job


def stored(db: sqlite3.Connection) -> set[str]:
    return {key for (key,) in db.execute("SELECT key FROM fact WHERE scope = 'test'")}


@pytest.fixture
async def engine(database: Path) -> AsyncGenerator[Threads]:
    async with open_threads(database) as engine:
        yield engine


@pytest.fixture
async def gate(engine: Threads) -> Gate:
    return Gate(engine)


async def test_what_is_queued_shares_one_commit(engine: Threads, gate: Gate) -> None:
    done: list[str] = []

    async def call(number: int) -> None:
        done.append(await engine.write(insert(f"k{number}")))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(gate.hold)
        await gate.entered.wait()
        for number in range(CALLERS):
            nursery.start_soon(call, number)
        await wait_all_tasks_blocked()
        gate.open()
    assert len(done) == CALLERS
    assert await engine.read(stored) == set(done)
    assert gate.commits == ["COMMIT", "COMMIT"]  # the gate's own, and one for all the others


async def test_a_failing_transaction_rolls_back_alone(engine: Threads, gate: Gate) -> None:
    outcomes: dict[int, str] = {}

    def half_done(db: sqlite3.Connection) -> str:
        insert("half")(db)
        raise ValueError("a bug")

    def duplicate(db: sqlite3.Connection) -> str:
        insert("twin")(db)
        return insert("twin")(db)

    async def call(number: int) -> None:
        job = {10: half_done, 20: duplicate}.get(number, insert(f"k{number}"))
        try:
            outcomes[number] = await engine.write(job)
        except (ValueError, Duplicate) as exc:
            outcomes[number] = type(exc).__name__

    async with trio.open_nursery() as nursery:
        nursery.start_soon(gate.hold)
        await gate.entered.wait()
        for number in range(CALLERS):
            nursery.start_soon(call, number)
        await wait_all_tasks_blocked()
        gate.open()
    assert outcomes == {n: f"k{n}" for n in range(CALLERS)} | {10: "ValueError", 20: "Duplicate"}
    assert await engine.read(stored) == {f"k{n}" for n in range(CALLERS)} - {"k10", "k20"}


async def test_a_waiter_goes_on_only_after_the_commit(engine: Threads) -> None:
    key = await engine.write(insert("a"))
    assert key in await engine.read(stored)


async def test_a_write_cancelled_in_the_queue_is_withdrawn(engine: Threads, gate: Gate) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(gate.hold)
        await gate.entered.wait()
        with trio.CancelScope() as scope:
            nursery.start_soon(_cancel_when_blocked, scope)
            await engine.write(insert("withdrawn"))
        assert scope.cancelled_caught  # at once, while the writer is still busy
        gate.open()
    await engine.write(insert("later"))
    assert await engine.read(stored) == {"later"}


async def test_a_write_cancelled_once_it_was_taken_is_waited_for(engine: Threads, gate: Gate) -> None:
    ended = False

    async def write_then_be_cancelled(scope: trio.CancelScope) -> None:
        nonlocal ended
        with scope:
            await gate.hold()
        ended = True

    scope = trio.CancelScope()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(write_then_be_cancelled, scope)
        await gate.entered.wait()
        scope.cancel()
        await wait_all_tasks_blocked()
        assert not ended  # not before its commit
        gate.open()
    assert scope.cancelled_caught
    held = await engine.read(lambda db: db.execute("SELECT value FROM fact WHERE key = 'held'").fetchone())
    assert held == ("1",)


async def test_a_transaction_sees_what_those_before_it_in_the_batch_did(engine: Threads, gate: Gate) -> None:
    seen: list[set[str]] = []

    async def look() -> None:
        seen.append(await engine.write(stored))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(gate.hold)
        await gate.entered.wait()
        nursery.start_soon(engine.write, insert("first"))
        await wait_all_tasks_blocked()
        nursery.start_soon(look)
        await wait_all_tasks_blocked()
        gate.open()
    assert seen == [{"first"}]


async def test_a_missing_reference_is_an_invalid_record_and_nothing_more(engine: Threads) -> None:
    def orphan(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO task (name, blueprint, project_id) VALUES ('t', 'static', 7)")

    with pytest.raises(InvalidRecord):
        await engine.write(orphan)
    await engine.write(insert("after"))


async def test_a_reader_does_not_write(engine: Threads) -> None:
    with pytest.raises(StorageFailed):
        await engine.read(insert("sneaked in"))
    assert await engine.read(stored) == set()


async def test_a_reader_sees_one_snapshot(engine: Threads) -> None:
    token = trio.lowlevel.current_trio_token()
    looked, written = trio.Event(), threading.Event()

    def look_twice(db: sqlite3.Connection) -> tuple[set[str], set[str]]:
        before = stored(db)
        token.run_sync_soon(looked.set)
        assert written.wait(20)
        return before, stored(db)

    async def write() -> None:
        await looked.wait()
        await engine.write(insert("meanwhile"))
        written.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(write)
        assert await engine.read(look_twice) == (set(), set())
    assert await engine.read(stored) == {"meanwhile"}


class Look:
    """A read that is entered, waits until it is let go, and looks then."""

    def __init__(self) -> None:
        self._token = trio.lowlevel.current_trio_token()
        self._release = threading.Event()
        self.entered = trio.Event()

    def __call__(self, db: sqlite3.Connection) -> set[str]:
        self._token.run_sync_soon(self.entered.set)
        assert self._release.wait(20)
        return stored(db)

    def let_go(self) -> None:
        self._release.set()


async def test_short_reads_that_wait_together_share_a_snapshot(engine: Threads) -> None:
    busy, first, seen = Look(), Look(), list[set[str]]()

    async def look() -> None:
        seen.append(await engine.read(stored))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(engine.read, busy)
        await busy.entered.wait()
        nursery.start_soon(look)
        await wait_all_tasks_blocked()
        nursery.start_soon(engine.read, first)
        nursery.start_soon(look)
        await wait_all_tasks_blocked()
        busy.let_go()
        await first.entered.wait()
        await engine.write(insert("meanwhile"))
        first.let_go()
    assert seen == [set(), set()]
    assert await engine.read(stored) == {"meanwhile"}


async def test_no_short_read_waits_for_a_long_one(engine: Threads) -> None:
    long = Look()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(engine.read_long, long)
        await long.entered.wait()
        assert await engine.read(stored) == set()
        long.let_go()


async def test_a_closed_store_takes_no_more_writes(database: Path) -> None:
    async with open_threads(database) as engine:
        await engine.write(insert("a"))
    with pytest.raises(StorageFailed):
        await engine.write(insert("b"))


async def test_what_was_queued_is_done_before_the_store_closes(database: Path) -> None:
    async with trio.open_nursery() as nursery, open_threads(database) as engine:
        gate = Gate(engine)
        nursery.start_soon(gate.hold)
        await gate.entered.wait()
        nursery.start_soon(engine.write, insert("last"))
        await wait_all_tasks_blocked()
        gate.open()
    async with open_threads(database) as engine:
        assert await engine.read(stored) == {"last"}


async def _cancel_when_blocked(scope: trio.CancelScope) -> None:
    await wait_all_tasks_blocked()
    scope.cancel()
