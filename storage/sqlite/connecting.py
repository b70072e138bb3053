"""How the file is opened: refused with a remedy unless it is ours and whole; migrated; taken by a lease."""

import errno
import os
import secrets
import shutil
import socket
import sqlite3
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import attrs

from ..errors import StorageFailed, StorageRefused
from ..sql import statements
from ..sql.schema import MIGRATIONS, Migration
from .ask import Db, do, value
from .checkpointing import LOG_BYTES_KEPT, WriteAheadLog
from .commit import Job, Writer, is_damage, is_store_fault
from .place import Lock, read_generation, write_generation

APPLICATION_ID = 0x63724464  # "crDd": says in the file's header whose it is
BUSY_TIMEOUT_S = 10.0  # only a foreign writer makes ours wait; one this slow is a failure
CACHED_STATEMENTS = 512  # more than we have
COPY = "backup"
"""Who holds the lease of a copy: nobody could be called that, holders have a number."""
EPOCHS_SKIPPED = 1_000_000  # more starts than any store has seen
OnStep = Callable[[int, int], None]
"""Hears, before each step of a migration, which one begins and how many there are."""
DIALECT = {
    "serial": "INTEGER PRIMARY KEY",
    "serial_once": "INTEGER PRIMARY KEY AUTOINCREMENT",
    "bytes": "BLOB",
    "keyed": "WITHOUT ROWID",
}


@attrs.define(eq=False)
class HeldWriter(Writer):
    """The writer of a database file, and the lock that makes it the only one."""

    lock: Lock | None = None
    log: WriteAheadLog | None = None

    def carry_out(self, jobs: Sequence[Job]) -> None:
        """As every writer; what grew the log is brought into the database now and then."""
        super().carry_out(jobs)
        if self.log is not None and self.failed is None and self.log.is_due():
            self._note_checkpoint()

    def close(self) -> None:
        """Checkpoint, close the connection, let go of the lock. StorageFailed: the disk failed now."""
        was_whole = self.failed is None
        if self.log is not None and was_whole:
            self._note_checkpoint()
        self.db.close()
        if self.lock is not None:
            self.lock.close()
        if self.failed is not None and was_whole:
            raise StorageFailed(self.failed)

    def _note_checkpoint(self) -> None:
        """What was committed is safe in the log: a failure here is for the next who write."""
        assert self.log is not None
        trouble = self.log.checkpoint(self.db)
        if trouble is not None:
            self.failed = f"the store failed: {trouble}"


def open_writer(path: Path | None, on_step: OnStep | None = None) -> HeldWriter:
    """Open the database for writing, making it if it is not there; None: one in memory.

    StorageRefused, with the remedy, when it is held, damaged, foreign, too new, older than its generation, or
    not ours to write. StorageFailed: the disk fails or is full; nothing was changed.
    """
    if path is None:
        return _take(connect(":memory:"), None, None)
    if not path.parent.is_dir():
        raise StorageRefused(f"the folder {path.parent} does not exist: make it, or give another path")
    with translated(path):
        lock = Lock(path)
        try:
            generation = read_generation(path)
            db = _open_file(path, generation, on_step)
            try:
                held = _take(db, lock, path)
                write_generation(path, held.epoch)
            except BaseException:
                db.close()
                raise
            return held
        except BaseException:
            lock.close()
            raise


@contextmanager
def translated(path: Path) -> Generator[None]:
    """What keeps the database from being opened: a disk that fails or is full, or that it is not ours."""
    try:
        yield
    except OSError as exc:
        if exc.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise StorageRefused(_not_ours(path, exc.strerror)) from exc
        raise StorageFailed(_fails(path, exc.strerror or str(exc))) from exc
    except sqlite3.Error as exc:
        if not is_store_fault(exc):
            raise
        if path.exists() and not os.access(path, os.R_OK | os.W_OK):
            raise StorageRefused(_not_ours(path, str(exc))) from exc
        raise StorageFailed(_fails(path, str(exc))) from exc


def _fails(path: Path, why: str) -> str:
    room = shutil.disk_usage(path.parent).free
    return (
        f"{path} cannot be opened now: {why}. Nothing was changed. Its disk has {room / 1e6:.1f} MB free: "
        "make room, or look at the disk, and start again"
    )


def _not_ours(path: Path, why: str | None) -> str:
    return (
        f"{path} cannot be written by this user (uid {os.geteuid()}): {why}. Its folder belongs to uid "
        f"{path.parent.stat().st_uid}: start as that user, or give all in it to this one (chown -R)"
    )


def connect(name: str, uri: bool = False) -> Db:
    """A connection in which statements commit by themselves unless a transaction is begun."""
    return sqlite3.connect(
        name,
        uri=uri,
        timeout=BUSY_TIMEOUT_S,
        isolation_level=None,
        cached_statements=CACHED_STATEMENTS,
        factory=Db,
    )


def open_reader(path: Path) -> Db:
    """Open the database for reading only. Such a connection never checkpoints."""
    db = connect(f"file:{quote(str(path))}?mode=ro", uri=True)
    db.execute("PRAGMA query_only = ON")
    return db


def accept(path: Path) -> None:
    """Take this copy of a database for the present, though its generation is lower than what is known.

    Its next epoch will be above every earlier one, so routers and daemons of the lost present are fenced off.
    StorageRefused when there is no file, or it is held or damaged; StorageFailed: the disk.
    """
    if not path.is_file():
        raise StorageRefused(f"there is no file {path}: put the copy there first")
    with translated(path):
        lock = Lock(path)
        try:
            accept_held(path)
        finally:
            lock.close()


def accept_held(path: Path) -> None:
    """The same for who holds the lock."""
    try:
        known = read_generation(path)
    except StorageRefused:
        known = 0
    db = _open_file(path, generation=0, accepting=True)
    try:
        # How high the lost present got is not known where it was on another machine, and no router may meet
        # an epoch twice.
        epoch = max(known, _epoch(db)) + EPOCHS_SKIPPED + secrets.randbelow(EPOCHS_SKIPPED)
        do(db, statements.TAKE_LEASE, epoch=epoch, holder=_myself())
    finally:
        db.close()
    write_generation(path, epoch)


def why_refused(db: Db, path: Path, generation: int, *, accepting: bool = False) -> str | None:
    """What speaks against using this database, with the remedy; None when nothing does.

    `accepting`: that it is a copy does not.
    """
    try:
        version: int = value(db, "PRAGMA user_version")
        application: int = value(db, "PRAGMA application_id")
        empty = value(db, "SELECT COUNT(*) FROM sqlite_master") == 0
        ours = application == APPLICATION_ID and not empty
        epoch, holder = (_epoch(db), value(db, statements.HOLDER)) if ours else (0, None)
    except sqlite3.Error as exc:
        if not is_damage(exc):
            raise  # a disk that is full or fails says nothing about the file
        return (
            f"{path} is damaged, or no database: {exc}. Keep the file, put the newest backup in its place, "
            f"and accept that with: {_accept(path)}"
        )
    fresh = empty and application == 0 and version == 0
    if application != APPLICATION_ID and not fresh:
        return f"{path} is a database of another program. Give the path of a crowdd store, or of a new file."
    if version > len(MIGRATIONS):
        return (
            f"{path} was written by a newer crowdd: it has schema {version}, this one knows up to "
            f"{len(MIGRATIONS)}. Install that version again, or restore a backup from before it."
        )
    if holder == COPY and not accepting:
        return (
            f"{path} is a backup: what came after it is missing. Restore it with crowdd storage restore; or, "
            f"if it is where it belongs, accept it with: {_accept(path)}"
        )
    if epoch < generation:
        return (
            f"{path} is older than what was in its place: its epoch is {epoch}, its generation file says "
            f"{generation}. If a backup was restored on purpose, accept it with: {_accept(path)}"
        )
    return None


def migrate(
    db: sqlite3.Connection, migrations: Sequence[Migration] = MIGRATIONS, on_step: OnStep | None = None
) -> None:
    """Take every step that was not taken yet, each in a transaction: interrupted, it goes on next time.

    `on_step` hears of each before it begins, but not of those that make a new store.
    """
    done: int = db.execute("PRAGMA user_version").fetchone()[0]
    for number, migration in enumerate(migrations[done:], done + 1):
        if done and on_step is not None:
            on_step(number, len(migrations))
        db.execute("BEGIN IMMEDIATE")
        try:
            for statement in migration.statements:
                db.execute(statement.format(**DIALECT))
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {number}")
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise


def _open_file(path: Path, generation: int, on_step: OnStep | None = None, *, accepting: bool = False) -> Db:
    """Connect, refuse or configure, migrate. The lock must be held."""
    if not path.exists():
        if generation:
            raise StorageRefused(
                f"{path} is missing, but was here: its generation file says {generation}. Put a backup in "
                f"its place and accept that with: {_accept(path)}; or remove the generation "
                "file to begin with an empty store."
            )
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))  # it will hold the keys of runs
    db = connect(str(path))
    try:
        refusal = why_refused(db, path, generation, accepting=accepting)
        if refusal is not None:
            raise StorageRefused(refusal)
        _configure(db)
        migrate(db, on_step=on_step)
    except BaseException:
        db.close()
        raise
    return db


def _configure(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA journal_mode = WAL").fetchone()
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA foreign_keys = ON")
    # SQLite's own checkpoints keep their errors to themselves: see `checkpointing`.
    db.execute("PRAGMA wal_autocheckpoint = 0")
    db.execute(f"PRAGMA journal_size_limit = {LOG_BYTES_KEPT}").fetchone()


def _take(db: Db, lock: Lock | None, path: Path | None) -> HeldWriter:
    if lock is None:
        db.execute("PRAGMA foreign_keys = ON")
        migrate(db)
    epoch = _epoch(db) + 1
    do(db, statements.TAKE_LEASE, epoch=epoch, holder=_myself())
    return HeldWriter(db, epoch, lock=lock, log=None if path is None else WriteAheadLog(path))


def _epoch(db: Db) -> int:
    epoch: int | None = value(db, statements.EPOCH)
    return epoch or 0


def _accept(path: Path) -> str:
    return f"crowdd storage accept --data {path.parent}"


def _myself() -> str:
    return f"{os.getpid()}@{socket.gethostname()}"
