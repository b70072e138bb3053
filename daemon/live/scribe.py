"""Stores the turns of all pieces of a stage: what comes while a transaction is under way goes into the next.

A turn is whole or not at all, and one that cannot be stored fails alone. Its states: waiting → taken up →
through (stored, or refused for what is in it). A full disk, a lost store and the scribe's own end leave what
was taken up waiting again. Whoever waits for a turn may be cancelled: while it waits it is withdrawn, and
nothing of it is stored; once it is taken up they wait until it is through, and it is stored.
"""

from collections.abc import Iterable, Sequence
from itertools import chain

import attrs
import trio

from ...storage.contract import Storage
from ...storage.errors import LeaseLost, StorageFailed, StorageFull
from ..causes import causes
from ..full_disk import with_space
from .ledger import Turn

ROWS_MAX = 2048  # stored in one transaction; more would make the first of them wait for the last


@attrs.define(eq=False)
class _Asked:
    """A turn that somebody waits for."""

    turn: Turn
    through: trio.Event = attrs.Factory(trio.Event)
    refused: Exception | None = None
    is_left: bool = False
    """Whether who waited for it was cancelled, and only waits for what was taken up."""


class Scribe:
    """One per stage. Cancelled it leaves in storage what it had committed, whole turns."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._waiting: dict[_Asked, None] = {}
        self._woken = trio.Event()

    async def store(self, turn: Turn) -> None:
        """Return once it is stored, with what it says. Duplicate, InvalidRecord: nothing of it is."""
        asked = _Asked(turn)
        self._waiting[asked] = None
        self._woken.set()
        try:
            await asked.through.wait()
        except trio.Cancelled:
            await self._leave(asked)
            raise
        if asked.refused is not None:
            raise asked.refused

    async def _leave(self, asked: _Asked) -> None:
        if asked in self._waiting:
            del self._waiting[asked]
            return
        asked.is_left = True
        with trio.CancelScope(shield=True):  # for as long as one transaction takes
            await asked.through.wait()

    async def serve(self) -> None:
        """Store what comes until cancelled. LeaseLost, StorageFailed."""
        while True:
            await self._woken.wait()
            self._woken = trio.Event()
            while self._waiting:
                await with_space("live work", self._store)

    async def _store(self) -> None:
        taken = self._take_up()
        try:
            await self._write(taken)
        finally:  # what is still there now: a full disk, a lost store, or the end
            self._put_back(taken)

    def _take_up(self) -> dict[_Asked, None]:
        taken, rows = dict[_Asked, None](), 0
        for asked in [*self._waiting]:
            if rows >= ROWS_MAX:
                break
            del self._waiting[asked]
            taken[asked] = None
            rows += asked.turn.rows
        return taken

    def _put_back(self, taken: dict[_Asked, None]) -> None:
        for asked in taken:
            if asked.is_left:
                asked.through.set()
        self._waiting = {asked: None for asked in taken if not asked.is_left} | self._waiting

    async def _write(self, taken: dict[_Asked, None]) -> None:
        """All in one transaction; when something in them is refused, each in its own."""
        try:
            await self._add(taken)
        except Exception as exc:
            if not _is_refusal(exc):
                raise
            for asked in [*taken]:
                await self._write_alone(asked)
                _is_through(taken, [asked])
        else:
            _is_through(taken, [*taken])

    async def _write_alone(self, asked: _Asked) -> None:
        try:
            await self._add([asked])
        except Exception as exc:
            if not _is_refusal(exc):
                raise
            asked.refused = exc

    async def _add(self, taken: Iterable[_Asked]) -> None:
        turns = [asked.turn for asked in taken]
        updates = chain.from_iterable(turn.updates for turn in turns)
        entries = chain.from_iterable(turn.entries for turn in turns)
        await self._storage.add_live([*updates], [*entries])


def _is_refusal(error: Exception) -> bool:
    """Whether what was to be stored is at fault, and not the store."""
    return not any(isinstance(cause, LeaseLost | StorageFailed | StorageFull) for cause in causes(error))


def _is_through(taken: dict[_Asked, None], those: Sequence[_Asked]) -> None:
    for asked in those:
        del taken[asked]
        asked.through.set()
