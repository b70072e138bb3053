"""Streams of text that stays as it is: what comes with every message. Holds no rules.

Each is a dict of nothing but atoms, which the search for garbage never goes through, however long it gets.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Generic, TypeVar

K = TypeVar("K")
P = TypeVar("P", int, str)


class Streams(Generic[K, P]):
    """Texts by place, in a stream for each key. Looking sees what the open transaction did.

    That is done at once, and undone when it fails: nobody else looks while it is open.
    """

    def __init__(self) -> None:
        self._streams: dict[K, dict[P, str]] = {}
        self._undo: list[Callable[[], object]] = []

    def __contains__(self, key: K) -> bool:
        return key in self._streams

    def having(self, key: K) -> Mapping[P, str]:
        """What is in a stream, in the order in which it came."""
        return self._streams.get(key, {})

    def put(self, key: K, place: P, text: str) -> bool:
        """Add to a stream. False: its place is taken."""
        stream = self._streams.get(key)
        if stream is None:
            stream = self._streams[key] = {}
            self._undo.append(partial(self._streams.pop, key))
        elif place in stream:
            return False
        stream[place] = text
        self._undo.append(partial(stream.pop, place))
        return True

    def drop(self, key: K) -> None:
        """Remove a stream with all that is in it."""
        stream = self._streams.pop(key, None)
        if stream is not None:
            self._undo.append(partial(self._streams.__setitem__, key, stream))

    def apply(self) -> None:
        """What was done stays. Cannot fail."""
        self._undo.clear()

    def forget(self) -> None:
        """Undo what was done, the last first."""
        while self._undo:
            self._undo.pop()()
