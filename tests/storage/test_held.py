"""What SQLite's transactions hold back until their COMMIT: written once, seen by all, gone with a failure."""

from collections.abc import AsyncGenerator, Callable
from functools import partial
from pathlib import Path

import attrs
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from crowdd.protocol.names import RunId, UnitStatus
from crowdd.storage.admission import WorkerFacts
from crowdd.storage.contract import Arrival, Registration
from crowdd.storage.errors import InvalidRecord, StorageFull
from crowdd.storage.hand import Hand
from crowdd.storage.records import HistoryEntry
from crowdd.storage.sql import statements
from crowdd.storage.sqlite import SqliteStorage, open_threads
from crowdd.storage.sqlite.ask import AT_ONCE, Db, add_values, count, note, value
from crowdd.storage.sqlite.commit import Job, Writer
from crowdd.storage.sqlite.connecting import open_writer
from crowdd.storage.sqlite.engine import Inline, Threads

from .test_group_commit import Gate
from .world import NOW, World

ENTRY = Hand("daemon", "test", NOW).entry("worker", 7, None, None, "blocked")
LAUNCHED = UnitStatus.LAUNCHED


@attrs.frozen
class Desk:
    """A writer, and a run with three free units in its store."""

    writer: Writer
    run_id: RunId

    def do(self, *functions: Callable[[Db], object]) -> list[Job]:
        """What came of transactions that share a commit."""
        jobs = [Job(function) for function in functions]
        self.writer.carry_out(jobs)
        return jobs

    def free(self, db: Db) -> int:
        """How many units of the run are counted as free."""
        number: int = value(db, statements.FREE_UNITS_COUNT, run_id=self.run_id)
        return number

    def one_more(self, db: Db) -> None:
        """Count another."""
        count(db, "unit", self.run_id, LAUNCHED, 1)

    def failing(self, db: Db) -> None:
        """Count and note what does not come to pass."""
        self.one_more(db)
        note(db, ENTRY)
        raise InvalidRecord("no")

    @property
    def noted(self) -> int:
        """How many times `ENTRY` stands in the history."""
        found = self.writer.db.execute("SELECT COUNT(*) FROM history WHERE kind = 'worker'")
        number: int = found.fetchone()[0]
        return number


@pytest.fixture
async def desk() -> AsyncGenerator[Desk]:
    writer = open_writer(None)
    run = await World(SqliteStorage(Inline(writer))).run(assignments=3)
    yield Desk(writer, run.id)
    writer.close()


async def test_what_many_transactions_count_is_written_once(desk: Desk) -> None:
    told: list[str] = []
    desk.writer.db.set_trace_callback(told.append)
    desk.do(*[desk.one_more] * 20)
    assert len([statement for statement in told if "run_count" in statement]) == 1
    assert desk.free(desk.writer.db) == 23


async def test_a_transaction_sees_what_those_before_it_have_counted(desk: Desk) -> None:
    *_, seen = desk.do(desk.one_more, desk.one_more, desk.free)
    assert seen.result() == 5


async def test_of_a_transaction_that_fails_among_others_nothing_is_counted_or_noted(desk: Desk) -> None:
    _, failed, _ = desk.do(desk.one_more, desk.failing, desk.one_more)
    assert isinstance(failed.error, InvalidRecord)
    assert (desk.free(desk.writer.db), desk.noted) == (5, 0)


async def test_of_one_that_fails_alone_nothing_is_left_for_the_next(desk: Desk) -> None:
    desk.do(desk.failing)
    desk.do(desk.one_more)
    assert (desk.free(desk.writer.db), desk.noted) == (4, 0)


async def test_what_cannot_be_written_fails_its_own_transaction_alone(desk: Desk) -> None:
    def of_no_run(db: Db) -> None:
        count(db, "unit", 99, LAUNCHED, 1)

    first, wrong, last = desk.do(desk.one_more, of_no_run, desk.one_more)
    assert (first.error, type(wrong.error), last.error) == (None, InvalidRecord, None)
    assert desk.free(desk.writer.db) == 5


async def test_a_full_disk_leaves_nothing_for_when_there_is_space(desk: Desk) -> None:
    def too_much(db: Db) -> None:
        desk.one_more(db)
        pages = value(db, "PRAGMA page_count")
        value(db, f"PRAGMA max_page_count = {pages}")
        add_values(db, HistoryEntry, [("x" * 100_000, "daemon", "worker", 7, None, None, "blocked", "test")])

    (full,) = desk.do(too_much)
    assert isinstance(full.error, StorageFull)
    value(desk.writer.db, "PRAGMA max_page_count = 1000000")
    desk.do(desk.one_more)
    assert desk.free(desk.writer.db) == 4


async def test_a_long_history_is_not_held_until_its_end(desk: Desk) -> None:
    held: list[int] = []

    def note_many(db: Db) -> None:
        for _ in range(3 * AT_ONCE + 1):
            note(db, ENTRY)
            held.append(len(db.held.rows.get(HistoryEntry, ())))

    desk.do(note_many)
    assert max(held) < AT_ONCE
    assert desk.noted == 3 * AT_ONCE + 1


@pytest.fixture
async def engine(database: Path) -> AsyncGenerator[Threads]:
    async with open_threads(database) as engine:
        yield engine


async def test_newcomers_who_share_a_commit_are_told_what_those_before_them_left(engine: Threads) -> None:
    world, seen, gate = World(SqliteStorage(engine)), list[tuple[int, int]](), Gate(engine)
    run, ann = await world.run(assignments=10), await world.worker()

    def choose(facts: WorkerFacts) -> Registration:
        seen.append((facts.free_units, facts.screening_units))
        return world.registration(run, facts.worker)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(gate.hold)
        await gate.entered.wait()
        nursery.start_soon(partial(world.take_special, run, ann))
        await wait_all_tasks_blocked()
        for number in range(4):
            nursery.start_soon(
                world.storage.arrive, Arrival(run.id, "mock", f"w{number}", choose=choose), NOW
            )
        await wait_all_tasks_blocked()
        gate.open()
    assert gate.commits == ["COMMIT", "COMMIT"]  # the gate's own, and one for all of them
    assert sorted(seen) == [(7, 1), (8, 1), (9, 1), (10, 1)]
