"""The items of a generator by number: what `screening_units` yields, the same after a restart."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import trio

from ..user_code import UserCode, UserCodeFailed

ITEMS_KEPT_MAX = 256  # of those made already; one further back is made again from the start


class ItemSource:
    """Asks a generator only as far as it is wanted. Items after a restart must be the same again."""

    def __init__(self, make: Callable[[], Iterable[Any]], user_code: UserCode) -> None:
        self._make = make
        self._user_code = user_code
        self._lock = trio.Lock()
        self._items: Iterator[Any] | None = None
        self._made: dict[int, Any] = {}
        self._next = 0

    async def item(self, number: int, limit_s: float) -> Any:
        """The item with this number, from 0; None when there are fewer. UserCodeFailed.

        Takes at most twice the limit: for its turn, and for the item. Cancelled or failed: the next call
        begins anew.
        """
        try:
            with trio.fail_after(limit_s):
                await self._lock.acquire()
        except trio.TooSlowError:
            raise UserCodeFailed(f"an item asked for before is not there after {limit_s:g} s") from None
        try:
            if number not in self._made:
                await self._go_on(number, limit_s)
            return self._made.get(number)
        finally:
            self._lock.release()

    async def _go_on(self, number: int, limit_s: float) -> None:
        items, first = self._items, self._next
        if items is None or first > number:
            items, first = iter(()), 0
            self._made.clear()
        fresh = self._items is None or first == 0
        self._items = None  # whoever is cancelled in the next line leaves a generator that is in use
        made, items = await self._user_code.run_sync(
            _taken, self._make if fresh else None, items, number + 1 - first, limit_s=limit_s
        )
        self._items, self._next = items, first + len(made)
        self._made.update(enumerate(made, first))
        for old in [kept for kept in self._made if kept < self._next - ITEMS_KEPT_MAX]:
            del self._made[old]


def _taken(
    make: Callable[[], Iterable[Any]] | None, items: Iterator[Any], count: int
) -> tuple[list[Any], Iterator[Any]]:
    items = items if make is None else iter(make())
    return list(itertools.islice(items, count)), items
