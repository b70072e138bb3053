"""Reads lists that may be long a page at a time, so that nobody waits long for any of them."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, Protocol, TypeVar

Row = TypeVar("Row")

PAGE = 1000


class Pages(Protocol[Row]):
    """A method of `Storage` that gives at most `limit` records above `after`, the rest of it filled in."""

    def __call__(self, *, after: int, limit: int) -> Awaitable[list[Row]]: ...


def number_of(row: Any) -> int:
    """What most records are ordered by."""
    number: int = row.id
    return number


async def every(
    read: Pages[Row], place: Callable[[Row], int] = number_of, after: int = 0
) -> AsyncGenerator[Row]:
    """Each record above `after`, in the order of its `place`."""
    while rows := await read(after=after, limit=PAGE):
        for row in rows:
            yield row
        if len(rows) < PAGE:
            return
        after = place(rows[-1])
