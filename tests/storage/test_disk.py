"""What becomes of writes when the disk is full, or fails: real errors of the operating system."""

import os
import sqlite3
from collections.abc import Generator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from crowdd.storage.errors import StorageFailed, StorageFull
from crowdd.storage.opening import open_storage
from crowdd.storage.sqlite import open_threads
from crowdd.storage.sqlite.ask import Db
from crowdd.storage.sqlite.checkpointing import COMMITS_MAX, GROWN_BYTES_MAX, LOG_BYTES_KEPT
from crowdd.storage.sqlite.commit import Job
from crowdd.storage.sqlite.connecting import HeldWriter, open_writer
from crowdd.storage.sqlite.engine import Threads

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BLOB = b"x" * 100_000


def insert(db: sqlite3.Connection, key: str, value: bytes = b"1") -> None:
    db.execute("INSERT INTO fact (scope, key, value) VALUES ('test', ?, ?)", (key, value))


def stored(db: sqlite3.Connection) -> list[str]:
    return [key for (key,) in db.execute("SELECT key FROM fact ORDER BY key")]


async def limit_pages(engine: Threads, more: int) -> None:
    def limit(db: sqlite3.Connection) -> None:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages + more}")

    await engine.write(limit)


async def test_a_full_disk_takes_nothing_and_goes_on_when_there_is_space(database: Path) -> None:
    async with open_threads(database) as engine:
        await engine.write(insert, "before")
        await limit_pages(engine, 3)
        with pytest.raises(StorageFull):
            await engine.write(insert, "too large", BLOB)
        await engine.write(insert, "small")
        await limit_pages(engine, 1000)
        await engine.write(insert, "too large", BLOB)
        assert await engine.read(stored) == ["before", "small", "too large"]


@contextmanager
def writes_go_to(path: str, flags: int, log: Path) -> Generator[None]:
    """Put another file in the place of the write-ahead log, for every descriptor this process has of it.

    Those that were closed meanwhile are left alone: their numbers may be other files' by now.
    """
    folder = Path("/proc/self/fd")
    numbers = [int(each.name) for each in folder.iterdir() if each.exists() and each.resolve() == log]
    kept = {number: os.dup(number) for number in numbers}
    other = os.open(path, flags)
    try:
        for number in numbers:
            os.dup2(other, number)
        yield
    finally:
        for number, original in kept.items():
            if _is(number, other):
                os.dup2(original, number)
            os.close(original)
        os.close(other)


def _is(number: int, other: int) -> bool:
    try:
        return os.path.sameopenfile(number, other)
    except OSError:
        return False


async def test_no_space_for_the_log_takes_nothing_and_is_over_when_it_is_over(database: Path) -> None:
    async with open_threads(database) as engine:
        await engine.write(insert, "before")
        with writes_go_to("/dev/full", os.O_RDWR, log_of(database)), pytest.raises(StorageFull):
            await engine.write(insert, "lost")
        await engine.write(insert, "after")
    async with open_threads(database) as engine:
        assert await engine.read(stored) == ["after", "before"]


async def test_after_a_failure_of_the_disk_nothing_is_written_any_more(database: Path) -> None:
    async with open_threads(database) as engine:
        await engine.write(insert, "before")
        with writes_go_to("/dev/null", os.O_RDONLY, log_of(database)), pytest.raises(StorageFailed) as first:
            await engine.write(insert, "unknown")
        assert "SQLITE_IOERR" in str(first.value)
        with pytest.raises(
            StorageFailed
        ):  # although the disk is whole again: only a restart knows what is there
            await engine.write(insert, "after")
    async with open_threads(database) as engine:
        assert "before" in await engine.read(stored)
        await engine.write(insert, "after")


async def test_flt4_a_disk_that_fails_when_the_log_is_brought_into_the_database_is_heard(
    database: Path,
) -> None:
    async with open_threads(database) as engine:
        await engine.write(insert, "before")
        with writes_go_to(str(database), os.O_RDONLY, database):
            for number in range(COMMITS_MAX - 1):
                await engine.write(insert, f"{number:03}")
            with pytest.raises(StorageFailed) as failed:
                await engine.write(insert, "unknown")
        assert "SQLITE_IOERR_WRITE" in str(failed.value)
    async with open_threads(database) as engine:  # what was committed is in the log
        assert await engine.read(stored) == [*(f"{number:03}" for number in range(COMMITS_MAX - 1)), "before"]


async def test_p12_a_log_that_cannot_be_brought_into_the_database_is_noticed_without_a_write(
    database: Path,
) -> None:
    async with open_storage(database) as storage:
        with writes_go_to(str(database), os.O_RDONLY, database):
            for number in range(COMMITS_MAX):
                await storage.register_worker("mock", f"worker {number}", {}, NOW)
        with pytest.raises(StorageFailed, match="SQLITE_IOERR_WRITE"):
            await storage.check_lease()


async def test_flt4_a_disk_that_fails_at_the_very_last_is_heard_though_nothing_is_lost(
    database: Path,
) -> None:
    with ExitStack() as disk, pytest.raises(StorageFailed):  # noqa: PT012 - leaving raises
        async with open_threads(database) as engine:
            await engine.write(insert, "last")
            disk.enter_context(writes_go_to(str(database), os.O_RDONLY, database))
    async with open_threads(database) as engine:
        assert await engine.read(stored) == ["last"]


async def test_the_log_does_not_grow_without_bound(database: Path) -> None:
    async with open_threads(database) as engine:
        for number in range(500):
            await engine.write(insert, f"{number}", BLOB)
        assert log_of(database).stat().st_size < LOG_BYTES_KEPT + 2 * GROWN_BYTES_MAX


async def test_a_log_that_is_kept_is_written_over_instead_of_cut_and_grown(database: Path) -> None:
    async with open_threads(database) as engine:
        for number in range(200):
            await engine.write(insert, f"{number}", BLOB * 4)
        assert log_of(database).stat().st_size < LOG_BYTES_KEPT


def log_of(database: Path) -> Path:
    return database.with_name("crowdd.db-wal")


class Starved:
    """A connection whose SQLite finds no memory for one statement; Python has its own name for that."""

    def __init__(self, db: Db, statement: str) -> None:
        self._db = db
        self._statement = statement

    def execute(self, statement: str, *values: Any) -> Any:
        if statement == self._statement:
            raise MemoryError
        return self._db.execute(statement, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)


def carried_out(writer: HeldWriter, name: str, starved_at: str) -> Job:
    """A job that puts this away, while there is no memory for that statement."""
    db, starved, job = writer.db, Starved(writer.db, starved_at), Job(partial(insert, key=name))
    writer.db = cast(Db, starved)
    writer.carry_out([job])
    writer.db = db
    return job


def test_p12_a_commit_for_which_there_is_no_memory_is_a_failure_of_the_store(database: Path) -> None:
    with closing(open_writer(database)) as writer:
        assert isinstance(carried_out(writer, "unknown", "COMMIT").error, StorageFailed)
        assert isinstance(carried_out(writer, "after", "").error, StorageFailed)


def test_p12_no_memory_for_a_checkpoint_says_nothing_against_what_was_committed(database: Path) -> None:
    with closing(open_writer(database)) as writer:
        for number in range(COMMITS_MAX - 1):
            carried_out(writer, f"{number:03}", "")
        assert carried_out(writer, "last", "PRAGMA wal_checkpoint(PASSIVE)").error is None
        assert writer.failed == "the store failed: (MemoryError)"
