"""The least server there is: uvloop, requests cut by hand, one constant answer. Prints its port.

What a load asks of it is the most that the load can ask of anything.
"""

import asyncio
import re
import sys

import uvloop

from .rows.constant_answer import ANSWER

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_END = b"\r\n\r\n"
_HEAD = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(ANSWER)}\r\n\r\n"
_WHOLE = _HEAD.encode() + ANSWER


class _Connection(asyncio.Protocol):
    """One connection: a request, the answer, the next request."""

    def __init__(self) -> None:
        self._bytes = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._bytes = self._bytes + data if self._bytes else data
        end = self._bytes.find(_END)
        length = _LENGTH.search(self._bytes, 0, end) if end >= 0 else None
        if length is not None and len(self._bytes) >= end + len(_END) + int(length[1]):
            assert self._transport is not None
            self._bytes = b""  # one request at a time: nothing of another can have come
            self._transport.write(_WHOLE)


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Connection, "127.0.0.1", 0, backlog=2048)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve())
