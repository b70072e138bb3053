"""Frames that are written to a websocket without waiting, over a real socket."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
import trio
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from crowdd.daemon.channel import LinkLost
from crowdd.daemon.direct_stream import DirectStream
from crowdd.daemon.websocket_wire import WebsocketWire, shake_hands

from .test_websocket_wire import PATIENCE_S, URL, binary, both, goodbye, linked, ping

MUCH = b"x" * 2_000_000  # more than a socket keeps


class Far:
    """The router's end."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self.stream = stream
        self._protocol = ServerProtocol(
            subprotocols=None, select_subprotocol=lambda _, offered: offered[0], max_size=None
        )

    async def accept(self) -> None:
        self._protocol.receive_data(await self.stream.receive_some())
        [request] = self._protocol.events_received()
        assert isinstance(request, Request)
        self._protocol.send_response(self._protocol.accept(request))
        await self.stream.send_all(b"".join(self._protocol.data_to_send()))

    async def say(self, *frames: Frame) -> None:
        await self.stream.send_all(b"".join(frame.serialize(mask=False) for frame in frames))

    async def hear(self, count: int) -> list[tuple[Opcode, bytes]]:
        """So many frames."""
        heard: list[tuple[Opcode, bytes]] = []
        while len(heard) < count:
            self._protocol.receive_data(await self.stream.receive_some())
            events = self._protocol.events_received()
            heard += [(frame.opcode, bytes(frame.data)) for frame in events if isinstance(frame, Frame)]
        return heard


@asynccontextmanager
async def wired() -> AsyncGenerator[tuple[WebsocketWire, Far]]:
    near, end = (trio.SocketStream(each) for each in trio.socket.socketpair())
    far = Far(end)
    with trio.fail_after(PATIENCE_S):
        async with DirectStream(near) as stream, end:
            yield await both(shake_hands(stream, URL, "router.test"), far.accept), far


async def test_a_frame_that_was_put_is_away_at_once() -> None:
    async with wired() as (wire, far):
        assert wire.put(b"words")
        assert await far.hear(1) == [(Opcode.BINARY, b"words")]


async def test_a_ping_is_answered_before_a_frame_that_is_put() -> None:
    async with wired() as (wire, far):
        await far.say(ping(b"there?"), binary(b"x"))
        await wire.receive()
        wire.put(b"y")
        assert await far.hear(2) == [(Opcode.PONG, b"there?"), (Opcode.BINARY, b"y")]


async def test_what_is_left_of_a_frame_goes_when_there_is_room_and_others_after_it() -> None:
    heard: list[tuple[Opcode, bytes]] = []
    async with wired() as (wire, far), trio.open_nursery() as nursery:

        async def hear() -> None:
            heard.extend(await far.hear(2))

        assert not wire.put(MUCH)
        nursery.start_soon(hear)
        await wire.settle()
        await wire.send(b"next")
    assert heard == [(Opcode.BINARY, MUCH), (Opcode.BINARY, b"next")]


async def test_a_ping_that_comes_then_cuts_no_frame_in_two() -> None:
    heard: list[tuple[Opcode, bytes]] = []
    async with wired() as (wire, far), trio.open_nursery() as nursery:

        async def hear() -> None:
            heard.extend(await far.hear(2))

        wire.put(MUCH)
        await far.say(ping(b"there?"), binary(b"x"))
        await wire.receive()
        nursery.start_soon(hear)
        await wire.settle()
    assert heard == [(Opcode.BINARY, MUCH), (Opcode.PONG, b"there?")]


async def test_while_some_of_a_frame_is_left_no_other_may_be_put() -> None:
    async with wired() as (wire, _):
        wire.put(MUCH)
        assert not wire.is_free


async def test_to_a_router_that_left_nothing_is_put() -> None:
    async with wired() as (wire, far):
        await far.say(goodbye(1008, "not you"))
        with pytest.raises(LinkLost):
            await wire.receive()
        assert not wire.put(b"words")
        with pytest.raises(LinkLost):
            await wire.settle()


async def test_what_is_left_for_a_router_that_went_is_lost_with_the_link() -> None:
    async with wired() as (wire, far):
        wire.put(MUCH)
        await far.stream.aclose()
        with pytest.raises(LinkLost):
            await wire.settle()


async def test_over_a_stream_that_can_only_be_waited_for_no_frame_is_put() -> None:
    async with linked() as (wire, _):
        assert not wire.is_free
