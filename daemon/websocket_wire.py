"""A wire to a router over a websocket: the handshake, frames, and the goodbye.

The protocol is that of `websockets`, without its input and output: who receives reads the stream, who sends
writes to it, and no task of its own stands between them.
"""

from collections import deque
from contextlib import suppress

import trio
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidState, InvalidStatus
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import Event, State
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from ..protocol.handshake import SUBPROTOCOL
from ..protocol.limits import FRAME_BYTES_MAX
from .channel import LinkLost, LinkRefused, Wire
from .direct_stream import DirectStream

HANDSHAKE_BYTES_MAX = 256 * 1024  # of an answer that should become a websocket
REFUSAL_BYTES = 1_000  # of what a router says when it refuses: more are no words of ours
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})  # refusals that a later try may not meet
RECEIVE_BYTES = 64 * 1024
_GONE = (trio.BrokenResourceError, trio.ClosedResourceError)


class WebsocketWire(Wire):
    """Frames over a stream, which stays its opener's; one task may send while another receives."""

    def __init__(self, stream: trio.abc.Stream, protocol: ClientProtocol) -> None:
        self._stream = stream
        self._direct = stream if isinstance(stream, DirectStream) else None
        self._protocol = protocol
        self._torn = False
        self._rest = b""
        self._frames: deque[bytes] = deque()
        self._pieces = bytearray()  # bounded by the protocol, and empty ones take no room
        self._owed = b""
        self._over: str | None = None
        self._hear()  # a router may say something with its answer

    async def send(self, frame: bytes) -> None:
        # The link's writer has frames take turns, and a clock: no lock is wanted here, and no clock.
        if self._torn:
            raise LinkLost("an earlier frame was cut off, or is on its way")
        try:
            self._protocol.send_binary(frame)
            await self._write()
        except (InvalidState, *_GONE) as exc:
            raise LinkLost("while sending") from exc

    @property
    def is_free(self) -> bool:
        return self._direct is not None and not self._torn

    def put(self, frame: bytes) -> bool:
        assert self._direct is not None
        self._torn = True  # until all of it has gone
        with suppress(InvalidState):  # `settle` says so
            self._protocol.send_binary(frame)
            data = self._unsent()
            self._rest = data[self._direct.send_now(data) :]
            self._torn = bool(self._rest)
        return not self._torn

    async def settle(self) -> None:
        if self._protocol.state is not State.OPEN:
            raise LinkLost("while sending")
        try:
            await self._write()
        except _GONE as exc:
            raise LinkLost("while sending") from exc

    async def receive(self) -> bytes:
        while not self._frames:
            if self._over is not None:
                raise LinkLost(self._over)
            await self._read()
        return self._frames.popleft()

    async def leave(self) -> None:
        """Say goodbye; return once the router has said it, too, and so has read all that was sent.

        A router that does not read is waited for: bound this. Nobody may send or receive any more.
        """
        try:
            if not self._torn:
                if self._protocol.state is State.OPEN:
                    self._protocol.send_close()
                await self._write()
            while self._protocol.close_rcvd is None:
                if not (data := await self._stream.receive_some(RECEIVE_BYTES)):
                    return
                self._protocol.receive_data(data)
                self._protocol.events_received()  # nobody wants them any more
        except _GONE:
            return

    async def _write(self) -> None:
        data = self._unsent()
        self._torn = True  # until all of it has gone: cut off in the middle, the stream takes no other frame
        await self._stream.send_all(data)
        self._torn = False

    def _unsent(self) -> bytes:
        data = b"".join((self._rest, self._owed, *self._protocol.data_to_send()))
        self._rest = self._owed = b""
        return data

    async def _read(self) -> None:
        try:
            data = await self._stream.receive_some(RECEIVE_BYTES)
        except _GONE:
            data = b""
        if data:
            self._protocol.receive_data(data)
        else:
            self._protocol.receive_eof()
        self._hear()

    def _hear(self) -> None:
        """Take what the protocol has made of what was read."""
        for event in self._protocol.events_received():
            self._take(event)
        # Answers go with the next frame, which comes each HEARTBEAT_S at least: reading never waits for
        # writing. The last of many will do for all pings: a flood of them takes no room.
        self._owed = b"".join(self._protocol.data_to_send()[-1:]) or self._owed
        self._over = self._over or _end_of(self._protocol)

    def _take(self, event: Event) -> None:
        if not isinstance(event, Frame) or self._over is not None:
            return
        if event.opcode is Opcode.TEXT:
            self._over = "the router sent text"
        elif event.opcode is Opcode.BINARY and event.fin:
            self._frames.append(bytes(event.data))
        elif event.opcode is Opcode.BINARY or event.opcode is Opcode.CONT:
            self._pieces += event.data
            if event.fin:
                self._frames.append(bytes(self._pieces))
                self._pieces.clear()


async def shake_hands(stream: trio.abc.Stream, url: str, name: str) -> WebsocketWire:
    """Ask the router `name` for a wire at `url` (ws:// or wss://). LinkLost, LinkRefused. Bound it."""
    protocol = ClientProtocol(
        parse_uri(url), subprotocols=[Subprotocol(SUBPROTOCOL)], max_size=FRAME_BYTES_MAX
    )
    try:
        await _ask(stream, protocol)
    except _GONE as exc:
        raise _refusal(name, exc) from exc
    if protocol.handshake_exc is not None:
        raise _refusal(name, protocol.handshake_exc) from protocol.handshake_exc
    return WebsocketWire(stream, protocol)


async def _ask(stream: trio.abc.Stream, protocol: ClientProtocol) -> None:
    protocol.send_request(protocol.connect())
    await stream.send_all(b"".join(protocol.data_to_send()))
    left = HANDSHAKE_BYTES_MAX
    while protocol.state is State.CONNECTING and protocol.handshake_exc is None:
        if data := await stream.receive_some(RECEIVE_BYTES):
            protocol.receive_data(data)
        else:
            protocol.receive_eof()
        left -= len(data)
        if left < 0:
            raise LinkLost("the router's answer has no end")


def _refusal(name: str, exc: Exception) -> LinkLost | LinkRefused:
    match exc:
        case InvalidStatus(response=response) if response.status_code not in PASSING:
            said = bytes(response.body[:REFUSAL_BYTES]).decode("utf-8", "replace")
            return LinkRefused(f"router {name} refuses the link: {response.status_code} {said!r}")
        case InvalidStatus(response=response):
            return LinkLost(f"router {name} answers {response.status_code}")
        case _:
            return LinkLost(f"no link to router {name}: {exc.__cause__ or str(exc) or type(exc).__name__}")


def _end_of(protocol: ClientProtocol) -> str | None:
    """Why nothing more comes from the router, or None."""
    if (said := protocol.close_rcvd) is not None:
        return f"closed by the router: {int(said.code)} {said.reason}".strip()
    match protocol.parser_exc:
        case None:
            return None
        case EOFError():
            return f"closed by the router: {CloseCode.ABNORMAL_CLOSURE:d}"
        case nonsense:
            return f"the router sends nonsense: {nonsense}"
