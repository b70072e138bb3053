"""When a link's frames go: in the very turn in which they are to, or by its writer where that cannot be."""

import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, cast

import attrs
import trio
from trio.testing import wait_all_tasks_blocked

from crowdd.daemon.channel import Wire
from crowdd.daemon.client_io import ClientIO
from crowdd.daemon.degraded import Degraded
from crowdd.daemon.house import House
from crowdd.daemon.parts import Page
from crowdd.daemon.router_link import LinkDuties, RouterLink
from crowdd.protocol.codec import decode_frame
from crowdd.protocol.handshake import Handshake
from crowdd.protocol.link import Role
from crowdd.protocol.names import WireId
from crowdd.protocol.packets import ClientBoundLiveUpdate
from crowdd.protocol.proof import NONCE_BYTES

from .bare_channel import BareChannel
from .conftest import a_run

SECRET = b"s" * 32
EPOCH = 7
AGENT = WireId("5")


@attrs.define(eq=False)
class Waiting(Wire):
    """A connection that takes frames as it is told to, and keeps in which way each update went."""

    shake: Handshake
    can_be_put: bool = True
    takes_whole: bool = True
    went: list[tuple[str, int]] = attrs.Factory(list[tuple[str, int]])
    frames: int = 0
    _answers: list[bytes] = attrs.Factory(list[bytes])
    _news: trio.Event = attrs.Factory(trio.Event)

    async def send(self, frame: bytes) -> None:
        await trio.lowlevel.checkpoint()
        if self.shake.peer is not None:
            self._note("sent", frame)
            return
        self._answers += self.shake.receive(frame)
        self._news.set()

    @property
    def is_free(self) -> bool:
        return self.can_be_put

    def put(self, frame: bytes) -> bool:
        self._note("put", frame)
        return self.takes_whole

    async def settle(self) -> None:
        await trio.lowlevel.checkpoint()
        self.went.append(("settled", 0))

    async def receive(self) -> bytes:
        while not self._answers:
            self._news = trio.Event()
            await self._news.wait()
        return self._answers.pop(0)

    def _note(self, how: str, frame: bytes) -> None:
        self.frames += 1
        updates = [packet for packet in decode_frame(frame) if isinstance(packet, ClientBoundLiveUpdate)]
        self.went += [(how, packet.number) for packet in updates]


class OneWay(BareChannel):
    """The way to a router that is always there."""

    def __init__(self, label: str) -> None:
        self.name = self.url = "http://router.test/"
        self.secrets = [SECRET]
        shake = Handshake(Role.ROUTER, [SECRET], label, random.Random(1).randbytes(NONCE_BYTES), EPOCH)
        self.wire = Waiting(shake)

    @asynccontextmanager
    async def connect(self) -> AsyncGenerator[Wire]:
        await trio.lowlevel.checkpoint()
        yield self.wire


async def a_link(house: House) -> tuple[RouterLink, Waiting]:
    """A link, and what it is connected by once it is served."""
    run = await a_run(house)
    nobody = cast(ClientIO, None)
    degraded = Degraded(house.wall)
    duties = LinkDuties(run, Page("0", b""), house.storage, nobody, house.wall, house.rng, degraded, None)
    channel = OneWay(run.label)
    return RouterLink(channel, duties), channel.wire


@asynccontextmanager
async def connected(house: House) -> AsyncGenerator[tuple[RouterLink, Waiting]]:
    """A link that is up and has nothing to say."""
    link, wire = await a_link(house)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(link.serve)
        await link.until(up=True)
        await wait_all_tasks_blocked()
        wire.frames = 0
        yield link, wire
        nursery.cancel_scope.cancel(reason="the test is over")


def say(link: RouterLink, *numbers: int) -> None:
    for number in numbers:
        link.stream_send(AGENT, number, _update(number))


def _update(number: int) -> dict[str, Any]:
    return {"update_id": f"5.{number}"}


async def test_what_was_gathered_is_away_as_soon_as_it_is_flushed(house: House) -> None:
    async with connected(house) as (link, wire):
        link.gather()
        say(link, 1, 2)
        link.flush()
        assert wire.went == [("put", 1), ("put", 2)]


async def test_what_was_gathered_shares_a_frame(house: House) -> None:
    async with connected(house) as (link, wire):
        link.gather()
        say(link, 1, 2)
        link.flush()
        await wait_all_tasks_blocked()
        assert wire.frames == 1


async def test_what_is_said_otherwise_is_sent_by_the_writer(house: House) -> None:
    async with connected(house) as (link, wire):
        link.gather()
        link.flush()
        say(link, 1)
        await wait_all_tasks_blocked()
        assert wire.went == [("sent", 1)]


async def test_a_connection_that_can_only_be_waited_for_is_left_to_the_writer(house: House) -> None:
    async with connected(house) as (link, wire):
        wire.can_be_put = False
        link.gather()
        say(link, 1)
        link.flush()
        await wait_all_tasks_blocked()
        assert wire.went == [("sent", 1)]


async def test_what_is_left_of_a_frame_goes_before_the_next_one(house: House) -> None:
    async with connected(house) as (link, wire):
        wire.takes_whole = False
        link.gather()
        say(link, 1)
        link.flush()
        say(link, 2)
        await wait_all_tasks_blocked()
        assert wire.went == [("put", 1), ("settled", 0), ("sent", 2)]


async def test_it_is_drained_once_all_that_was_gathered_is_away(house: House) -> None:
    async with connected(house) as (link, _):
        link.gather()
        say(link, 1)
        link.flush()
        with trio.fail_after(0):
            await link.drained()


async def test_what_is_flushed_before_there_is_a_connection_goes_once_there_is(house: House) -> None:
    link, wire = await a_link(house)
    link.gather()
    say(link, 1)
    link.flush()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(link.serve)
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel(reason="the test is over")
    assert wire.went == [("sent", 1)]
