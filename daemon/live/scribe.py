"""Stores the turns of all pieces of a stage: what comes while a transaction is under way goes into the next.

A piece that has something to be stored says so, and hands it over when a transaction begins: one turn, whole
or not at all. One that is refused for what is in it fails alone. A full disk gives back what was handed over,
to be tried again; so do a lost store and the scribe's own end, after which nobody tries.
"""

from collections.abc import Collection, Sequence
from itertools import chain
from typing import Protocol

import trio

from ...storage.contract import Storage
from ...storage.errors import LeaseLost, StorageFailed, StorageFull
from ..causes import causes
from ..full_disk import with_space
from .ledger import Turn

ROWS_MAX = 2048  # stored in one transaction; more would make the first of them wait for the last


class Author(Protocol):
    """Whose turns are stored. Nothing here waits."""

    def hand_over(self) -> Turn:
        """What is to be stored now."""
        ...

    def take_back(self, turn: Turn) -> None:
        """It was not stored: it belongs to the next that is handed over."""
        ...

    def is_stored(self, turn: Turn) -> None:
        """It is."""
        ...

    def is_refused(self, error: Exception) -> None:
        """Nothing of what was handed over is stored, nor ever will be: Duplicate, InvalidRecord."""
        ...


class Outlet(Protocol):
    """Where it is said that something is stored, and what is sent then: the link to a router."""

    def gather(self) -> None:
        """What is said from now on may wait for `flush`."""
        ...

    def flush(self) -> None:
        """All of it goes now."""
        ...


class Scribe:
    """One per stage. Cancelled it leaves in storage what it had committed, whole turns."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._waiting: dict[Author, None] = {}
        self._taken: dict[Author, Turn] = {}
        self._leaving: set[Author] = set()
        self._outlets: Sequence[Outlet] = ()
        self._woken, self._through = trio.Event(), trio.Event()

    def wants(self, author: Author) -> None:
        """The author has something to be stored."""
        if author not in self._waiting:
            self._waiting[author] = None
            self._woken.set()

    async def leave(self, author: Author) -> None:
        """Return once nothing of the author's is under way. What it did not hand over yet is not stored."""
        self._waiting.pop(author, None)
        self._leaving.add(author)
        try:
            with trio.CancelScope(shield=True):  # for as long as one transaction takes
                while author in self._taken:
                    await self._through.wait()
        finally:
            self._leaving.discard(author)

    async def serve(self, outlets: Sequence[Outlet] = ()) -> None:
        """Store what comes until cancelled. LeaseLost, StorageFailed."""
        self._outlets = outlets
        while True:
            while not self._waiting:  # who was taken up since it woke us does not wake us again
                self._woken = trio.Event()
                await self._woken.wait()
            # User code that was given something a moment ago says first what it has to say to it.
            await trio.lowlevel.checkpoint()
            await with_space("live work", self._store)

    async def _store(self) -> None:
        self._take_up()
        try:
            await self._write()
        finally:  # what is still there now: a full disk, a lost store, or the end
            self._put_back()
            self._through.set()
            self._through = trio.Event()

    def _take_up(self) -> None:
        rows = 0
        for author in [*self._waiting]:
            if rows >= ROWS_MAX:
                break
            del self._waiting[author]
            turn = self._taken[author] = author.hand_over()
            rows += turn.rows

    def _put_back(self) -> None:
        for author, turn in self._taken.items():
            author.take_back(turn)
        left = {author: None for author in self._taken if author not in self._leaving}
        self._taken = {}
        self._waiting = left | self._waiting

    async def _write(self) -> None:
        """All in one transaction; when something in them is refused, each in its own."""
        try:
            await self._add(self._taken.values())
        except Exception as exc:
            if not _is_refusal(exc):
                raise
            for author in [*self._taken]:
                await self._write_alone(author)
        else:
            self._all_through()

    def _all_through(self) -> None:
        """What follows from it goes out in this turn of the loop: who waits has waited for the disk."""
        for outlet in self._outlets:
            outlet.gather()
        try:
            for author in [*self._taken]:
                self._is_through(author)
        finally:
            for outlet in self._outlets:
                outlet.flush()

    async def _write_alone(self, author: Author) -> None:
        try:
            await self._add([self._taken[author]])
        except Exception as exc:
            if not _is_refusal(exc):
                raise
            del self._taken[author]
            self._waiting.pop(author, None)
            author.is_refused(exc)
        else:
            self._is_through(author)

    def _is_through(self, author: Author) -> None:
        author.is_stored(self._taken.pop(author))

    async def _add(self, turns: Collection[Turn]) -> None:
        updates = [*chain.from_iterable(turn.updates for turn in turns)]
        entries = [*chain.from_iterable(turn.entries for turn in turns)]
        if updates or entries:
            await self._storage.add_live(updates, entries)


def _is_refusal(error: Exception) -> bool:
    """Whether what was to be stored is at fault, and not the store."""
    return not any(isinstance(cause, LeaseLost | StorageFailed | StorageFull) for cause in causes(error))
