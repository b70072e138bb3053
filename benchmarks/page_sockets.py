"""Websockets of many pages in one process, as light as can be: asyncio, uvloop, and frames made by hand.

They are no good clients otherwise: they trust the server, and take the frames of one message to be one frame.
"""

import asyncio
import base64
import os
import struct
from collections.abc import Callable

import attrs

OPEN_WITHIN_S = 120.0
_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10
_FINAL, _MASKED = 0x80, 0x80


class SocketClosed(Exception):
    """The server ended a connection, or never opened it; says with which words."""


@attrs.frozen
class Where:
    """Which address, as which host, from which of this machine's own addresses."""

    port: int
    host_header: str
    path: str = "/"
    from_address: str = "127.0.0.1"


class PageSocket(asyncio.Protocol):
    """One connection. `heard` is called with each text; a connection that is lost is called `lost`."""

    def __init__(
        self, where: Where, heard: Callable[[bytes], None], lost: Callable[[SocketClosed], None]
    ) -> None:
        self._where = where
        self._heard = heard
        self._lost = lost
        self._bytes = b""
        self._is_open = False
        self._transport: asyncio.Transport | None = None
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def send(self, text: bytes) -> None:
        """Send one message. The mask is zero: it changes nothing, and costs nothing."""
        self._frame(_TEXT, text)

    def close(self) -> None:
        """Leave without a word."""
        if self._transport is not None:
            self._lost = _nothing
            self._transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Ask for a websocket."""
        self._transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        origin = f"http://{self._where.host_header}"
        transport.write(
            f"GET {self._where.path} HTTP/1.1\r\nHost: {self._where.host_header}\r\nOrigin: {origin}\r\n"
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        """Frames, whole or in pieces."""
        self._bytes = self._bytes + data if self._bytes else data
        if not self._is_open and not self._take_head():
            return
        while (frame := self._next_frame()) is not None:
            opcode, payload = frame
            if opcode == _TEXT:
                self._heard(payload)
            elif opcode == _PING:
                self._frame(_PONG, payload)
            elif opcode == _CLOSE:
                self._end(f"closed with {payload!r:.100}")

    def connection_lost(self, exc: Exception | None) -> None:
        """The server is gone."""
        self._end(f"connection lost: {exc}")

    def _take_head(self) -> bool:
        head, end, rest = self._bytes.partition(b"\r\n\r\n")
        if not end:
            return False
        if not head.startswith(b"HTTP/1.1 101"):
            self._end(f"not opened: {self._bytes!r:.300}")
            return False
        self._bytes, self._is_open = rest, True
        self.opened.set_result(None)
        return True

    def _next_frame(self) -> tuple[int, bytes] | None:
        data = self._bytes
        if len(data) < 2:
            return None
        size, start = data[1], 2
        if size >= 126:
            width, form = (2, "!H") if size == 126 else (8, "!Q")
            start += width
            if len(data) < start:
                return None
            (size,) = struct.unpack(form, data[2:start])
        if len(data) < start + size:
            return None
        self._bytes = data[start + size :]
        return data[0] & 0x0F, data[start : start + size]

    def _frame(self, opcode: int, payload: bytes) -> None:
        assert self._transport is not None
        if self._transport.is_closing():
            return  # who cares was told
        size = len(payload)
        head = (
            struct.pack("!BBL", _FINAL | opcode, _MASKED | size, 0)
            if size < 126
            else struct.pack("!BBHL", _FINAL | opcode, _MASKED | 126, size, 0)
        )
        self._transport.write(head + payload)

    def _end(self, words: str) -> None:
        closed = SocketClosed(words)
        if not self.opened.done():
            self.opened.set_exception(closed)
        else:
            self._lost(closed)
        self.close()


async def open_socket(
    where: Where, heard: Callable[[bytes], None], lost: Callable[[SocketClosed], None]
) -> PageSocket:
    """Connect. SocketClosed; OSError."""
    _, socket = await asyncio.get_running_loop().create_connection(
        lambda: PageSocket(where, heard, lost),
        "127.0.0.1",
        where.port,
        local_addr=(where.from_address, 0),
    )
    async with asyncio.timeout(OPEN_WITHIN_S):
        await socket.opened
    return socket


def _nothing(closed: SocketClosed) -> None:
    """Nobody is interested."""
