"""The full check of a store: the file itself, its references, and every invariant. Changes nothing."""

import sqlite3
from pathlib import Path

from ..errors import StorageRefused
from ..sql.invariants import INVARIANTS
from .ask import Db
from .commit import is_damage
from .connecting import open_reader, why_refused
from .place import read_generation

BREACHES_NAMED = 5  # of each kind; the rest is counted


def check_store(path: Path) -> list[str]:
    """What is wrong with the store at `path`, one sentence each; empty when nothing is.

    May run beside a daemon, but in a process of its own: closing a database's file in the daemon's process
    would drop the locks that SQLite holds there.
    """
    if not path.is_file():
        return [f"there is no file {path}"]
    try:
        generation = read_generation(path)
        db = open_reader(path)
    except (StorageRefused, sqlite3.Error) as exc:
        return [str(exc)]
    try:
        refusal = why_refused(db, path, generation)
        return [refusal] if refusal is not None else check_contents(db)
    except sqlite3.Error as exc:
        return [f"{path} {'is damaged' if is_damage(exc) else 'cannot be read'}: {exc}"]
    finally:
        db.close()


def check_contents(db: Db) -> list[str]:
    """The same for what an open connection shows."""
    db.execute("BEGIN")
    try:
        damage = [str(row[0]) for row in db.execute("PRAGMA integrity_check") if row[0] != "ok"]
        if damage:
            return [f"the file is damaged: {line}" for line in damage]
        return [*_lost_references(db), *_breaches(db)]
    finally:
        db.execute("ROLLBACK")


def _lost_references(db: Db) -> list[str]:
    rows = db.execute("PRAGMA foreign_key_check")
    return [
        f"row {number} of {table} refers to a {parent} that is not there" for table, number, parent, _ in rows
    ]


def _breaches(db: Db) -> list[str]:
    found: list[str] = []
    for promise, query in INVARIANTS.items():
        breaches = [str(row[0]) for row in db.execute(query)]
        named = "; ".join(breaches[:BREACHES_NAMED])
        more = len(breaches) - BREACHES_NAMED
        if breaches:
            found.append(f"not true that {promise}: {named}{f' and {more} more' if more > 0 else ''}")
    return found
