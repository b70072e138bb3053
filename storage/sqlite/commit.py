"""Many transactions, one COMMIT. Plain calls on one connection: knows no thread and no task.

A batch first runs as one transaction without savepoints. If a job of it fails, all is rolled back and the
batch runs again, each job in a savepoint of its own: a failing job costs its neighbours time, nothing else.
Jobs are therefore functions that may run twice.

What the jobs held back (`ask.settle`) is written by the last of a batch, or by each within its own savepoint;
of what is rolled back it goes too.
"""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

import attrs

from ..errors import Duplicate, InvalidRecord, LeaseLost, StorageError, StorageFailed, StorageFull
from ..sql import statements
from .ask import Db, settle
from .ask import value as ask_value
from .held import Held

_OWN_FAULT = {
    sqlite3.SQLITE_CONSTRAINT_UNIQUE: Duplicate,
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY: Duplicate,
    sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY: InvalidRecord,
    sqlite3.SQLITE_CONSTRAINT_CHECK: InvalidRecord,
    sqlite3.SQLITE_CONSTRAINT_NOTNULL: InvalidRecord,
}
_STORE_FAULT = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOTADB,
    }
)
DATABASE_ERRORS = (sqlite3.Error, MemoryError)
"""What a statement raises that a job is not to blame for: Python has its own name for SQLITE_NOMEM."""


@attrs.define(eq=False)
class Job:
    """A function to run on a connection, and what came of it."""

    function: Callable[[Db], Any]
    value: Any = None
    error: BaseException | None = None

    def attempt(self, db: Db, *, settles: bool = False) -> bool:
        """Run the function; False when it failed. Failures of the store itself are raised.

        `settles`: what was held back until here is written, too.
        """
        self.value = self.error = None
        try:
            self.value = self.function(db)
            if settles:
                settle(db)
        except sqlite3.Error as exc:
            if is_store_fault(exc):
                raise
            self.error = _own_fault(exc)
        except BaseException as exc:  # whatever it is, it belongs to whoever gave the job
            self.error = exc
        return self.error is None

    def result(self) -> Any:
        """The function's value, or its error raised."""
        if self.error is not None:
            raise self.error
        return self.value


@attrs.define(eq=False)
class Writer:
    """The one writing connection of a store, its lease epoch, and why it must not write any more."""

    db: Db
    epoch: int
    failed: str | None = None

    def carry_out(self, jobs: Sequence[Job]) -> None:
        """Run jobs in one transaction, each whole or not at all. Every job has its result when this returns.

        After a failure of disk or database nothing is written again: what was committed is not known here.
        """
        try:
            if self.failed is not None:
                raise StorageFailed(self.failed)
            self._commit(jobs)
        except StorageError as exc:
            _fail(jobs, exc)
        except DATABASE_ERRORS as exc:
            _fail(jobs, self._failure(exc))

    def _commit(self, jobs: Sequence[Job]) -> None:
        self._begin()
        *others, last = jobs
        if all(job.attempt(self.db) for job in others) and last.attempt(self.db, settles=True):
            self.db.execute("COMMIT")
            return
        self._roll_back()
        if len(jobs) > 1:
            self._commit_one_by_one(jobs)

    def _commit_one_by_one(self, jobs: Sequence[Job]) -> None:
        self._begin()
        for job in jobs:
            self.db.execute("SAVEPOINT job")
            if not job.attempt(self.db, settles=True):
                self._roll_back("ROLLBACK TO job")
            self.db.execute("RELEASE job")
        self.db.execute("COMMIT")

    def _begin(self) -> None:
        self.db.execute("BEGIN IMMEDIATE")
        present = ask_value(self.db, statements.EPOCH)
        if present != self.epoch:
            self._roll_back()
            raise LeaseLost(f"epoch {present} has taken this store from epoch {self.epoch}")

    def _roll_back(self, statement: str = "ROLLBACK") -> None:
        self.db.held = Held()
        self.db.execute(statement)

    def _failure(self, exc: Exception) -> StorageError:
        full = is_full(exc)
        self.db.held = Held()  # SQLite itself may have rolled back
        try:
            if self.db.in_transaction:
                self._roll_back()
        except DATABASE_ERRORS:
            full = False
        if full:
            return StorageFull(f"no space left: {exc}")
        self.failed = f"the store failed: {words_of(exc)}"
        return StorageFailed(self.failed)


def read_together(db: Db, jobs: Sequence[Job]) -> None:
    """Run jobs that only read, all on one snapshot; a failure of disk or database is every job's."""
    try:
        db.execute("BEGIN")
        try:
            for job in jobs:
                job.attempt(db)
        finally:
            db.execute("ROLLBACK")
    except DATABASE_ERRORS as exc:
        _fail(jobs, StorageFailed(f"the store could not be read: {words_of(exc)}"))


def is_store_fault(exc: sqlite3.Error) -> bool:
    """Whether disk or database failed, rather than one function or its values."""
    return _primary_code(exc) in _STORE_FAULT


def is_full(exc: Exception) -> bool:
    """Whether there was no space on the disk."""
    return _primary_code(exc) == sqlite3.SQLITE_FULL


def is_damage(exc: sqlite3.Error) -> bool:
    """Whether the file itself is not, or no longer, a database."""
    return _primary_code(exc) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def words_of(exc: Exception) -> str:
    """What went wrong, with the name that SQLite has for it."""
    return f"{exc} ({getattr(exc, 'sqlite_errorname', type(exc).__name__)})".lstrip()


def _primary_code(exc: Exception) -> int:
    code: int = getattr(exc, "sqlite_errorcode", sqlite3.SQLITE_OK)  # absent when the module itself complains
    return code & 0xFF


def _own_fault(exc: sqlite3.Error) -> Exception:
    kind = _OWN_FAULT.get(getattr(exc, "sqlite_errorcode", sqlite3.SQLITE_OK))
    return exc if kind is None else kind(str(exc))


def _fail(jobs: Sequence[Job], failure: StorageError) -> None:
    for job in jobs:
        job.error = type(failure)(*failure.args)  # one each: a raised exception collects its own traceback
        job.error.__cause__ = failure
