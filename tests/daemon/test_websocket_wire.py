"""The wire over a websocket, against a router's bytes: fragments, pings, nonsense, handshakes, goodbyes."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import attrs
import pytest
import trio
import trio.testing
from websockets.frames import Close, Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from crowdd.daemon.channel import LinkLost, LinkRefused
from crowdd.daemon.websocket_wire import (
    HANDSHAKE_BYTES_MAX,
    REFUSAL_BYTES,
    WebsocketWire,
    shake_hands,
)
from crowdd.protocol.limits import FRAME_BYTES_MAX

URL = "ws://router.test:8080/_crowdd/link/digits"
PATIENCE_S = 20.0
Stream = trio.StapledStream[trio.testing.MemorySendStream, trio.testing.MemoryReceiveStream]
Value = TypeVar("Value")


@attrs.define(eq=False)
class Router:
    """The other end of a wire's stream: says bytes, and reads what it is told as a server does."""

    stream: Stream
    protocol: ServerProtocol
    request: Request
    ours: Stream
    """The wire's end."""

    async def say(self, *frames: Frame) -> None:
        """All in one piece, so that one read has them."""
        await self.stream.send_all(b"".join(frame.serialize(mask=False) for frame in frames))

    async def hear(self) -> list[tuple[Opcode, bytes]]:
        """What has come by now."""
        self.protocol.receive_data(await self.stream.receive_some())
        return [
            (event.opcode, bytes(event.data))
            for event in self.protocol.events_received()
            if isinstance(event, Frame)
        ]


def binary(data: bytes, fin: bool = True) -> Frame:
    return Frame(Opcode.BINARY, data, fin)


def more(data: bytes, fin: bool = False) -> Frame:
    return Frame(Opcode.CONT, data, fin)


def ping(data: bytes) -> Frame:
    return Frame(Opcode.PING, data)


def goodbye(code: int, words: str) -> Frame:
    return Frame(Opcode.CLOSE, Close(code, words).serialize())


async def accept(stream: Stream, ours: Stream, and_say: bytes) -> Router:
    protocol = ServerProtocol(subprotocols=None, select_subprotocol=lambda _, offered: offered[0])
    request = None
    while request is None:
        protocol.receive_data(await stream.receive_some())
        request = next((event for event in protocol.events_received() if isinstance(event, Request)), None)
    protocol.send_response(protocol.accept(request))
    await stream.send_all(b"".join(protocol.data_to_send()) + and_say)
    return Router(stream, protocol, request, ours)


async def both(ours: Awaitable[Value], theirs: Callable[[], Awaitable[None]]) -> Value:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(theirs)
        return await ours


@asynccontextmanager
async def linked(and_say: bytes = b"") -> AsyncGenerator[tuple[WebsocketWire, Router], None]:
    near, far = trio.testing.memory_stream_pair()
    routers: list[Router] = []

    async def answer() -> None:
        routers.append(await accept(far, near, and_say))

    with trio.fail_after(PATIENCE_S):
        wire = await both(shake_hands(near, URL, "router.test"), answer)
        yield wire, routers[0]


async def refused(answer: bytes) -> None:
    """Shake hands with a router that answers so, and then ends."""
    near, far = trio.testing.memory_stream_pair()

    async def answering() -> None:
        await far.receive_some()
        await far.send_all(answer)
        await far.send_eof()

    error: Exception | None = None
    async with trio.open_nursery() as nursery:
        nursery.start_soon(answering)
        try:
            await shake_hands(near, URL, "router.test")
        except (LinkLost, LinkRefused) as exc:
            error = exc
    assert error is not None
    raise error


async def test_it_asks_as_the_daemon_does_and_for_no_extension() -> None:
    async with linked() as (_, router):
        asked = router.request.headers
    assert router.request.path == "/_crowdd/link/digits"
    assert (asked["Host"], asked["Sec-WebSocket-Protocol"]) == ("router.test:8080", "crowdd.1")
    assert not {"Sec-WebSocket-Extensions", "Origin"} & set(asked)


async def test_what_a_router_says_with_its_answer_is_heard() -> None:
    async with linked(binary(b"hello").serialize(mask=False)) as (wire, _):
        assert await wire.receive() == b"hello"


async def test_frames_that_came_together_are_given_out_without_another_read() -> None:
    async with linked() as (wire, router):
        await router.say(binary(b"one"), binary(b""), binary(b"three"))
        first = await wire.receive()
        await router.stream.aclose()
        assert [first, await wire.receive(), await wire.receive()] == [b"one", b"", b"three"]
        with pytest.raises(LinkLost, match="closed by the router: 1006"):
            await wire.receive()


async def test_a_frame_in_fragments_with_pings_between_is_one() -> None:
    async with linked() as (wire, router):
        await router.say(binary(b"a", fin=False), ping(b"?"), more(b""), more(b"b"), more(b"c", fin=True))
        assert await wire.receive() == b"abc"
        await router.say(binary(b"next"))
        assert await wire.receive() == b"next"


async def test_a_ping_is_answered_with_the_next_frame() -> None:
    async with linked() as (wire, router):
        await router.say(ping(b"there?"), binary(b"x"))
        await wire.receive()
        await wire.send(b"y")
        await wire.send(b"z")
        heard = await router.hear()
    assert heard == [(Opcode.PONG, b"there?"), (Opcode.BINARY, b"y"), (Opcode.BINARY, b"z")]


async def test_of_a_flood_of_pings_the_last_is_answered() -> None:
    async with linked() as (wire, router):
        for n in range(3):
            await router.say(*[ping(b"%d" % n)] * 1000, binary(b"x"))
            await wire.receive()
        await wire.send(b"y")
        assert await router.hear() == [(Opcode.PONG, b"2"), (Opcode.BINARY, b"y")]


async def test_reading_goes_on_while_a_frame_is_on_its_way() -> None:
    async with linked() as (wire, router), trio.open_nursery() as nursery:
        router.ours.send_stream.send_all_hook = trio.sleep_forever
        nursery.start_soon(wire.send, b"taken by nobody")
        await trio.testing.wait_all_tasks_blocked()
        await router.say(ping(b"?"), binary(b"x"))
        assert await wire.receive() == b"x"
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("frames", "words"),
    [
        ([Frame(Opcode.TEXT, b"text")], "sent text"),
        ([Frame(Opcode.TEXT, b"te", fin=False), more(b"xt", fin=True)], "sent text"),
        ([binary(b"x" * (FRAME_BYTES_MAX + 1))], "exceeds limit"),
        ([binary(b"x" * FRAME_BYTES_MAX, fin=False), more(b"x", fin=True)], "exceeds limit"),
        ([more(b"x", fin=True)], "unexpected continuation"),
        ([binary(b"x", fin=False), binary(b"y")], "expected a continuation"),
        ([Frame(Opcode.BINARY, b"x", rsv1=True)], "reserved bits"),
        ([goodbye(1008, "not you"), binary(b"x")], "closed by the router: 1008 not you"),
        ([Frame(Opcode.CLOSE, b"")], "closed by the router: 1005"),
    ],
)
async def test_what_no_router_may_say_ends_the_wire_after_the_frames_before_it(
    frames: list[Frame], words: str
) -> None:
    async with linked() as (wire, router):
        said = b"".join(_raw(frame) for frame in [binary(b"fine"), *frames])
        await router.stream.send_all(said)
        assert await wire.receive() == b"fine"
        for _ in range(2):
            with pytest.raises(LinkLost, match=words):
                await wire.receive()


async def test_bytes_that_are_no_frames_end_the_wire() -> None:
    async with linked() as (wire, router):
        await router.stream.send_all(b"\xff" * 10)
        with pytest.raises(LinkLost, match="nonsense"):
            await wire.receive()


async def test_a_router_that_ends_in_the_middle_of_a_frame_has_closed() -> None:
    async with linked() as (wire, router):
        await router.stream.send_all(binary(b"x" * 100).serialize(mask=False)[:50])
        await router.stream.send_eof()
        with pytest.raises(LinkLost, match="closed by the router: 1006"):
            await wire.receive()


async def test_a_cancelled_receive_loses_nothing() -> None:
    async with linked() as (wire, router):
        said = binary(b"x" * 100).serialize(mask=False)
        await router.stream.send_all(said[:50])
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(wire.receive)
                await trio.testing.wait_all_tasks_blocked()
                scope.cancel()
        await router.stream.send_all(said[50:])
        assert await wire.receive() == b"x" * 100


async def test_leaving_says_goodbye_and_waits_for_the_routers() -> None:
    async with linked() as (wire, router):
        await router.say(ping(b"?"), *[binary(b"too late")] * 3)

        async def answer() -> None:
            assert [opcode for opcode, _ in await router.hear()] == [Opcode.CLOSE]
            await router.say(goodbye(1000, ""))

        await both(wire.leave(), answer)
        with pytest.raises(LinkLost, match="while sending"):
            await wire.send(b"x")


async def test_leaving_a_router_that_left_answers_its_goodbye_and_waits_for_nothing() -> None:
    async with linked() as (wire, router):
        await router.say(goodbye(1008, "not you"))
        with pytest.raises(LinkLost):
            await wire.receive()
        await wire.leave()
        assert await router.hear() == [(Opcode.CLOSE, Close(1008, "not you").serialize())]


async def test_leaving_a_router_that_talked_nonsense_says_so() -> None:
    async with linked() as (wire, router):
        await router.say(more(b"x"))
        with pytest.raises(LinkLost):
            await wire.receive()
        await router.stream.send_eof()
        await wire.leave()
        [(opcode, data)] = await router.hear()
    assert (opcode, Close.parse(data).code) == (Opcode.CLOSE, 1002)


async def test_no_goodbye_follows_a_frame_that_was_cut_off() -> None:
    async with linked() as (wire, router):
        ours = router.ours
        let_through = ours.send_stream.send_all_hook
        assert let_through is not None
        with trio.CancelScope() as sending:

            async def cut_off() -> None:
                sending.cancel()
                await trio.sleep_forever()

            ours.send_stream.send_all_hook = cut_off
            await wire.send(b"cut off")
        ours.send_stream.send_all_hook = let_through
        await router.stream.send_eof()
        await wire.leave()
        await let_through()
        assert await router.hear() == [(Opcode.BINARY, b"cut off")]


def _raw(frame: Frame) -> bytes:
    """Serialized without the checks that a sender makes."""
    first = (frame.fin << 7) | (frame.rsv1 << 6) | frame.opcode
    size = len(frame.data)
    if size < 126:
        return bytes((first, size)) + bytes(frame.data)
    return bytes((first, 127)) + size.to_bytes(8) + bytes(frame.data)


async def test_a_refusal_is_told_with_the_beginning_of_its_words() -> None:
    body = b"x" * (REFUSAL_BYTES + 1)
    with pytest.raises(LinkRefused) as told:
        await refused(b"HTTP/1.1 403 No\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    assert str(told.value) == f"router router.test refuses the link: 403 {'x' * REFUSAL_BYTES!r}"


@pytest.mark.parametrize("coding", ["Connection: close", "Transfer-Encoding: chunked"])
async def test_a_refusal_without_a_length_is_told_too(coding: str) -> None:
    body = b"4\r\nwhy?\r\n0\r\n\r\n" if "chunked" in coding else b"why?"
    with pytest.raises(LinkRefused, match="404 'why\\?'"):
        await refused(f"HTTP/1.1 404 No\r\n{coding}\r\n\r\n".encode() + body)


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 101 Yes\r\n\r\n"])
async def test_an_answer_that_is_none_is_no_link(answer: bytes) -> None:
    with pytest.raises(LinkLost, match=r"no link to router router\.test: "):
        await refused(answer)


async def test_an_answer_without_end_is_not_read_for_ever() -> None:
    endless = b"HTTP/1.1 403 No\r\nConnection: close\r\n\r\n" + b"x" * 2 * HANDSHAKE_BYTES_MAX
    with pytest.raises(LinkLost, match="has no end"):
        await refused(endless)


async def test_a_router_that_packs_frames_unasked_is_no_link() -> None:
    near, far = trio.testing.memory_stream_pair()

    async def answer() -> None:
        protocol = ServerProtocol()
        protocol.receive_data(await far.receive_some())
        [request] = protocol.events_received()
        assert isinstance(request, Request)
        response = protocol.accept(request)
        response.headers["Sec-WebSocket-Extensions"] = "permessage-deflate"
        await far.send_all(response.serialize())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(answer)
        with pytest.raises(LinkLost, match="no extensions supported"):
            await shake_hands(near, URL, "router.test")
