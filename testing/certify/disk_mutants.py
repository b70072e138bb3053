"""Planted faults that only a cut of the power shows: something is called saved before it is on the disk."""

import sqlite3
from collections.abc import Callable, Mapping

from ...storage.sqlite import connecting


def synchronous_normal() -> None:
    """SQLite syncs at checkpoints only, not at commits."""
    configure = connecting._configure  # pyright: ignore[reportPrivateUsage]  # planted where it is told

    def configure_lightly(db: sqlite3.Connection) -> None:
        configure(db)
        db.execute("PRAGMA synchronous = NORMAL")

    connecting._configure = configure_lightly  # pyright: ignore[reportPrivateUsage]  # as above


DISK_MUTANTS: Mapping[str, Callable[[], None]] = {"synchronous=NORMAL": synchronous_normal}
