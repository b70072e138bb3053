"""A TCP connection that is read and written with no turn of trio's loop more than it takes.

trio's own streams try to receive before they wait, where mostly nothing has come yet, and cannot be written
to from where nobody may wait.
"""

import os
from contextlib import suppress

import trio


class DirectStream(trio.abc.Stream):
    """What `trio.SocketStream` does, and `send_now`."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self._socket = stream.socket

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Wait for bytes; none: it has ended. BrokenResourceError, ClosedResourceError."""
        while True:
            await trio.lowlevel.wait_readable(self._socket)
            with suppress(BlockingIOError):  # what woke us was taken back: sockets may do that
                return self._read(max_bytes or 64 * 1024)

    def _read(self, max_bytes: int) -> bytes:
        try:
            return os.read(self._socket.fileno(), max_bytes)
        except BlockingIOError:
            raise
        except OSError as exc:
            raise trio.BrokenResourceError(f"while receiving: {exc}") from exc

    def send_now(self, data: bytes) -> int:
        """Write what the connection takes at once, and say how many bytes; `send_all` waits for the rest, and
        says if the connection is broken. Not while that is under way."""
        try:
            return os.write(self._socket.fileno(), data)
        except OSError:
            return 0

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """As `trio.SocketStream` does it."""
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        """As `trio.SocketStream` does it."""
        await self._stream.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        """As `trio.SocketStream` does it."""
        await self._stream.aclose()
