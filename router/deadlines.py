"""When something is due for each of many keys: cheap to move later, as heartbeats do all the time. Pure."""

import heapq
from typing import Generic, TypeVar

K = TypeVar("K", bound=int | str)


class Deadlines(Generic[K]):
    """One time for each key. Moving it later is a note in a table; only what is due is looked at."""

    def __init__(self) -> None:
        self._due: dict[K, float] = {}
        self._queued: dict[K, float] = {}
        """The entry of the heap that counts for a key; it is never later than what is due."""
        self._heap: list[tuple[float, K]] = []

    def __len__(self) -> int:
        return len(self._due)

    def __contains__(self, key: K) -> bool:
        return key in self._due

    def set(self, key: K, due: float) -> None:
        """This key is due then, and not when it was before."""
        self._due[key] = due
        if key not in self._queued or due < self._queued[key]:
            self._queue(key, due)

    def drop(self, key: K) -> None:
        """Nothing is due for this key any more."""
        self._due.pop(key, None)

    def take_passed(self, now: float) -> list[K]:
        """The keys whose time has come, earliest first; they are dropped."""
        passed: list[K] = []
        while self._heap and self._heap[0][0] <= now:
            at, key = heapq.heappop(self._heap)
            if self._queued.get(key) != at:
                continue
            del self._queued[key]
            due = self._due.get(key)
            if due is None:
                continue
            if due > now:
                self._queue(key, due)
                continue
            del self._due[key]
            passed.append(key)
        return passed

    def _queue(self, key: K, due: float) -> None:
        self._queued[key] = due
        heapq.heappush(self._heap, (due, key))
