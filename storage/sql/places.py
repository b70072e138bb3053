"""Statements whose parameters are given by their places. Knows no database.

Ours name their parameters, so that who calls need not count. A driver looks for each name again every time
that a statement is run: here a statement is read once.
"""

import functools
import re

import attrs

_NAME = re.compile(r":([a-z_][a-z_0-9]*)")


@attrs.frozen
class Placed:
    """A statement with `?1`, `?2` for its parameters, and what they were called, in this order."""

    text: str
    names: tuple[str, ...]


@functools.cache
def placed(statement: str) -> Placed:
    """The same statement by places; a name that stands twice has one place."""
    names = tuple(dict.fromkeys(_NAME.findall(statement)))
    return Placed(_NAME.sub(lambda found: f"?{names.index(found[1]) + 1}", statement), names)
