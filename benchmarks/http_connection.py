"""One kept-alive HTTP connection of a simulated browser, by hand: cheaper than what it is a load for.

Trusts the server as browsers do not: answers have a Content-Length, one comes at a time.
"""

import asyncio
import re

import attrs

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_END = b"\r\n\r\n"


class ConnectionEnded(Exception):
    """The server ended a connection on which an answer was awaited."""


@attrs.frozen
class Answer:
    """What the server said."""

    status: int
    body: bytes


class HttpConnection(asyncio.Protocol):
    """One connection, one request at a time. Made by `open_connection`."""

    def __init__(self, host_header: str, folder: str) -> None:
        self._head = f"{folder}%s HTTP/1.1\r\nHost: {host_header}\r\nX-Crowdd-Client: 1\r\n"
        self._bytes = b""
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Answer] | None = None

    @property
    def is_open(self) -> bool:
        """False once either side has ended it: servers do when nothing is asked for a while."""
        return self._transport is not None and not self._transport.is_closing()

    async def post(self, name: str, body: bytes) -> Answer:
        """Post JSON to a name in the folder. ConnectionEnded."""
        if self._transport is None or self._transport.is_closing():
            raise ConnectionEnded("it was ended before")
        self._answer = asyncio.get_running_loop().create_future()
        head = self._head % name
        lengths = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self._transport.write(f"POST {head}{lengths}".encode() + body)
        return await self._answer

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """It is there."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """An answer, whole or in pieces."""
        self._bytes = self._bytes + data if self._bytes else data
        end = self._bytes.find(_END)
        if end < 0:
            return
        length = _LENGTH.search(self._bytes, 0, end)
        whole = end + len(_END) + (int(length[1]) if length else 0)
        if len(self._bytes) >= whole and self._answer is not None:
            answer = Answer(int(self._bytes[9:12]), self._bytes[end + len(_END) : whole])
            self._bytes = self._bytes[whole:]
            self._answer.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever waits is told."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionEnded(f"connection lost: {exc}"))


async def open_connection(port: int, from_address: str, host_header: str, folder: str) -> HttpConnection:
    """Connect to this machine's own port. OSError."""
    _, connection = await asyncio.get_running_loop().create_connection(
        lambda: HttpConnection(host_header, folder), "127.0.0.1", port, local_addr=(from_address, 0)
    )
    return connection
