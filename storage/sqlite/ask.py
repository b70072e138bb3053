"""Asking an SQLite connection for records, and giving it records. Knows no statement.

Counts, and rows of some tables, are held back until `settle`: just before a COMMIT, or before a statement
that names such a table, so that nobody misses them.
"""

import enum
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, TypeVar

import attrs

from ..records import HistoryEntry
from ..rows import (
    columns,
    dump_enum,
    dump_json,
    dump_time,
    from_row,
    named_values,
    new_values,
    numbered,
    to_row,
)
from ..sql import statements
from ..sql.places import Placed, placed
from .held import Held

R = TypeVar("R")
S = TypeVar("S")
K = TypeVar("K", bound=attrs.AttrsInstance)
_PLAIN = frozenset({int, str, type(None), bool})
"""What most values are; SQLite takes them as they are."""
AT_ONCE = 50  # of many new records: for each statement SQLite opens a table and all of its indexes


class Db(sqlite3.Connection):
    """A connection, and what its transaction holds back."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.held = Held()


def one(db: Db, cls: type[R], statement: str, **values: Any) -> R | None:
    """The record that the statement finds, or None."""
    row = _run(db, statement, values).fetchone()
    return None if row is None else from_row(cls, row)


def pair(db: Db, cls: type[R], other: type[S], statement: str, **values: Any) -> tuple[R, S] | None:
    """The two records that a `select_both` finds together, or None."""
    row = _run(db, statement, values).fetchone()
    return None if row is None else _both(cls, other, row)


def pairs(db: Db, cls: type[R], other: type[S], statement: str, **values: Any) -> list[tuple[R, S]]:
    """All that a `select_both` finds together."""
    return [_both(cls, other, row) for row in _run(db, statement, values)]


def every(db: Db, cls: type[R], statement: str, **values: Any) -> list[R]:
    """All records that the statement finds."""
    return [from_row(cls, row) for row in _run(db, statement, values)]


def page(
    db: Db, cls: type[R], after: int, limit: int, states: Iterable[enum.Enum] | None = None, **equal: Any
) -> list[R]:
    """The next `limit` records above id `after` whose state is among `states`, and whose columns are `equal`.

    None for `states` or a column: whatever it is.
    """
    wanted = {name: value for name, value in equal.items() if value is not None}
    among = None if states is None else [state.value for state in states]
    if among == [] or limit <= 0:
        return []
    numbered = {f"state_{index}": state for index, state in enumerate(among or ())}
    statement = statements.page(cls, tuple(wanted), len(numbered))
    return every(db, cls, statement, after_id=after, limit=limit, **wanted, **numbered)


def value(db: Db, /, statement: str, **values: Any) -> Any:
    """The first value of the first row, or None."""
    row = first(db, statement, **values)
    return None if row is None else row[0]


def first(db: Db, /, statement: str, **values: Any) -> Any:
    """The first row, or None."""
    return _run(db, statement, values).fetchone()


def first_beside(db: Db, /, statement: str, **values: Any) -> Any:
    """The same without what is held back: for who looks at `db.held`, too."""
    return _execute(db, placed(statement), values).fetchone()


def do(db: Db, /, statement: str, **values: Any) -> None:
    """Execute what gives nothing back."""
    _run(db, statement, values)


def add(db: Db, record: attrs.AttrsInstance) -> int:
    """Store a new record that gets a number of its own; returns it."""
    number = db.execute(statements.insert_values(type(record)), new_values(record)).lastrowid
    assert number is not None, "an insert has a number"
    return number


def keep(db: Db, record: K) -> K:
    """Store a new record; the same with its number, for whoever asked to store it."""
    return numbered(record, add(db, record))


def add_all(db: Db, records: Iterable[attrs.AttrsInstance]) -> None:
    """Store new records whose numbers nobody needs to know."""
    new = [*records]
    if new:
        add_values(db, type(new[0]), [new_values(record) for record in new])


def add_values(db: Db, cls: type, rows: Sequence[Sequence[Any]]) -> None:
    """Store new records of a class that are not made: their values stand as in `new_values`."""
    rest = len(rows) - len(rows) % AT_ONCE
    for at in range(0, rest, AT_ONCE):
        several = chain.from_iterable(rows[at : at + AT_ONCE])
        db.execute(statements.insert_values(cls, AT_ONCE), [*several])
    _each(db, statements.insert_values(cls), rows[rest:])


def save(db: Db, statement: str, *records: attrs.AttrsInstance) -> None:
    """Write what changed in records; the statement names the columns."""
    by_place = _ready(db, statement)
    _each(db, by_place.text, [named_values(record, by_place.names) for record in records])


def hold(db: Db, record: attrs.AttrsInstance) -> None:
    """Store a new record of a table in `HELD_BACK`, by and by, in the order in which they come."""
    made_of = type(record)
    rows = db.held.rows.setdefault(made_of, [])
    rows.append(new_values(record))
    if len(rows) == AT_ONCE:
        add_values(db, made_of, db.held.rows.pop(made_of))


def note(db: Db, *entries: HistoryEntry) -> None:
    """Append to the history."""
    for entry in entries:
        hold(db, entry)


def note_each(db: Db, entry: HistoryEntry, subjects: Iterable[int]) -> None:
    """Append to the history that the same became of each of the subjects."""
    do(db, statements.NOTE_EACH, **to_row(entry), subjects=dump_json([*subjects]))


def count(db: Db, kind: str, run_id: int, status: enum.Enum, number: int) -> None:
    """So many more units or agents of a run are in this status."""
    db.held.count(run_id, kind, dump_enum(status), number)


def recount(db: Db, kind: str, run_id: int, before: enum.Enum, after: enum.Enum, number: int = 1) -> None:
    """So many units or agents of a run went from one status to another."""
    count(db, kind, run_id, before, -number)
    count(db, kind, run_id, after, number)


def settle(db: Db) -> None:
    """Write all that is held back."""
    held, db.held = db.held, Held()
    counts = [*held.counts()]
    if counts:
        _each(db, placed(statements.COUNT).text, counts)
    for made_of, rows in held.rows.items():
        add_values(db, made_of, rows)


def _run(db: Db, statement: str, values: Mapping[str, Any]) -> sqlite3.Cursor:
    return _execute(db, _ready(db, statement), values)


def _ready(db: Db, statement: str) -> Placed:
    """The statement, once there is nothing held back that it would miss."""
    by_place = placed(statement)
    if by_place.names_held and db.held:
        settle(db)
    return by_place


def _execute(db: Db, by_place: Placed, values: Mapping[str, Any]) -> sqlite3.Cursor:
    given = by_place.pick(values)
    if not _PLAIN.issuperset(map(type, given)):
        given = tuple(map(_plain, given))
    return db.execute(by_place.text, given)


def _each(db: Db, text: str, rows: Sequence[Sequence[Any]]) -> None:
    """Run a statement with each of the rows; most have one, for which `executemany` costs more."""
    if len(rows) == 1:
        db.execute(text, rows[0])
    else:
        db.executemany(text, rows)


def _both(cls: type[R], other: type[S], row: Sequence[Any]) -> tuple[R, S]:
    width = len(columns(cls))
    return from_row(cls, row[:width]), from_row(other, row[width:])


def _plain(value: Any) -> Any:
    if type(value) in _PLAIN:
        return value
    if isinstance(value, enum.Enum):
        return dump_enum(value)
    return dump_time(value) if isinstance(value, datetime) else value
