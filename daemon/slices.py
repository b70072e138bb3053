"""Work on many at once that leaves the loop free for others in between."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import trio

Item = TypeVar("Item")


async def by_slices(items: Sequence[Item], a_turn: int, each: Callable[[Item], None]) -> None:
    """Call `each` for every item, for `a_turn` of them in a turn of the loop.

    What is known of the later ones may change meanwhile. Cancelled: the first slices are done, no others.
    """
    for start in range(0, len(items), a_turn):
        for item in items[start : start + a_turn]:
            each(item)
        await trio.lowlevel.checkpoint()
