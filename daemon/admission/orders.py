"""Which free unit comes first. Pure: a rank is fixed when a row is made, so that choosing costs nothing."""

import enum
import hashlib
from collections.abc import Mapping
from typing import Any

RANK_BITS = 62  # what an integer column holds, positive, with room
RANK_MAX = 2**RANK_BITS - 1


class Order(enum.Enum):
    """`[choice] order`: what the free units of a run are given out by; RANKED: by the author's code."""

    FIFO = "fifo"
    RANDOM = "random"
    LEAST_COVERED = "least_covered"
    PRIORITY = "priority"
    RANKED = "ranked"


class OrderFault(ValueError):
    """A row has no usable priority."""


def random_rank(seed: int, row: int, unit_index: int) -> int:
    """The place of a unit in a shuffled order: the same seed gives the same order, also after a restart."""
    digest = hashlib.sha256(f"{seed}:{row}:{unit_index}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> (64 - RANK_BITS)


def priority_rank(column: str, data: Mapping[str, Any]) -> int:
    """Smaller numbers come first. OrderFault: the column is missing, or no whole number in range."""
    value = data.get(column)
    if isinstance(value, str):
        value = _number(value)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > RANK_MAX:
        raise OrderFault(f"{column!r} must be a whole number: it is the row's priority")
    return value


def _number(letters: str) -> int | None:
    """Data from CSV is text."""
    try:
        return int(letters)
    except ValueError:
        return None
