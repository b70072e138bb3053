"""What was noted last of each of many, within a limit. Pure."""

from collections.abc import Sequence
from itertools import islice
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")
_PART = 64  # of a full table is dropped at once: to find its oldest, Python steps over all that were dropped


class Newest(dict[K, V]):
    """By key, the longest unchanged first; written by `note` only. Of more than `most` the oldest go."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def note(self, key: K, value: V) -> Sequence[K]:
        """This is the newest now; returns whose was dropped for it."""
        self.pop(key, None)
        self[key] = value
        return self._drop() if len(self) > self._most else ()

    def _drop(self) -> Sequence[K]:
        oldest = list(islice(self, 1 + self._most // _PART))
        for key in oldest:
            del self[key]
        return oldest
