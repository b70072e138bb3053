"""What a transaction holds back until just before its COMMIT. Knows no SQL and no connection.

Of many transactions that share one, each would write the counts of the same run anew, and a row or two of the
same tables: held back, they are written once, and many at a time.
"""

from collections.abc import Iterator, Sequence
from typing import Any


class Held:
    """Counts that grew, and new rows that nobody has a number of."""

    def __init__(self) -> None:
        self._counts: dict[int, dict[tuple[str, str], int]] = {}
        self.rows: dict[type, list[Sequence[Any]]] = {}
        """By class of record; their values stand as in `new_values`."""

    def __bool__(self) -> bool:
        return bool(self._counts or self.rows)

    def count(self, run_id: int, kind: str, status: str, number: int) -> None:
        """So many more units or agents of a run are in this status."""
        of_run = self._counts.setdefault(run_id, {})
        key = kind, status
        of_run[key] = of_run.get(key, 0) + number

    def counted(self, run_id: int) -> dict[tuple[str, str], int]:
        """By how much the counts of a run differ from what is written, by kind and status."""
        return self._counts.get(run_id, {})

    def counts(self) -> Iterator[tuple[int, str, str, int]]:
        """All that differ: run, kind, status, and by how much."""
        for run_id, of_run in self._counts.items():
            for (kind, status), number in of_run.items():
                if number:
                    yield run_id, kind, status, number
