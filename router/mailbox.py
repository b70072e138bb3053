"""What waits for one page. Whoever serves the page takes it from here; nothing in here waits."""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from ..protocol.documents import dump_json
from ..protocol.limits import SOCKET_QUEUE_BYTES_MAX, SOCKET_QUEUE_PACKETS_MAX


def _nobody_yet() -> None:
    """It waits until somebody serves the page."""


@attrs.define(eq=False)
class Mailbox:
    """Packets as JSON, in order. Once they are taken, `closing` says how to end, if it does."""

    packets: deque[bytes] = attrs.Factory(deque[bytes])
    closing: tuple[int, str] | None = None
    on_news: Callable[[], None] = _nobody_yet
    """Called when all that came together is here."""
    _size: int = attrs.field(init=False, default=0)

    def put(self, packet: Mapping[str, Any]) -> bool:
        """Queue a packet; False when the page is too slow for one more. One is taken whatever its size."""
        text = dump_json(packet)
        if len(self.packets) >= SOCKET_QUEUE_PACKETS_MAX:
            return False
        if self.packets and self._size + len(text) > SOCKET_QUEUE_BYTES_MAX:
            return False
        self.packets.append(text)
        self._size += len(text)
        return True

    def take(self) -> bytes:
        """The next packet; there has to be one."""
        text = self.packets.popleft()
        self._size -= len(text)
        return text

    def take_some(self, bytes_enough: int) -> list[bytes]:
        """The next packets, until they are so many bytes; none when nothing waits."""
        texts: list[bytes] = []
        size = 0
        if self._size <= bytes_enough:  # as nearly always
            texts += self.packets
            self.clear()
        while self.packets and size < bytes_enough:
            texts.append(self.take())
            size += len(texts[-1])
        return texts

    def clear(self) -> None:
        """Drop what waits."""
        self.packets.clear()
        self._size = 0

    def close(self, code: int, words: str) -> None:
        """What is queued is still sent, then the socket ends."""
        self.closing = self.closing or (code, words)
