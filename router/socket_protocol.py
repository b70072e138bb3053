"""One websocket below its messages: uvicorn's protocol, bounded in what never reaches the application."""

import asyncio
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from .connections import Connections
from .limits import SOCKET_FRAGMENTS_MAX, SOCKET_PINGS_BURST_MAX, SOCKET_PINGS_PER_S_MAX
from .rates import Bucket

_POLICY = 1008


class BoundedSocket(WebSocketsSansIOProtocol):
    """Reads no further while its page takes nothing; ends one that floods it with what is no message."""

    def __init__(self, connections: Connections, **settings: Any) -> None:
        super().__init__(**settings)
        self._connections = connections
        self._pings = Bucket(SOCKET_PINGS_PER_S_MAX, SOCKET_PINGS_BURST_MAX)

    def connection_lost(self, exc: Exception | None) -> None:
        """The page left. It was counted when it connected, before it asked for a websocket."""
        self._connections.close(self.transport)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """The whole request at first, then frames."""
        super().data_received(data)
        if not self.handshake_initiated:
            self.transport.close()  # no request for a websocket after all; the library says nothing

    def pause_writing(self) -> None:
        """The page takes less than it is sent: whatever it says now would only be answered into memory."""
        super().pause_writing()
        self._connections.pause(self.transport, True)
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        """It has taken enough."""
        super().resume_writing()
        self._connections.pause(self.transport, False)
        if not self.read_paused and not self.transport.is_closing():
            self.transport.resume_reading()

    async def receive(self) -> Any:
        """The next message. Reading goes on only if the page takes what it is sent."""
        message = await super().receive()
        if not self.writable.is_set() and not self.transport.is_closing():
            self.transport.pause_reading()
        return message

    def handle_cont(self, event: Frame) -> None:
        """One more fragment of a message; an empty one takes memory, too."""
        if len(self.frames) < SOCKET_FRAGMENTS_MAX:
            super().handle_cont(event)
        else:
            self._fail("a message in too many pieces")

    def handle_ping(self) -> None:
        """Answer, but not any number."""
        super().handle_ping()
        self._count_ping()

    def handle_pong(self, event: Frame) -> None:
        """Perhaps in answer to ours."""
        super().handle_pong(event)
        self._count_ping()

    def _count_ping(self) -> None:
        if not self._pings.take(asyncio.get_running_loop().time()):
            self._fail("too many pings")

    def _fail(self, words: str) -> None:
        if self.close_sent or self.transport.is_closing():
            return
        self.conn.fail(_POLICY, words)
        self.handle_parser_exception()
