"""Copies of a store: made while a daemon writes on, and put into the place of a store. Blocks.

A copy says of itself that it is one (its lease's holder), so that it is refused until somebody accepts it:
whoever starts on it knows that what came after it is lost.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from ...files.durable import sync_folder
from ..errors import StorageFailed, StorageFull, StorageRefused
from ..sql import statements
from .ask import Db, do, value
from .check import check_contents, check_store
from .commit import is_store_fault
from .connecting import COPY, accept_held, connect, open_reader, translated, why_refused
from .place import Lock, beside

PAGES_A_STEP = 1024  # 4 MB: other threads come in between
PROBLEMS_NAMED = 3
KEPT = ("", "-wal", "-shm")
"""What SQLite keeps of a database, by what follows its name."""


def copy_store(path: Path, into: Path) -> None:
    """Copy the database as it is at one moment, checked and synced. The daemon that holds it goes on.

    StorageFull: no room for the copy. StorageFailed: it cannot be read. StorageRefused: it has faults, named.
    Nothing is left at `into` then.
    """
    try:
        os.close(os.open(into, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))  # it holds the keys of runs
        with closing(open_reader(path)) as source, closing(connect(str(into))) as copy:
            _copy(source, copy)
            problems = _faults(copy)
        if problems:
            raise StorageRefused(f"{path} has faults: {'; '.join(problems[:PROBLEMS_NAMED])}")
        _sync(into)
    except BaseException as exc:
        into.unlink(missing_ok=True)
        if isinstance(exc, sqlite3.Error) and is_store_fault(exc):
            raise _failure(exc) from exc
        raise


def restore_store(copy: Path, path: Path, replaced: Path) -> None:
    """Put a copy into the place of the store at `path`, as the present; what was there goes to `replaced`.

    That folder is made if there was anything. StorageRefused: a daemon holds the store, or the copy cannot be
    used; nothing has changed then. A crash in between leaves a store that is refused until it is restored
    again or accepted.
    """
    with translated(path):
        lock = Lock(path)
        try:
            _replace(copy, path, replaced)
        finally:
            lock.close()
    problems = check_store(path)
    if problems:
        raise StorageRefused(f"{path} has faults after it was restored: {'; '.join(problems)}")


def _replace(copy: Path, path: Path, replaced: Path) -> None:
    with closing(connect(f"file:{quote(str(copy))}?mode=ro", uri=True)) as db:
        refusal = why_refused(db, copy, generation=0, accepting=True)
        problems = [refusal] if refusal is not None else _faults(db)
    if problems:
        raise StorageRefused(f"the backup cannot be used: {'; '.join(problems[:PROBLEMS_NAMED])}")
    _set_aside(path, replaced)
    _sync(copy)
    copy.rename(path)
    sync_folder(path.parent)
    accept_held(path)


def _copy(source: Db, copy: Db) -> None:
    source.execute("BEGIN")
    value(source, statements.EPOCH)  # from here on it shows one moment, whatever is written meanwhile
    source.backup(copy, pages=PAGES_A_STEP)
    source.execute("ROLLBACK")
    value(copy, "PRAGMA journal_mode = DELETE")  # one file that needs no other
    do(copy, statements.NAME_HOLDER, holder=COPY)


def _faults(db: Db) -> list[str]:
    try:
        return check_contents(db)
    except sqlite3.Error as exc:
        return [f"it is damaged: {exc}"]


def _set_aside(path: Path, replaced: Path) -> None:
    files = [file for suffix in KEPT if (file := path.with_name(path.name + suffix)).exists()]
    generation = beside(path, "generation")
    if not files and not generation.exists():
        return
    replaced.mkdir(mode=0o700)
    for file in files:
        file.rename(replaced / file.name)
    if generation.exists():  # stays as well: it is why nothing older can pass
        (replaced / generation.name).write_bytes(generation.read_bytes())
    sync_folder(replaced)
    sync_folder(path.parent)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _failure(exc: sqlite3.Error) -> Exception:
    if exc.sqlite_errorcode & 0xFF == sqlite3.SQLITE_FULL:
        return StorageFull(f"no room for a copy of the store: {exc}")
    return StorageFailed(f"the store could not be copied: {exc} ({exc.sqlite_errorname})")
