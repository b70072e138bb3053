"""The rows of a run, one source after another: those of its blueprint, then of each file staff added."""

from collections import deque
from collections.abc import Callable, Iterator

from .blueprints.contract import Row

MakeRows = Callable[[], Iterator[Row]]
"""Begins a source; it is called, and its rows are taken, in a thread."""


class RowSource(Iterator[Row]):
    """Goes on when a source is added after its end: whoever found it empty may ask again.

    Rows are taken in one thread at a time; `add` may come from another.
    """

    def __init__(self, *sources: MakeRows) -> None:
        self._sources = deque(sources)
        self._rows: Iterator[Row] = iter(())
        self._begun = 0

    def add(self, source: MakeRows) -> None:
        """Its rows come after all others."""
        self._sources.append(source)

    @property
    def has_more(self) -> bool:
        """Whether there is a source of which no row was taken yet."""
        return bool(self._sources)

    @property
    def is_at_first(self) -> bool:
        """Whether its first source has not ended yet, as far as is known."""
        return self._begun <= 1

    def __next__(self) -> Row:
        while True:
            row = next(self._rows, None)
            if row is not None:
                return row
            try:
                source = self._sources.popleft()
            except IndexError:
                raise StopIteration from None
            self._rows = source()
            self._begun += 1
