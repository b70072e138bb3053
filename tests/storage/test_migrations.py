"""The steps of the schema: in order, each once, and restartable after a crash in the middle of one."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from crowdd.storage.sql.schema import MIGRATIONS, Migration
from crowdd.storage.sql.statements import TABLES
from crowdd.storage.sqlite.connecting import migrate

STEPS = (
    Migration("first", ("CREATE TABLE a (id {serial})", "INSERT INTO a DEFAULT VALUES")),
    Migration("second", ("CREATE TABLE b (id {serial})", "SELECT crash()", "INSERT INTO b DEFAULT VALUES")),
    Migration("third", ("INSERT INTO b DEFAULT VALUES",)),
)
CRASH = """
import os, sqlite3, sys
sys.path.insert(0, os.getcwd())
from crowdd.storage.sql.statements import TABLES
from crowdd.storage.sqlite.connecting import migrate
from crowdd.storage.sql.schema import Migration
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("PRAGMA journal_mode = WAL")
db.create_function("crash", 0, lambda: os._exit(9))
migrate(db, eval(sys.argv[2]))
"""


def connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None)
    db.create_function("crash", 0, lambda: 0)
    return db


def version(db: sqlite3.Connection) -> int:
    number: int = db.execute("PRAGMA user_version").fetchone()[0]
    return number


def tables(db: sqlite3.Connection) -> set[str]:
    return {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def test_a_process_killed_in_the_middle_of_a_step_goes_on_at_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "crowdd.db"
    crashed = subprocess.run([sys.executable, "-c", CRASH, str(path), repr(STEPS)], check=False)
    assert crashed.returncode == 9
    with closing(connect(path)) as db:
        assert (version(db), tables(db)) == (1, {"a"})
        migrate(db, STEPS)
        assert (version(db), tables(db)) == (3, {"a", "b"})
        assert [row[0] for row in db.execute("SELECT count(*) FROM a UNION ALL SELECT count(*) FROM b")] == [
            1,
            2,
        ]


def test_a_step_that_fails_leaves_nothing_and_is_taken_again(tmp_path: Path) -> None:
    broken = (STEPS[0], Migration("second", ("CREATE TABLE b (id {serial})", "SELECT nonsense")))
    with closing(connect(tmp_path / "crowdd.db")) as db:
        with pytest.raises(sqlite3.OperationalError):
            migrate(db, broken)
        assert (version(db), tables(db)) == (1, {"a"})
        migrate(db, STEPS)
        assert version(db) == 3


def test_steps_are_taken_once(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "crowdd.db")) as db:
        migrate(db, STEPS)
        migrate(db, STEPS)
        assert db.execute("SELECT count(*) FROM b").fetchone() == (2,)


def test_the_schema_has_a_table_for_every_record() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        migrate(db)
        assert set(TABLES.values()) <= tables(db)
        assert version(db) == len(MIGRATIONS)
