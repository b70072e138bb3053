"""What waits to be sent, and how it becomes frames: whole packets in order, parts of large ones between."""

import itertools
from collections import deque
from collections.abc import Callable, Iterator

import attrs

from .codec import join_frame
from .limits import FRAME_BYTES_MAX, PACKET_BYTES_MAX, PARTS_BYTES_MAX, PARTS_OPEN_MAX
from .parts import count_parts, split

_FRAME_HEADER_BYTES = 5

Pull = Callable[[], bytes | None]
"""Gives the encoded packet when its turn has come; None when there is nothing to say any more."""


def _nothing() -> None:
    return None


@attrs.define(eq=False)
class _Large:
    size: int
    parts: Iterator[bytes]
    left: int
    after: Callable[[], None]


class Outgoing:
    """A queue of sources, asked for their packet only when it goes out.

    A large packet takes turns with other large ones and leaves most of each frame to whole packets, so a
    heartbeat never waits for more than the frames before it.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[Pull, Callable[[], None]]] = deque()
        self._large: deque[_Large] = deque()
        self._open: deque[_Large] = deque()
        self._open_bytes = 0
        self._ids = itertools.count()

    def __len__(self) -> int:
        """How many packets are not wholly in frames yet."""
        return len(self._waiting) + len(self._large) + len(self._open)

    def put(self, pull: Pull, after: Callable[[], None] = _nothing) -> None:
        """Queue a source; `after` is called once the last byte of its packet is in a frame."""
        self._waiting.append((pull, after))

    def clear(self) -> None:
        """Forget everything: the connection is gone."""
        self._waiting.clear()
        self._large.clear()
        self._open.clear()
        self._open_bytes = 0

    def take_frame(self) -> bytes | None:
        """The next frame, or None when nothing waits."""
        if not (self._waiting or self._large or self._open):
            return None
        packets: list[bytes] = []
        room = self._take_whole(packets, FRAME_BYTES_MAX - _FRAME_HEADER_BYTES)
        if self._large or self._open:
            self._take_parts(packets, room)
        return join_frame(packets) if packets else None

    def _take_whole(self, packets: list[bytes], room: int) -> int:
        reserved = self._reserved()
        while self._waiting and room >= reserved:
            pull, after = self._waiting.popleft()
            encoded = pull()
            if encoded is None:
                continue
            if len(encoded) > PACKET_BYTES_MAX:
                self._large.append(_Large(len(encoded), self._split(encoded), count_parts(encoded), after))
                reserved = self._reserved()
                continue
            packets.append(encoded)
            room -= len(encoded)
            after()
        return room

    def _reserved(self) -> int:
        parts = PACKET_BYTES_MAX if self._open or self._large else 0
        return PACKET_BYTES_MAX + parts

    def _split(self, encoded: bytes) -> Iterator[bytes]:
        # The id is drawn when the first part goes out: so ids rise on the wire.
        yield from split(encoded, next(self._ids))

    def _take_parts(self, packets: list[bytes], room: int) -> None:
        self._open_more()
        while self._open and room >= PACKET_BYTES_MAX:
            large = self._open.popleft()
            part = next(large.parts)
            packets.append(part)
            room -= len(part)
            large.left -= 1
            if large.left:
                self._open.append(large)
            else:
                self._finish(large)

    def _open_more(self) -> None:
        while self._large and len(self._open) < PARTS_OPEN_MAX:
            if self._open_bytes + self._large[0].size > PARTS_BYTES_MAX:
                return
            self._open_bytes += self._large[0].size
            self._open.append(self._large.popleft())

    def _finish(self, large: _Large) -> None:
        self._open_bytes -= large.size
        large.after()
        self._open_more()
