"""Whether this opening still holds the store, in SQLite."""

from ..errors import LeaseLost, StorageFailed
from ..sql import statements
from .ask import Db, do, value
from .body import SqliteBody


class SqliteLease(SqliteBody):
    """What `Storage` says about its lease."""

    async def check_lease(self) -> None:
        if self._engine.failed is not None:
            raise StorageFailed(self._engine.failed)
        present = await self._engine.read(_epoch)
        if present != self.epoch:
            raise LeaseLost(f"epoch {present} has taken this store from epoch {self.epoch}")

    async def renew_lease(self) -> None:
        await self._engine.write(do, statements.RENEW_LEASE)


def _epoch(db: Db) -> int:
    epoch: int = value(db, statements.EPOCH)
    return epoch
