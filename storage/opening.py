"""How a store is opened."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from .contract import Storage
from .memory import MemoryStorage, Tables


@asynccontextmanager
async def open_storage(path: Path | None, *, inline: bool = False) -> AsyncGenerator[Storage]:
    """Give the store at `path`, or for None one in memory that is gone afterwards."""
    if path is None:
        yield MemoryStorage(Tables())
        return
    raise NotImplementedError("SQLite follows")
