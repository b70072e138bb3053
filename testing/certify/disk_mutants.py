"""Planted faults that only a cut of the power shows: something is called saved before it is on the disk."""

import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path

from ...router import spool
from ...storage.sqlite import connecting


def _synchronous_normal() -> None:
    """SQLite syncs at checkpoints only, not at commits."""
    configure = connecting._configure  # pyright: ignore[reportPrivateUsage]  # planted where it is told

    def configure_lightly(db: sqlite3.Connection) -> None:
        configure(db)
        db.execute("PRAGMA synchronous = NORMAL")

    connecting._configure = configure_lightly  # pyright: ignore[reportPrivateUsage]  # as above


def _spool_without_fsync() -> None:
    """The router's outbox writes its files as anybody would."""

    def write(path: Path, content: bytes, mode: int = 0o600) -> None:
        beside = path.with_name(f".{path.name}")
        beside.write_bytes(content)
        beside.chmod(mode)
        beside.replace(path)

    spool.write_durably = write  # type: ignore[attr-defined]  # planted where it is told


DISK_MUTANTS: Mapping[str, Callable[[], None]] = {
    "synchronous=NORMAL": _synchronous_normal,
    "spool without fsync": _spool_without_fsync,
}
