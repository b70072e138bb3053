"""How a store is opened: which body, from where it is to be kept."""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from .contract import Storage
from .memory import MemoryStorage, Tables
from .sqlite import OnCommit, OnStep, SqliteStorage, open_inline, open_threads

log = logging.getLogger(__name__)

IN_MEMORY = Path(":memory:")


@asynccontextmanager
async def open_storage(
    path: Path | None,
    *,
    inline: bool = False,
    on_commit: OnCommit | None = None,
    on_step: OnStep | None = None,
) -> AsyncGenerator[Storage]:
    """Give the store at `path`; it belongs to this process until the block is left.

    None: dicts in memory. `inline`: SQLite in the caller's own task, for simulation under a virtual clock,
    where threads would be jumped over; it may also be `IN_MEMORY`.
    Of a store on threads `on_commit` hears of the commits, `on_step` of its migration, on the writing one.
    Raises StorageRefused, with the remedy, when the store must not be opened.
    """
    if path is None:
        yield MemoryStorage(Tables())
    elif inline:
        async with open_inline(None if path == IN_MEMORY else path) as engine:
            yield SqliteStorage(engine)
    else:
        async with open_threads(path, on_commit, on_step) as threads:
            log.info("the store %s is open", path)
            yield SqliteStorage(threads)
        log.info("the store is closed")
