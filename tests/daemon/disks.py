"""A store whose disk fills up or fails when a test says so; what was stored outlives every opening."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import attrs
import trio

from crowdd.storage.contract import Storage
from crowdd.storage.errors import StorageFailed, StorageFull
from crowdd.storage.memory import MemoryStorage, Tables


@attrs.define
class Disk:
    """A store in memory that has no room while `full`; `fail` makes what is open fail for good."""

    full: bool = False
    slow_s: float = 0.0
    """So long does each write take from now on."""
    tables: Tables = attrs.Factory(Tables)
    opened: "OnDisk | None" = None

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Storage, None]:
        self.opened = OnDisk(self)
        yield self.opened

    def fail(self) -> None:
        """The disk fails for whoever has the store open now; opened anew it is whole again."""
        assert self.opened is not None
        self.opened.failed = True


class OnDisk(MemoryStorage):
    def __init__(self, disk: Disk) -> None:
        super().__init__(disk.tables)
        self._disk = disk
        self.failed = False

    @asynccontextmanager
    async def _write(self) -> AsyncGenerator[Tables]:
        await trio.sleep(self._disk.slow_s)
        self._fail_if_told()
        if self._disk.full:
            raise StorageFull("no space left")
        async with super()._write() as tables:
            yield tables

    async def _read(self) -> Tables:
        tables = await super()._read()
        self._fail_if_told()
        return tables

    def _fail_if_told(self) -> None:
        if self.failed:
            raise StorageFailed("the store failed: disk I/O error")
