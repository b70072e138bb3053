"""Whether this opening still holds the store, in memory."""

from .body import MemoryBody


class MemoryLease(MemoryBody):
    """What `Storage` says about its lease."""

    async def check_lease(self) -> None:
        await self._read()
        self._refuse_if_taken()

    async def renew_lease(self) -> None:
        async with self._write():
            pass  # every write checks the lease, and here is nothing else to write
