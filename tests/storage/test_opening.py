"""What is refused at the start, in words that say what to do; and what a held store says."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from crowdd.storage import accept, check_store, open_storage
from crowdd.storage.errors import StorageRefused
from crowdd.storage.sql.schema import MIGRATIONS
from crowdd.storage.sqlite import open_threads
from crowdd.storage.sqlite.place import beside

from .world import World

TRIES = 3
HOLD = """
import sys, trio
from pathlib import Path
from crowdd.storage import open_storage

async def main():
    async with open_storage(Path(sys.argv[1])):
        print("open", flush=True)
        await trio.sleep_forever()

trio.run(main)
"""


async def make(database: Path) -> None:
    async with open_storage(database) as storage:
        await World(storage).run()


async def refusal(database: Path, inline: bool = False) -> str:
    before = database.read_bytes() if database.exists() else None
    with pytest.raises(StorageRefused) as refused:
        async with open_storage(database, inline=inline):
            pass
    assert (database.read_bytes() if database.exists() else None) == before
    return str(refused.value)


async def test_a_new_store_is_for_its_owner_only(database: Path) -> None:
    await make(database)
    assert database.stat().st_mode & 0o077 == 0


async def test_what_was_stored_is_there_after_opening_again(database: Path) -> None:
    async with open_storage(database) as storage:
        await World(storage).at_work()
        before = await World(storage).everything()
    async with open_storage(database, inline=True) as storage:
        assert await World(storage).everything() == before


async def test_the_writer_is_durable_and_checks_references(database: Path) -> None:
    def pragmas(db: sqlite3.Connection) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys", "application_id")
        return [db.execute(f"PRAGMA {name}").fetchone()[0] for name in names]

    async with open_threads(database) as engine:
        assert await engine.write(pragmas) == ["wal", 2, 1, 0x63724464]


async def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    assert "make it" in await refusal(tmp_path / "nowhere" / "crowdd.db")


@contextmanager
def held(database: Path) -> Generator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLD, str(database)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "open\n"
            yield holder
        finally:
            holder.kill()


@pytest.mark.parametrize("inline", [False, True])
async def test_a_second_daemon_is_refused_at_once_and_told_who_holds_the_store(
    database: Path, inline: bool
) -> None:
    with held(database) as holder:
        took_s: list[float] = []
        words = ""
        for _ in range(TRIES):
            began = time.monotonic()
            words = await refusal(database, inline)
            took_s.append(time.monotonic() - began)
        assert min(took_s) < 1, "the quickest, for the machine may be busy; a wait for the lock slows each"
        assert f"process {holder.pid} on {os.uname().nodename}" in words
    await make(database)  # a killed holder holds nothing


async def test_two_openings_in_one_process_are_refused_too(database: Path) -> None:
    async with open_storage(database):
        assert str(os.getpid()) in await refusal(database)


@pytest.mark.parametrize("inline", [False, True])
async def test_a_newer_schema_is_refused(database: Path, inline: bool) -> None:
    await make(database)
    with closing(sqlite3.connect(database)) as db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    assert "written by a newer crowdd" in await refusal(database, inline)


async def test_a_database_of_another_program_is_refused(database: Path) -> None:
    with closing(sqlite3.connect(database)) as db:
        db.execute("CREATE TABLE bookmark (url TEXT)")
    assert "another program" in await refusal(database)


async def test_a_file_that_is_no_database_is_refused(database: Path) -> None:
    database.write_text("label,answer\n" * 1000)
    assert "no database" in await refusal(database)


@pytest.mark.parametrize("keep", [0, 50, 5000, 100_000])
async def test_a_truncated_database_is_refused(database: Path, keep: int) -> None:
    await make(database)
    os.truncate(database, keep)
    words = await refusal(database)
    assert "accept" in words
    assert check_store(database) != []


async def test_a_damaged_header_is_refused(database: Path) -> None:
    await make(database)
    with database.open("r+b") as file:
        file.write(os.urandom(100))
    assert "is damaged, or no database" in await refusal(database)


async def test_a_restored_copy_is_refused_until_it_is_accepted(database: Path, tmp_path: Path) -> None:
    await make(database)
    backup = tmp_path / "backup.db"
    shutil.copy(database, backup)
    async with open_storage(database) as storage:
        last = storage.epoch
    shutil.copy(backup, database)
    words = await refusal(database)
    assert f"accept it with: crowdd storage accept --data {database.parent}" in words
    assert check_store(database) == [words]
    accept(database)
    async with open_storage(database) as storage:
        assert storage.epoch > last  # so that whoever knew the lost present is fenced off
    assert check_store(database) == []


async def test_a_store_that_has_gone_missing_is_not_made_anew(database: Path) -> None:
    await make(database)
    database.unlink()
    assert "is missing, but was here" in await refusal(database)
    with pytest.raises(StorageRefused):
        accept(database)
    assert not database.exists()


async def test_an_unreadable_generation_file_is_refused_until_accepted(database: Path) -> None:
    await make(database)
    beside(database, "generation").write_text("?")
    assert "crowdd storage accept" in await refusal(database)
    accept(database)
    async with open_storage(database):
        pass


async def test_a_crash_between_lease_and_generation_file_is_no_restored_copy(database: Path) -> None:
    await make(database)
    await make_epoch(database)
    beside(database, "generation").write_text("1\n")
    async with open_storage(database) as storage:
        assert storage.epoch == 3


async def make_epoch(database: Path) -> None:
    async with open_storage(database):
        pass


async def test_the_lock_file_says_who_holds_it(database: Path) -> None:
    async with open_storage(database):
        holder = json.loads(beside(database, "lock").read_text())
    assert holder == {"pid": os.getpid(), "host": os.uname().nodename}
