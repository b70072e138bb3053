"""When the write-ahead log is brought into the database, and what is heard of it.

SQLite would do it by itself in the middle of a commit, but drops the errors of that: a disk that fails there
would go on unnoticed. So it is done here, by the one connection that writes.
"""

import os
from pathlib import Path

from .ask import Db
from .commit import DATABASE_ERRORS, is_full, words_of

COMMITS_MAX = 200  # a commit writes five pages or more: about as often as SQLite's own 1,000 pages
PAGES_MAX = 3_000  # 12 MiB: as all of it is kept, the next commits write over it; to let it grow costs more
GROWN_BYTES_MAX = 4 * 1024 * 1024  # a few large commits
LOG_BYTES_KEPT = 16 * 1024 * 1024  # more is given back to the disk once it is not needed any more


class WriteAheadLog:
    """The log of the database at `path`, as its writer sees it."""

    def __init__(self, path: Path) -> None:
        self._file = f"{path}-wal"
        self._commits = 0
        self._commits_max = COMMITS_MAX
        self._bytes = 0

    def is_due(self) -> bool:
        """Called after each commit: whether it is time for a checkpoint."""
        self._commits += 1
        return self._commits >= self._commits_max or self._size() - self._bytes >= GROWN_BYTES_MAX

    def checkpoint(self, db: Db) -> str | None:
        """Bring what nobody reads any more into the database; what went wrong, unless space was missing."""
        pages = moved = 0
        try:
            _, pages, moved = db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except DATABASE_ERRORS as exc:
            if is_full(exc):
                return None  # all is in the log; it is tried again after the next commits
            return words_of(exc)
        finally:
            self._begin_anew(pages if moved == pages else 0)
        return None

    def _begin_anew(self, pages: int) -> None:
        """So many pages were in the log, all moved: the next commit begins it anew. 0: it grows on."""
        self._bytes, self._commits_max = self._size(), COMMITS_MAX
        if pages > 0:
            self._bytes = min(self._bytes, LOG_BYTES_KEPT)
            self._commits_max = min(COMMITS_MAX, max(1, self._commits * PAGES_MAX // pages))
        self._commits = 0

    def _size(self) -> int:
        try:
            return os.stat(self._file).st_size  # of each commit: a `Path` takes four times as long
        except OSError:
            return 0
