"""One websocket below its messages: uvicorn's protocol, bounded in what never reaches the application.

What a page says is passed on where its bytes are read, what it is told is written where it is decided.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Request
from websockets.protocol import State

from .connections import Connections
from .frames import BINARY, TEXT, begins_message, framed, is_utf8, whole_message
from .limits import SEND_S, SOCKET_FRAGMENTS_MAX, SOCKET_PINGS_BURST_MAX, SOCKET_PINGS_PER_S_MAX
from .mailbox import Mailbox
from .rates import Bucket

LINE = "crowdd.line"
"""The extension of ASGI under which an application finds its `BoundedSocket`, as "line"."""
_NO_TEXT, _POLICY = 1007, 1008
_WRITE_BYTES_ENOUGH = 64 * 1024  # more waits where it is counted: a page takes no more at once


class BoundedSocket(WebSocketsSansIOProtocol):
    """Reads no further while its page takes nothing; ends one that floods it with what is no message."""

    def __init__(self, connections: Connections, **settings: Any) -> None:
        super().__init__(**settings)
        self._connections = connections
        self._pings = Bucket(SOCKET_PINGS_PER_S_MAX, SOCKET_PINGS_BURST_MAX)
        self._mailbox = Mailbox()
        self._speak: Callable[[], None] = self._say
        self._woken = False
        self._hear: Callable[[bytes], None] | None = None
        self._is_between = False
        """The library was seen to wait for a message to begin, and was given nothing since."""
        self._patience: asyncio.TimerHandle | None = None
        """Runs while something waits that the page does not take."""

    def serve(self, mailbox: Mailbox, hear: Callable[[bytes], None]) -> None:
        """From now on send what comes into the mailbox, and let `hear` have what the page says, as it comes.

        `receive` gives what the page said before, and then only its end: because it left, takes nothing
        any more, or is to be sent away and has been told everything before that.
        """
        self._mailbox, self._hear = mailbox, hear
        mailbox.on_news = self._say
        self._say()

    def serve_link(self, take: Callable[[], bytes | None], hear: Callable[[bytes], None]) -> None:
        """The same of a daemon's link: what `take` gives is sent, now and whenever `wake` was called."""
        self._hear, self._speak = hear, partial(self._say_frames, take)
        self._speak()

    def wake(self) -> None:
        """There is something to take: soon, as what is decided in one turn of the loop shares a frame."""
        if not self._woken:
            self._woken = True
            self.loop.call_soon(self._speak)

    def handle_connect(self, event: Request) -> None:
        """Somebody asks for a websocket."""
        super().handle_connect(event)
        if not self.close_sent:
            self.scope["extensions"] = {**(self.scope.get("extensions") or {}), LINE: {"line": self}}

    def connection_lost(self, exc: Exception | None) -> None:
        """The page left. It was counted when it connected, before it asked for a websocket."""
        self._connections.close(self.transport)
        self._calm_down()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """The whole request at first, then frames."""
        heard = self._hear_whole(data) if self._hear is not None and self.queue.empty() else 0
        if heard < len(data):
            self._is_between = False
            super().data_received(data[heard:])
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
        self._calm_down()
        self._speak()

    async def receive(self) -> Any:
        """The next message. Reading goes on only if the page takes what it is sent."""
        message = await super().receive()
        if not self.writable.is_set() and not self.transport.is_closing():
            self.transport.pause_reading()
        return message

    def send_receive_event_to_app(self) -> None:
        """A message is here as a whole."""
        data = self.frames[0] if len(self.frames) == 1 else b"".join(self.frames)
        if self.curr_msg_data_type == "text" and not is_utf8(data):
            self.frames = []
            self._fail(_NO_TEXT, "a text that is none")
        elif self._hear is None or not self.queue.empty():
            super().send_receive_event_to_app()
        else:
            self.frames = []
            self._hear(data)

    def handle_cont(self, event: Frame) -> None:
        """One more fragment of a message; an empty one takes memory, too."""
        if len(self.frames) < SOCKET_FRAGMENTS_MAX:
            super().handle_cont(event)
        else:
            self._fail(_POLICY, "a message in too many pieces")

    def handle_ping(self) -> None:
        """Answer, but not any number."""
        super().handle_ping()
        self._count_ping()

    def handle_pong(self, event: Frame) -> None:
        """Perhaps in answer to ours."""
        super().handle_pong(event)
        self._count_ping()

    def _hear_whole(self, data: bytes) -> int:
        """Hear the messages that are here whole, each in one frame; returns where anything else begins.

        The library reads any frames of any kind, in five times the time: it sees only what is left.
        """
        at = 0
        if not self._is_between:
            self._is_between = begins_message(self.conn)
        if not self._is_between or self.conn.state is not State.OPEN:
            return at
        end = len(data)
        while at < end and self._hear is not None and (whole := whole_message(data, at)) is not None:
            message, at = whole
            self._hear(message)
        return at

    def _say(self) -> None:
        mailbox = self._mailbox
        while mailbox.packets and self.writable.is_set():
            texts = mailbox.take_some(_WRITE_BYTES_ENOUGH)
            if not self._is_ending():
                self.transport.write(framed(TEXT, texts))
        if mailbox.packets:
            self._lose_patience_later()
        elif mailbox.closing is not None:
            self._hang_up()

    def _say_frames(self, take: Callable[[], bytes | None]) -> None:
        self._woken = False
        while self.writable.is_set() and not self._is_ending() and (frame := take()) is not None:
            self.transport.write(framed(BINARY, (frame,)))
        if not self.writable.is_set():
            self._lose_patience_later()

    def _is_ending(self) -> bool:
        return self.close_sent or self.transport.is_closing()

    def _hang_up(self) -> None:
        """Whoever is sent away is not read any more; its application wakes up and says goodbye."""
        if self._hear is None:
            return
        self._hear = None
        self.queue.put_nowait({"type": "websocket.disconnect", "code": _POLICY})
        if not self.read_paused and not self.transport.is_closing():
            self.read_paused = True
            self.transport.pause_reading()

    def _lose_patience_later(self) -> None:
        if self._patience is None:
            self._patience = self.loop.call_later(SEND_S, self.transport.abort)

    def _calm_down(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _count_ping(self) -> None:
        if not self._pings.take(asyncio.get_running_loop().time()):
            self._fail(_POLICY, "too many pings")

    def _fail(self, code: int, words: str) -> None:
        if self._is_ending():
            return
        self.conn.fail(code, words)
        self.handle_parser_exception()
