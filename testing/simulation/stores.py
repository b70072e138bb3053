"""Stores of the simulated world: what outlives a daemon's life, opened again for the next one."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from ...storage import open_storage
from ...storage.contract import Storage
from ...storage.memory import MemoryStorage, Tables

OpenStore = Callable[[], AbstractAsyncContextManager[Storage]]
"""Opens the store for one life of the daemon; a crash cancels the block."""
MakeStore = Callable[[Path], OpenStore]
"""Makes a store, in this folder if it needs one."""


def memory_store(folder: Path) -> OpenStore:
    """Records in dicts."""
    tables = Tables()

    @asynccontextmanager
    async def opened() -> AsyncGenerator[Storage, None]:
        yield MemoryStorage(tables)

    return opened


def sqlite_store(folder: Path) -> OpenStore:
    """SQLite on disk, called inline: a thread would be jumped over by the virtual clock."""
    return lambda: open_storage(folder / "crowdd.db", inline=True)
