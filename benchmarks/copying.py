"""A store made larger than anybody would wait for: what some workers left, for as many others again."""

import sqlite3
from contextlib import closing
from pathlib import Path

CACHE_KIB = 1 << 20  # all of it: its indexes are written all over
_SHIFTED = ("id", "row", "assignment_id", "unit_id", "worker_id", "agent_id")
"""Columns that number things from the first on without a gap: of a copy come after those it was made of."""
_NAMED = ("wire_id", "link")
_OTHERS: dict[str, dict[str, str]] = {
    "assignment": {},
    "unit": {"position": "position + 2 * :more"},  # one when it is made, another when it is released
    "worker": {"name": "'worker-' || (CAST(substr(name, 8) AS INTEGER) + :more) || '_sandbox'"},
    "agent": {},
    "worked": {},
    "worker_cursor": {"position": "position + 2 * :more"},
    "task_worker": {},
    "submission": {},
    "history": {"id": "NULL", "subject_id": "subject_id + :more"},
}
"""The tables, and what their columns become that are not like those of all."""


def copy_workers(database: Path, known: int, copies: int) -> None:
    """Let so many times the known workers be there, who did as much in the only run.

    They are called worker-0_sandbox and so on without a gap, and so will be the others. Nobody has the
    store open besides.
    """
    with closing(sqlite3.connect(database, isolation_level=None)) as store:
        store.execute("PRAGMA synchronous = OFF")
        store.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        store.execute("PRAGMA journal_mode = OFF")  # a copy that goes wrong is begun anew
        store.execute("BEGIN")
        indexes = _without_indexes(store)
        statements = [_copying(store, table) for table in _OTHERS]
        for more in range(known, known * copies, known):
            for statement in statements:
                store.execute(statement, {"more": more})
        store.execute("UPDATE run_count SET number = number * ?", (copies,))
        store.execute(
            "UPDATE task_run SET rows_made = rows_made * ?1, next_position = next_position * ?1", (copies,)
        )
        for index in indexes:
            store.execute(index)
        store.execute("COMMIT")
        store.execute("PRAGMA journal_mode = WAL")


def _without_indexes(store: sqlite3.Connection) -> list[str]:
    """Drop the indexes of what is copied: to make each anew of all is quicker. The statements that do."""
    named = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = ?"
    indexes = [each for table in _OTHERS for each in store.execute(named, (table,)).fetchall()]
    for name, _ in indexes:
        store.execute(f"DROP INDEX {name}")
    return [made for _, made in indexes]


def _copying(store: sqlite3.Connection, table: str) -> str:
    """Set aside what is there; the statement that makes a copy of that."""
    one_each = "WHERE kind <> 'run'" if table == "history" else ""
    store.execute(f"CREATE TEMP TABLE first_{table} AS SELECT * FROM {table} {one_each}")
    columns = [name for _, name, *_ in store.execute(f"PRAGMA table_info({table})")]
    values = ", ".join(_OTHERS[table].get(name) or _like_all(name) for name in columns)
    return f"INSERT INTO {table} SELECT {values} FROM first_{table}"


def _like_all(name: str) -> str:
    if name in _SHIFTED:
        return f"{name} + :more"
    return f"{name} || '-' || :more" if name in _NAMED else name
