"""Frames by hand, beside those of the library."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from crowdd.router.frames import BINARY, TEXT, begins_message, framed, whole_message

UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
SIZES = [0, 1, 125, 126, 127, 65_535]


def said(opcode: Opcode, data: bytes, fin: bool = True) -> bytes:
    """As a client says it, with a mask."""
    return Frame(opcode, data, fin).serialize(mask=True)


@pytest.mark.parametrize("size", SIZES)
def test_a_whole_message_of_a_client_is_read(size: int) -> None:
    frame = said(Opcode.TEXT, b"x" * size)
    assert whole_message(frame, 0) == (b"x" * size, len(frame))


@given(st.binary(max_size=300), st.text(max_size=300))
def test_messages_that_came_together_are_read_one_by_one(first: bytes, second: str) -> None:
    frame = said(Opcode.BINARY, first)
    frames = frame + said(Opcode.TEXT, second.encode())
    assert whole_message(frames, 0) == (first, len(frame))
    assert whole_message(frames, len(frame)) == (second.encode(), len(frames))


@pytest.mark.parametrize("size", SIZES)
def test_what_is_not_all_here_is_no_message(size: int) -> None:
    frame = said(Opcode.TEXT, b"x" * size)
    beginnings = {*range(min(20, len(frame))), len(frame) - 1}
    assert [whole_message(frame[:end], 0) for end in beginnings] == [None] * len(beginnings)


@pytest.mark.parametrize(
    "frame",
    [
        said(Opcode.TEXT, b"x", fin=False),
        said(Opcode.CONT, b"x"),
        said(Opcode.PING, b"x"),
        said(Opcode.CLOSE, b"\x03\xe8"),
        said(Opcode.TEXT, b"x" * 65_536),
        Frame(Opcode.TEXT, b"unmasked").serialize(mask=False),
        said(Opcode.TEXT, b"\xff"),
        bytes([0xC1]) + said(Opcode.TEXT, b"packed")[1:],
    ],
    ids=["beginning", "fragment", "ping", "close", "large", "unmasked", "no text", "reserved bit"],
)
def test_all_else_is_left_to_the_library(frame: bytes) -> None:
    assert whole_message(frame, 0) is None


def reading(data: bytes) -> ServerProtocol:
    """The library's end of an open connection that has read this."""
    protocol = ServerProtocol()
    protocol.receive_data(UPGRADE)
    (request,) = protocol.events_received()
    assert isinstance(request, Request)
    protocol.send_response(protocol.accept(request))
    if data:
        protocol.receive_data(data)
    return protocol


@pytest.mark.parametrize("size", SIZES[:4])
def test_a_message_begins_only_where_no_byte_of_another_is_missing(size: int) -> None:
    frame = said(Opcode.TEXT, b"x" * size)
    begins = [end for end in range(len(frame) + 1) if begins_message(reading(frame[:end]))]
    assert begins == [0, len(frame)]


@pytest.mark.parametrize(
    "data",
    [said(Opcode.TEXT, b"x", fin=False), said(Opcode.CLOSE, b"\x03\xe8"), b"\xff\xff"],
    ids=["within", "after the last", "after nonsense"],
)
def test_no_message_begins_within_another_or_after_the_last(data: bytes) -> None:
    assert not begins_message(reading(data))


@pytest.mark.parametrize("size", [*SIZES, 65_536])
def test_a_server_says_what_the_library_would_say(size: int) -> None:
    data = b"x" * size
    ours = framed(TEXT, [data]) + framed(BINARY, [data, data])
    theirs = [Frame(opcode, data) for opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.BINARY)]
    assert ours == b"".join(frame.serialize(mask=False) for frame in theirs)
