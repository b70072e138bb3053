"""uvicorn with our way to begin, to end, and to bound what strangers send before any request is known.

The only module that knows the event loop behind the application.
"""

import asyncio
import signal
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ..protocol.documents import dump_json
from ..protocol.limits import HEADER_BYTES_MAX
from .limits import HEADER_S, KEEP_ALIVE_S

_LINE_BYTES = 4  # what a header line has besides its name and value


class BadHeader(Exception):
    """Raised into the parser, which ends the request."""


class BoundedProtocol(HttpToolsProtocol):
    """Ends connections whose headers are too long, come too slowly or name two hosts; says 400 in JSON."""

    _size = 0
    _hosts = 0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A stranger connects; browsers do so ahead of need, so silence is not held against them at once."""
        super().connection_made(transport)
        self._wait(KEEP_ALIVE_S)

    def connection_lost(self, exc: Exception | None) -> None:
        """The stranger left."""
        self._stop_waiting()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """The first byte of a request is here; the rest of its headers should follow."""
        self._size = self._hosts = 0
        self._wait(HEADER_S)
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """A piece of the address."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        self._count(len(name) + len(value) + _LINE_BYTES)
        self._hosts += name.lower() == b"host"
        if self._hosts > 1:
            raise BadHeader  # a proxy before us may have believed the other one
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """From here on the application watches."""
        self._stop_waiting()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Bytes of a request. A header that never ends is not shown to `on_header`: count it here."""
        super().data_received(data)
        if self._timer is not None:
            self._size += len(data)
            if self._size > 2 * HEADER_BYTES_MAX and not self.transport.is_closing():
                self.send_400_response("The headers are too long.")

    def send_400_response(self, msg: str) -> None:
        """Say why, and end the connection."""
        body = dump_json({"reason": "bad_request", "text": msg})
        head = (
            "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n"
            f"x-content-type-options: nosniff\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self._stop_waiting()
        self.transport.write(head.encode() + body)
        self.transport.close()

    def _count(self, size: int) -> None:
        self._size += size
        if self._size > HEADER_BYTES_MAX:
            raise BadHeader

    def _wait(self, seconds: float) -> None:
        self._stop_waiting()
        self._timer = self.loop.call_later(seconds, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class RouterServer(uvicorn.Server):
    """`on_ready` is called once connections are accepted, `on_ending` when it begins to end."""

    def __init__(
        self,
        config: uvicorn.Config,
        on_ready: Callable[[], None],
        on_ending: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._on_ending = on_ending

    def stop(self) -> None:
        """End soon."""
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """End at SIGTERM and SIGINT."""
        # uvicorn's own raises the signal again after a clean end, which would hide our exit status 0.
        before = {name: signal.signal(name, self.handle_exit) for name in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for name, handler in before.items():
                signal.signal(name, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The second signal does not wait for anybody."""
        self.force_exit = self.should_exit
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        if self.started:
            self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer those who wait, so that their connections can end."""
        self._on_ending()
        await super().shutdown(sockets)


def server_config(app: Any, **settings: Any) -> uvicorn.Config:
    """What every router of ours sets."""
    return uvicorn.Config(
        app,
        http=BoundedProtocol,
        loop="uvloop",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        lifespan="on",
        log_config=None,
        server_header=False,
        timeout_keep_alive=int(KEEP_ALIVE_S),
        **settings,
    )
