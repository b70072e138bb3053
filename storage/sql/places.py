"""Statements whose parameters are given by their places. Knows no database.

Ours name their parameters, so that who calls need not count. A driver looks for each name again every time
that a statement is run: here a statement is read once. Places have no numbers: Python 3.12 before 3.12.4
takes numbers for names, and warns of each value that it is given by place.
"""

import functools
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

import attrs

HELD_BACK = ("run_count", "history", "decision")
"""Tables of which a transaction may hold rows back, to write many at once: who names one must see them."""
_NAME = re.compile(r":([a-z_][a-z_0-9]*)")
_HELD = re.compile(rf"\b({'|'.join(HELD_BACK)})\b")


@attrs.frozen
class Placed:
    """A statement with `?` for each of its parameters, and what they were called, in this order."""

    text: str
    names: tuple[str, ...]
    pick: Callable[[Mapping[str, Any]], tuple[Any, ...]]
    """The values of these names, in this order."""
    names_held: bool
    """Whether a table of `HELD_BACK` stands in it."""


@functools.cache
def placed(statement: str) -> Placed:
    """The same statement by places; a name that stands twice has two."""
    names = tuple(_NAME.findall(statement))
    return Placed(_NAME.sub("?", statement), names, _picker(names), _HELD.search(statement) is not None)


def _picker(names: tuple[str, ...]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    if len(names) > 1:
        return operator.itemgetter(*names)
    return lambda values: tuple(values[name] for name in names)
