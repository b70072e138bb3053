"""What a browser keeps of a worker's words over page loads, until it is told that they are stored. Pure."""

from collections import deque
from collections.abc import Mapping
from typing import Any

import attrs

from .pages import Said


@attrs.define(eq=False)
class Outbox:
    """The outbox of one agent in one browser: a stream for each page load, oldest first."""

    _streams: dict[str, deque[Said]] = attrs.Factory(dict[str, deque[Said]])
    _last: dict[str, int] = attrs.Factory(dict[str, int])

    def __len__(self) -> int:
        return sum(map(len, self._streams.values()))

    def add(self, page: str, update: Mapping[str, Any]) -> Said:
        """Keep an update of this page load."""
        number = self._last[page] = self._last.get(page, 0) + 1
        said = Said(page, number, update)
        self._streams.setdefault(page, deque()).append(said)
        return said

    def stored(self, page: str, number: int) -> None:
        """Everything of this stream up to `number` is safe."""
        stream = self._streams.get(page, deque[Said]())
        while stream and stream[0].number <= number:
            stream.popleft()
        if not stream:
            self._streams.pop(page, None)

    def oldest(self) -> deque[Said]:
        """What is not safe of the oldest stream that has anything."""
        return next(iter(self._streams.values()), deque[Said]())
