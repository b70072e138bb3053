"""One connection before any request is known: uvicorn's protocol, bounded in size and time.

At every moment a clock runs against the stranger, or the application watches: while nothing is asked, while
headers come, and while the body of an answered request still comes.
"""

import asyncio
import enum
import functools
import math
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from ..protocol.documents import dump_json
from ..protocol.limits import HEADER_BYTES_MAX, RETRY_AFTER_S
from ..protocol.names import SENTENCES, Reason
from .at_once import Take, answer_whole
from .bodies import IS_WHOLE
from .commands import HttpAnswer
from .connections import Connections
from .limits import DRAIN_BYTES_MAX, DRAIN_S, HEADER_S, KEEP_ALIVE_S, PIPELINED_MAX
from .replies import json_response

_LINE_BYTES = 4  # what a header line has besides its name and value
_BESIDE_BYTES_MAX = 2 * HEADER_BYTES_MAX  # of a body that are no content: sizes of chunks, trailers


class _Stage(enum.Enum):
    IDLE = enum.auto()
    HEADERS = enum.auto()
    ANSWERING = enum.auto()
    DRAINING = enum.auto()
    """Answered before its body was here. It is read on for a while, so that the answer is seen."""


class BadHeader(Exception):
    """Raised into the parser, which ends the request."""


class BoundedProtocol(HttpToolsProtocol):
    """Ends connections whose headers are too long, come too slowly or can be read in two ways; says 400."""

    def __init__(self, connections: Connections, take: Take, **settings: Any) -> None:
        super().__init__(**settings)
        self._connections = connections
        self._take = take
        self._reading = False
        self._begun: tuple[RequestResponseCycle, Any] | None = None
        """A request that nobody serves yet: its body may follow in what is being read."""
        self._stage: _Stage | None = None
        self._until = math.inf
        """When this connection ends, if nothing comes of it before."""
        self._timer: asyncio.TimerHandle | None = None
        self._look_at = math.inf
        """When the timer comes, which may be sooner: requests move `until` all the time."""
        self._asked = self._coming = self._headers_done = self._heard_body = self._upgraded = False
        self._size = self._beside = self._drained = 0
        self._answering: RequestResponseCycle | None = None
        """The request that is being answered, or was last; others may be here behind it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A stranger connects; browsers do so ahead of need, so silence is not held against them at once."""
        super().connection_made(transport)
        if self._connections.open(transport) is None:
            self._refuse(503, Reason.TRY_LATER.value, SENTENCES[Reason.TRY_LATER])
        else:
            self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """The stranger left."""
        self._stop_waiting()
        self._connections.close(self.transport)
        super().connection_lost(exc)
        self.pipeline.clear()
        if self._answering is not None and not self._answering.response_complete:
            self._answering.disconnected = True  # uvicorn tells only the one that came last
            self._answering.message_event.set()

    def pause_writing(self) -> None:
        """The other side takes less than it is sent."""
        self._connections.pause(self.transport, True)
        super().pause_writing()

    def resume_writing(self) -> None:
        """It has taken enough."""
        self._connections.pause(self.transport, False)
        super().resume_writing()

    def on_message_begin(self) -> None:
        """The first byte of a request is here; the rest of its headers should follow."""
        self._size = self._beside = 0
        self._coming, self._headers_done, self._stage = True, False, None
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """A piece of the address."""
        self._size += len(url)
        if self._size > HEADER_BYTES_MAX:
            raise BadHeader
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header. Pages send some fifteen each time: all that uvicorn does with one is done here."""
        self._size += len(name) + len(value) + _LINE_BYTES
        if self._size > HEADER_BYTES_MAX:
            raise BadHeader
        if self._headers_done:
            return  # a trailer: taken for a header it would say after the proxies what they say of everybody
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """From here on the application watches."""
        self._check()
        super().on_headers_complete()
        self._asked = self._headers_done = True
        if not self.pipeline:
            self._answering = self.cycle

    def on_body(self, body: bytes) -> None:
        """A piece of the content."""
        self._heard_body = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is here as a whole."""
        self._coming = False
        self.scope["extensions"] = {IS_WHOLE: {}}
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """A request is answered. uvicorn has a clock of its own for what is idle: ours does for both."""
        if self.pipeline or self.transport.is_closing():
            self._answering = self.pipeline[-1][0] if self.pipeline else None
            super().on_response_complete()
        else:
            self.server_state.total_requests += 1
            self.flow.resume_reading()
        self._look()

    def handle_websocket_upgrade(self) -> None:
        """From here on it is a websocket, with bounds of its own."""
        self._upgraded = True
        self._stop_waiting()
        super().handle_websocket_upgrade()

    def data_received(self, data: bytes) -> None:
        """Bytes of a request. What never ends is not shown to the callbacks above: count it here."""
        self._heard_body, self._reading = False, True
        super().data_received(data)
        self._reading = False
        if self._begun is not None:
            self._serve(*self._begun)
        if self._upgraded or self.transport.is_closing():
            return
        if self._counts_too_much(len(data)):
            self.send_400_response("The headers are too long.")
            return
        self._look()

    def send_400_response(self, msg: str) -> None:
        """Say why, and end the connection."""
        self._refuse(400, Reason.BAD_REQUEST.value, msg)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Serve a request; one whose headers are just being read, once all is read that is here."""
        if self._reading:
            self._begun = cycle, app
        else:
            super()._start_asgi_task(cycle, app)

    def _serve(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._begun = None
        if self.transport.is_closing():
            return
        if cycle.more_body or cycle.waiting_for_100_continue or not self._is_taken(cycle):
            self._start_asgi_task(cycle, app)

    def _is_taken(self, cycle: RequestResponseCycle) -> bool:
        scope: Any = cycle.scope
        if not self._take(scope, bytes(cycle.body), functools.partial(self._answer, cycle)):
            return False
        cycle.body = bytearray()
        return True

    def _answer(self, cycle: RequestResponseCycle, answer: HttpAnswer) -> None:
        """Answer what was taken. Never fails: whoever has the answer has other things to do."""
        if cycle.disconnected or cycle.response_started or self.transport.is_closing():
            return
        try:
            if not answer_whole(cycle, answer):
                self._start_asgi_task(cycle, json_response(answer))
        except Exception:
            self.logger.exception("an answer could not be sent")
            self.transport.abort()

    def _unsupported_upgrade_warning(self) -> None:
        """It asks for another protocol than ours: it is answered as if it had not, and that is all."""
        self.cycle.keep_alive = False

    def _check(self) -> None:
        """BadHeader: no browser asks like this, and who reads it before us may read something else.

        Nor while so many earlier requests wait: uvicorn reads on whenever one of them is answered.
        """
        assert self.parser is not None
        names = [name for name, _ in self.headers]
        version, hosts = self.parser.get_http_version(), names.count(b"host")
        if version not in ("1.0", "1.1") or hosts > 1 or (version == "1.1" and not hosts):
            raise BadHeader
        if not self.url.startswith((b"/", b"*")):
            raise BadHeader  # names a host of its own
        if b"transfer-encoding" in names and not self._is_chunked():
            raise BadHeader
        has_body = b"transfer-encoding" in names or b"content-length" in names
        is_plain = version == "1.1" and self.parser.get_method() == b"GET" and not has_body
        may_upgrade = is_plain and not self._is_answering()
        if self.parser.should_upgrade() and self._should_upgrade() and not may_upgrade:
            raise BadHeader
        if len(self.pipeline) >= PIPELINED_MAX:
            raise BadHeader

    def _is_chunked(self) -> bool:
        """Whether its body comes in chunks, and in no other coding."""
        codings = {value.lower() for name, value in self.headers if name == b"transfer-encoding"}
        return codings == {b"chunked"}

    def _refuse(self, status: int, reason: str, text: str) -> None:
        body = dump_json({"reason": reason, "text": text})
        later = f"retry-after: {RETRY_AFTER_S}\r\n" if status == 503 else ""
        head = (
            f"HTTP/1.1 {status} {_PHRASES[status]}\r\ncontent-type: application/json\r\n{later}"
            f"x-content-type-options: nosniff\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self._stop_waiting()
        if not self._would_be_taken_for_another():
            self.transport.write(head.encode() + body)
        self.transport.close()

    def _would_be_taken_for_another(self) -> bool:
        """Whether who hears from us now takes it for the answer to an earlier request, or for more of one."""
        if self._coming and self._headers_done:
            return bool(self.pipeline) or self.cycle.response_started
        return self._is_answering()

    def _counts_too_much(self, size: int) -> bool:
        if self._stage is _Stage.DRAINING:
            self._drained += size
            if self._drained > DRAIN_BYTES_MAX:
                self.transport.abort()
        if not self._coming:
            return False
        if not self._headers_done:
            self._size += size
            return self._size > 2 * HEADER_BYTES_MAX
        self._beside = 0 if self._heard_body else self._beside + size
        return self._beside > _BESIDE_BYTES_MAX

    def _look(self) -> None:
        """Start the clock that belongs to where this connection is now."""
        stage = self._where()
        if stage is self._stage:
            return
        self._stage = stage
        if stage is _Stage.DRAINING:
            self._drained = 0
        seconds = _patience_s(stage)
        self._until = math.inf if seconds is None else self.loop.time() + seconds
        if self._until < self._look_at:
            self._stop_waiting()
            self._wait()

    def _where(self) -> _Stage:
        if self._coming and not self._headers_done:
            return _Stage.HEADERS
        if self._is_answering():
            return _Stage.ANSWERING
        return _Stage.DRAINING if self._coming else _Stage.IDLE

    def _is_answering(self) -> bool:
        return bool(self.pipeline) or (self._asked and not self.cycle.response_complete)

    def _wait(self) -> None:
        self._look_at = self._until
        self._timer = self.loop.call_at(self._until, self._lose_patience)

    def _lose_patience(self) -> None:
        self._timer, self._look_at = None, math.inf
        if self._until <= self.loop.time():
            self.transport.close()
        elif self._until < math.inf:
            self._wait()

    def _stop_waiting(self) -> None:
        self._look_at = math.inf
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


_PHRASES = {400: "Bad Request", 503: "Service Unavailable"}


def _patience_s(stage: _Stage) -> float | None:
    match stage:
        case _Stage.IDLE:
            return KEEP_ALIVE_S
        case _Stage.HEADERS:
            return HEADER_S
        case _Stage.ANSWERING:
            return None
        case _Stage.DRAINING:
            return DRAIN_S
