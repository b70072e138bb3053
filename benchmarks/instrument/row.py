"""A row of the table: something of ours, the baseline beside it, and the bounds of their ratios."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TypeVar

import attrs

from .sample import Figure, Sample

Measure = Callable[[], Awaitable[Sample]]
"""Does some of the work, and says what it cost."""
T = TypeVar("T")


@attrs.frozen
class Bound:
    """Ours may be (or must at least be) so many times the baseline in this figure."""

    figure: Figure
    ratio: float
    at_least: bool = False

    def holds(self, ratio: float) -> bool:
        """Whether a ratio keeps to it."""
        return ratio >= self.ratio if self.at_least else ratio <= self.ratio


def at_most(figure: Figure, ratio: float) -> Bound:
    """Less is better."""
    return Bound(figure, ratio)


def at_least(figure: Figure, ratio: float) -> Bound:
    """More is better."""
    return Bound(figure, ratio, at_least=True)


@attrs.frozen
class Recorded:
    """A baseline that was measured another time, on a machine of this kind: no round of ours meets it."""

    figures: Mapping[Figure, float]


@attrs.frozen
class Sides:
    """What is measured in turns."""

    ours: Measure
    baseline: Measure | Recorded
    servers: Mapping[str, int] = attrs.Factory(dict[str, int])
    """The processes of ours that do the work, by name: whose profile can be taken."""


@attrs.frozen
class Setting:
    """Where a row is set up."""

    folder: Path
    """Its own, empty; removed afterwards."""
    small: bool
    """Only to see that everything works: seconds instead of minutes."""
    tell: Callable[[str], None]
    """Says to who waits what goes on."""

    def size(self, full: T, small: T) -> T:
        """The one that is meant."""
        return small if self.small else full


Open = Callable[[Setting], AbstractAsyncContextManager[Sides]]


@attrs.frozen
class Row:
    """One comparison."""

    name: str
    what: str
    baseline: str
    """In words."""
    bounds: tuple[Bound, ...]
    open: Open
    """Sets both sides up; what it started is ended when the block is left."""
    turns: int = 2
    """How often each side is measured in a round, in changing order."""
