"""When the write-ahead log is brought into the database, and what is heard of it.

SQLite would do it by itself in the middle of a commit, but drops the errors of that: a disk that fails there
would go on unnoticed. So it is done here, by the one connection that writes.
"""

import sqlite3
from pathlib import Path

from .ask import Db

COMMITS_MAX = 200  # a commit writes five pages or more: about as often as SQLite's own 1,000 pages
GROWN_BYTES_MAX = 4 * 1024 * 1024  # a few large commits
LOG_BYTES_KEPT = 16 * 1024 * 1024  # more is given back to the disk once it is not needed any more


class WriteAheadLog:
    """The log of the database at `path`, as its writer sees it."""

    def __init__(self, path: Path) -> None:
        self._file = path.with_name(f"{path.name}-wal")
        self._commits = 0
        self._bytes = 0

    def is_due(self) -> bool:
        """Called after each commit: whether it is time for a checkpoint."""
        self._commits += 1
        return self._commits >= COMMITS_MAX or self._size() - self._bytes >= GROWN_BYTES_MAX

    def checkpoint(self, db: Db) -> str | None:
        """Bring what nobody reads any more into the database; what went wrong, unless space was missing."""
        try:
            db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        except sqlite3.Error as exc:
            if exc.sqlite_errorcode & 0xFF == sqlite3.SQLITE_FULL:
                return None  # all is in the log; it is tried again after the next commits
            return f"{exc} ({exc.sqlite_errorname})"
        finally:
            self._commits, self._bytes = 0, self._size()
        return None

    def _size(self) -> int:
        try:
            return self._file.stat().st_size
        except OSError:
            return 0
