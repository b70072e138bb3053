"""Bounds how long Python's search for garbage holds up a loop. Knows no loop; the settings are the process's.

Only what is in a reference cycle needs the search, everything else goes with its last reference; agents and
requests of ours make no cycles that live long. Left alone, Python looks through all that lives whenever a
quarter of it is new: 0.4 s among 10,000 agents. Here only `look` goes beyond the newest objects, through what
has come since the last look. What is still there then is set aside, and is looked through again, with all
that lives, only once garbage among it could be felt: when very much was set aside, or the process has grown
by much, for an author's few objects may hold megabytes each. One longer stall then.
"""

import gc
import resource
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

NEWEST = 2_000  # objects: when there are so many more, those are looked through, once
NEVER = 1_000_000_000  # as a number of turns
LOOK_S = 0.1  # between two looks: as much as comes meanwhile is looked through at once
LOOK_TURNS = 5  # of the newest; below, a look does nothing: 10,000 objects take some 3 ms
ASIDE_MIN = 5_000  # fewer are looked through again with the next
UNSEEN_MAX = 5_000_000  # set aside since all was looked through: as of 45,000 agents of live work
GROWN_BYTES_MAX = 256 * 1024 * 1024  # since all was looked through; 10,000 such agents take less

_SIZES = Path("/proc/self/statm")


def resident_bytes() -> int:
    """What this process has in memory; 0 where that is not told."""
    with suppress(OSError):
        return int(_SIZES.read_bytes().split()[1]) * resource.getpagesize()
    return 0


class GarbageSearch:
    """One per process."""

    def __init__(
        self,
        aside_min: int = ASIDE_MIN,
        unseen_max: int = UNSEEN_MAX,
        size: Callable[[], int] = resident_bytes,
    ) -> None:
        self._aside_min = aside_min
        self._unseen_max = unseen_max
        self._size = size
        self._size_then = 0
        """How large the process was when everything was looked through."""
        self._unseen = 0
        """Objects that were set aside since everything was looked through."""

    def begin(self) -> None:
        """Set aside what is there, and have Python by itself look through the newest objects only."""
        gc.freeze()
        gc.set_threshold(NEWEST, NEVER, NEVER)
        gc.enable()
        self._size_then = self._size()

    def look(self) -> None:
        """Look through what came since the last look, if that is much; to be called every LOOK_S."""
        if self._unseen >= self._unseen_max or (self._unseen and self._has_grown()):
            self._look_through_all()
        elif gc.get_count()[1] >= LOOK_TURNS:
            self._look_through_new()

    def _has_grown(self) -> bool:
        return self._size() - self._size_then >= GROWN_BYTES_MAX

    def _look_through_all(self) -> None:
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        self._unseen = 0
        self._size_then = self._size()

    def _look_through_new(self) -> None:
        gc.collect()
        survived = len(gc.get_objects())  # without those that were set aside
        if survived >= self._aside_min:
            gc.freeze()
            self._unseen += survived
