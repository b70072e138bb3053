"""The steps of the schema: in order, each once, and restartable after a crash in the middle of one."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from crowdd.protocol.names import QueueOrder
from crowdd.storage import check_store, open_storage
from crowdd.storage.sql.schema import MIGRATIONS, Migration
from crowdd.storage.sql.statements import TABLES
from crowdd.storage.sqlite.connecting import migrate

from .world import World

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
from crowdd.protocol.names import QueueOrder
from crowdd.storage import check_store, open_storage
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


def test_each_step_of_a_store_that_is_there_is_told_before_it_begins(tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    with closing(connect(tmp_path / "crowdd.db")) as db:
        migrate(db, STEPS[:1], lambda number, of: heard.append((number, of)))
        assert heard == []  # a new store is no migration
        migrate(db, STEPS, lambda number, of: heard.append((number, of)))
    assert heard == [(2, 3), (3, 3)]


def test_the_schema_has_a_table_for_every_record() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        migrate(db)
        assert set(TABLES.values()) <= tables(db)
        assert version(db) == len(MIGRATIONS)


async def test_a_store_of_the_first_schema_goes_on_with_its_units_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "crowdd.db"
    with closing(connect(path)) as db:
        migrate(db, MIGRATIONS[:1])
        for statement in OLD_STORE:
            db.execute(statement)
    async with open_storage(path) as storage:
        world = World(storage)
        (run,) = await storage.runs()
        assert (run.queue, run.paused) == (QueueOrder.FIFO, False)
        given = [(await world.take(run, await world.worker(name))).unit.id for name in ("ann", "bob")]
        assert given == [2, 1]
    assert check_store(path) == []


async def test_a_store_from_before_live_work_keeps_its_queues_and_takes_groups(tmp_path: Path) -> None:
    path = tmp_path / "crowdd.db"
    with closing(connect(path)) as db:
        migrate(db, MIGRATIONS[:4])
        for statement in (*OLD_STORE[:3], *OLD_RUNS):
            db.execute(statement)
        with pytest.raises(sqlite3.IntegrityError):
            db.execute("UPDATE task_run SET queue = 'grouped'")
    async with open_storage(path) as storage:
        assert [run.queue.value for run in await storage.runs()] == ["ranked", "least_covered", "fifo"]
        grouped = await World(storage).run("grouped", queue=QueueOrder.GROUPED)
        assert (await storage.run(grouped.id)).queue is QueueOrder.GROUPED
    assert check_store(path) == []
    with closing(connect(path)) as db, pytest.raises(sqlite3.IntegrityError):
        db.execute("UPDATE task_run SET queue = 'nonsense'")


OLD_STORE = (
    "INSERT INTO lease VALUES (1, 1, 'somebody')",
    "INSERT INTO requester VALUES (1, 'lab', 'mock')",
    "INSERT INTO task VALUES (1, 'digits', 'static', NULL)",
    """INSERT INTO task_run VALUES (1, 1, 1, 'l', 'digits', 'static', 'mock', 'local', 1, '{}', x'00',
        'running', NULL, 2, 1, '2026-01-01T00:00:00.000000+00:00', NULL, 5)""",
    "INSERT INTO run_count VALUES (1, 'unit', 'launched', 2)",
    "INSERT INTO assignment VALUES (1, 1, 0, 'd0', '{}', '[{}]'), (2, 1, 1, 'd1', '{}', '[{}]')",
    "INSERT INTO unit VALUES (1, 1, 1, 0, 'launched', 4, NULL, NULL, 0)",
    "INSERT INTO unit VALUES (2, 1, 2, 0, 'launched', 3, NULL, NULL, 0)",
    *(
        f"INSERT INTO history VALUES (NULL, '2026-01-01', 'x', '{kind}', {number}, 1, NULL, '{after}', 'old')"
        for kind, number, after in (("run", 1, "running"), ("unit", 1, "launched"), ("unit", 2, "launched"))
    ),
)
"""A run with two free units, the second of them first in its queue."""
_RUN = """INSERT INTO task_run VALUES (NUMBER, 1, 1, 'lNUMBER', 'rNUMBER', 'static', 'mock', 'local', 1, '{}',
    x'00', 'running', NULL, 0, 1, '2026-01-01T00:00:00.000000+00:00', NULL, 1, 0, 0, 'QUEUE')"""
_RUN_STARTED = """
INSERT INTO history VALUES (NULL, '2026-01-01', 'x', 'run', NUMBER, NUMBER, NULL, 'running', 'old')"""
OLD_RUNS = tuple(
    statement.replace("NUMBER", str(number)).replace("QUEUE", queue)
    for number, queue in enumerate(("ranked", "least_covered", "fifo"), 1)
    for statement in (_RUN, _RUN_STARTED)
)
"""Runs of every order there was before groups."""
