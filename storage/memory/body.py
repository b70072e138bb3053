"""How the memory body runs a transaction: one checkpoint, then all of it without an await, or nothing."""

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

import attrs
import trio

from ..contract import Storage
from ..errors import LeaseLost
from ..records import HistoryEntry
from ..rows import fresh
from .tables import Tables

R = TypeVar("R")


class MemoryBody(Storage):
    """Storage in dicts. Opened again over the same tables it goes on, and the former holder is fenced off."""

    def __init__(self, tables: Tables) -> None:
        tables.epoch += 1
        self._tables = tables
        self.epoch = tables.epoch

    @asynccontextmanager
    async def _write(self) -> AsyncGenerator[Tables]:
        """The block stages; what it staged is applied at its end, or forgotten when it raises."""
        await trio.lowlevel.checkpoint()
        self._refuse_if_taken()
        try:
            yield self._tables
        except BaseException:
            self._tables.forget()
            raise
        self._tables.apply()

    def _refuse_if_taken(self) -> None:
        if self._tables.epoch != self.epoch:
            raise LeaseLost(f"epoch {self._tables.epoch} has taken this store from epoch {self.epoch}")

    async def _read(self) -> Tables:
        await trio.lowlevel.checkpoint()
        return self._tables


def note(tables: Tables, *entries: HistoryEntry) -> None:
    """Append to the history."""
    for entry in entries:
        number = tables.history.next_id()
        tables.history.put(number, attrs.evolve(entry, id=number))


def copies(records: Iterable[R]) -> list[R]:
    """Records to hand out."""
    return [fresh(record) for record in records]


def page(records: Sequence[R], after: int, limit: int) -> list[R]:
    """The next `limit` records with an id above `after`, to hand out."""
    ordered = sorted(records, key=_id)
    return copies([record for record in ordered if _id(record) > after][:limit])


def _id(record: object) -> int:
    number: int = getattr(record, "id")  # noqa: B009 - the records that come here have one
    return number
