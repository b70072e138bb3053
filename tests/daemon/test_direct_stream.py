"""A stream that can be written to without waiting, over a real socket."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from crowdd.daemon.direct_stream import DirectStream

PATIENCE_S = 20.0
MUCH = b"x" * 2_000_000  # more than a socket keeps


@asynccontextmanager
async def connected() -> AsyncGenerator[tuple[DirectStream, trio.SocketStream]]:
    """A stream, and the other end of it."""
    near, far = (trio.SocketStream(end) for end in trio.socket.socketpair())
    with trio.fail_after(PATIENCE_S):
        async with DirectStream(near) as stream, far:
            yield stream, far


async def test_what_comes_later_is_waited_for() -> None:
    got: list[bytes] = []
    async with connected() as (stream, far), trio.open_nursery() as nursery:

        async def receive() -> None:
            got.append(await stream.receive_some())

        nursery.start_soon(receive)
        await wait_all_tasks_blocked()
        await far.send_all(b"words")
    assert got == [b"words"]


async def test_its_end_is_no_bytes() -> None:
    async with connected() as (stream, far):
        await far.aclose()
        assert await stream.receive_some() == b""


async def test_what_is_sent_now_has_gone_when_that_returns() -> None:
    async with connected() as (stream, far):
        assert stream.send_now(b"words") == len(b"words")
        assert await far.receive_some() == b"words"


async def test_it_takes_no_more_at_once_than_there_is_room_for() -> None:
    async with connected() as (stream, _):
        assert 0 < stream.send_now(MUCH) < len(MUCH)
        assert stream.send_now(MUCH) == 0


async def test_the_rest_follows_in_its_order() -> None:
    came = bytearray()
    async with connected() as (stream, far), trio.open_nursery() as nursery:

        async def receive() -> None:
            while len(came) < len(MUCH) + 3:
                came.extend(await far.receive_some())

        went = stream.send_now(MUCH)
        nursery.start_soon(receive)
        await stream.send_all(MUCH[went:] + b"end")
    assert came == MUCH + b"end"


async def test_a_broken_connection_takes_nothing_and_says_so_to_who_waits() -> None:
    async with connected() as (stream, far):
        await far.aclose()
        assert stream.send_now(b"words") == 0
        with pytest.raises(trio.BrokenResourceError):
            await stream.send_all(b"words")


async def test_one_that_is_closed_takes_nothing() -> None:
    async with connected() as (stream, _):
        await stream.aclose()
        assert stream.send_now(b"words") == 0
