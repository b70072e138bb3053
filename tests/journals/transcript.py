"""A store as text: SQL with a line a row and the names of the columns, to be read and compared."""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import attrs

_KILLED = re.compile(r"-- killed after ([\d.]+) s, with (\d+) pieces under way")


@attrs.frozen
class Transcript:
    """What a daemon left behind when it was killed: its store as SQL, and how things stood."""

    sql: str
    killed_s: float
    """When, by the virtual clock."""
    pieces: int
    """How many pieces of live work it carried on."""

    def write(self, path: Path, title: str) -> None:
        """Keep it."""
        killed = f"-- killed after {self.killed_s:.1f} s, with {self.pieces} pieces under way"
        path.write_text(f"-- {title}\n{killed}\n{self.sql}")

    @classmethod
    def read(cls, path: Path) -> "Transcript":
        """The one that was kept."""
        text = path.read_text()
        found = _KILLED.search(text)
        assert found is not None, path
        return cls(text, float(found[1]), int(found[2]))


def schema_of(database: Path) -> str:
    """What makes an empty store of the same version."""
    with closing(sqlite3.connect(database)) as db:
        ours = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
        made = [row[0] for row in db.execute(ours)]
        (version,) = db.execute("PRAGMA user_version").fetchone()
        (application,) = db.execute("PRAGMA application_id").fetchone()
    statements = "".join(f"{statement};\n\n" for statement in made)
    return f"{statements}PRAGMA user_version = {version};\nPRAGMA application_id = {application};\n"


def rows_of(database: Path) -> str:
    """Every row of a store that nobody has open."""
    with closing(sqlite3.connect(database)) as db:
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return "".join(line for table in sorted(tables) for line in _rows(db, table))


def _rows(db: sqlite3.Connection, table: str) -> Iterator[str]:
    names = [f'"{row[1]}"' for row in db.execute(f"PRAGMA table_info({table})")]
    quoted = ", ".join(f"quote({name})" for name in names)
    rows: Sequence[Sequence[str]] = db.execute(f"SELECT {quoted} FROM {table}").fetchall()
    if rows:
        yield f"\nINSERT INTO {table} ({', '.join(names)}) VALUES\n"
        yield ",\n".join(f"  ({', '.join(row)})" for row in rows) + ";\n"


def make_store(database: Path, *scripts: str) -> None:
    """A store out of a schema and rows."""
    with closing(sqlite3.connect(database)) as db:
        db.execute("PRAGMA foreign_keys = OFF")
        for script in scripts:
            db.executescript(script)
