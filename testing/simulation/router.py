"""A router process in simulation: the real core and desk, without sockets, threads or a disk."""

import math
import random
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from itertools import count
from typing import Any

import attrs
import trio

from ...daemon.channel import LinkLost, LinkRefused
from ...daemon.channel import Wire as ChannelWire
from ...protocol.documents import dump_json, load_json
from ...protocol.errors import LinkRefusal
from ...protocol.handshake import Handshake, Peer
from ...protocol.limits import HELLO_S
from ...protocol.link import Role
from ...protocol.names import Reason
from ...protocol.proof import NONCE_BYTES
from ...router.commands import HttpAnswer, SocketId, SpoolCommand
from ...router.desk import Desk
from ...router.json_posts import JSON_POSTS
from ...router.mailbox import Mailbox
from ...router.run import RouterRun
from ...router.tickets import Caller
from ..doors import SocketLost
from .spool import SpoolDisk
from .task_wire import TaskWire
from .wire import Connection, Weather

TICK_S = 0.25
EPOCH_BITS = 39
NOT_FOUND = HttpAnswer(404, {"reason": "not_found", "text": "There is nothing at this address."})


class RouterGone(Exception):
    """The router died before it answered, or is not there."""


@attrs.define(eq=False)
class Disk:
    """What a router keeps over restarts."""

    key: bytes | None = attrs.field(default=None, repr=False)
    bundle: str = ""
    """Which pages are deployed; "" for none: then the run is not known here."""
    spool: SpoolDisk = attrs.Factory(SpoolDisk)


@attrs.frozen(eq=False)
class _Life:
    """All that dies with a router process."""

    epoch: int
    desk: Desk
    to_disk: trio.MemoryReceiveChannel[SpoolCommand]
    gone: trio.Event = attrs.Factory(trio.Event)
    connections: list[Connection] = attrs.Factory(list[Connection])


class SimulatedRouter:
    """One router of one run. `serve` gives it lives; `restart` ends one."""

    def __init__(self, label: str, secret: bytes, rng: random.Random, wall: Callable[[], float]) -> None:
        self.label = label
        self.secret = secret
        self.weather = Weather()
        self.disk = Disk()
        self._rng = rng
        self._wall = wall
        self._names = count(1)
        self._down_s = 0.0
        self._life: _Life | None = None
        # No bound: a daemon opens one connection at a time.
        self._arriving, self._arrived = trio.open_memory_channel[Connection](math.inf)

    async def serve(self) -> None:
        """Live, die when told to, and live again, until cancelled."""
        while True:
            self._life = life = self._begin()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_tick, life)
                nursery.start_soon(self._serve_disk, life)
                nursery.start_soon(self._take_links, life, nursery)
                await life.gone.wait()
                nursery.cancel_scope.cancel()
            await trio.sleep(self._down_s)

    def _begin(self) -> _Life:
        epoch = self._rng.getrandbits(EPOCH_BITS) + 1
        kept = self.disk.spool.load()
        core = RouterRun(self.label, self.disk.key, epoch, trio.current_time(), self._wall, kept=kept)
        # No bound: an outbox has limits of its own.
        wanted, to_disk = trio.open_memory_channel[SpoolCommand](math.inf)
        desk = Desk(core, lambda digests: None, lambda desk, command: wanted.send_nowait(command))
        return _Life(epoch, desk, to_disk)

    async def _serve_disk(self, life: _Life) -> None:
        async with trio.open_nursery() as nursery:
            async for command in life.to_disk:
                nursery.start_soon(self.disk.spool.carry_out, life.desk, command, self._rng)

    def restart(self, down_s: float) -> None:
        """Die at once, without a word to anybody, and come back after `down_s` with what is on disk."""
        if self._life is not None:
            for connection in self._life.connections:
                connection.close()
            self._life.gone.set()
            self._life, self._down_s = None, down_s

    # --- the daemon's side

    def connect(self) -> Connection:
        """A daemon comes. LinkLost."""
        life = self._present()
        connection = Connection(self.weather, self._rng)
        life.connections.append(connection)
        self._arriving.send_nowait(connection)
        return connection

    def deploy(self, bundle: str) -> None:
        """Serve the run. LinkLost."""
        self._present()
        self.disk.bundle = bundle

    def undeploy(self, discard: bool = False) -> None:
        """Take the run off; whoever waits is told that it has ended. LinkLost, LinkRefused."""
        desk = self._present().desk
        if len(desk.run.outbox) and not discard:
            raise LinkRefused("the outbox of the run is not empty")
        desk.carry_out(desk.run.end(Reason.RUN_ENDED))
        desk.drop_link("the run was taken off this router")
        self.disk = Disk()

    def _present(self) -> _Life:
        if self._life is None or self.weather.closed:
            raise LinkLost("the simulated router cannot be reached")
        return self._life

    def cut(self) -> None:
        """Lose every connection with a daemon."""
        for connection in self._life.connections if self._life is not None else []:
            connection.cut()

    async def _take_links(self, life: _Life, nursery: trio.Nursery) -> None:
        async for connection in self._arrived:
            nursery.start_soon(self._serve_link, life, connection)

    async def _serve_link(self, life: _Life, connection: Connection) -> None:
        wire = connection.router_end
        try:
            with trio.fail_after(HELLO_S):
                peer = await self._shake_hands(life, wire)
            if life.desk.refuses(peer) is None:
                self.disk.key = peer.key
                await life.desk.serve_link(peer, TaskWire(wire, LinkLost))
        except (LinkLost, LinkRefusal, trio.TooSlowError):
            pass
        finally:
            connection.close()
            life.connections.remove(connection)

    async def _shake_hands(self, life: _Life, wire: ChannelWire) -> Peer:
        nonce = self._rng.randbytes(NONCE_BYTES)
        owed = life.desk.run.outbox.agents
        shake = Handshake(Role.ROUTER, [self.secret], self.label, nonce, life.epoch, outbox=owed)
        while shake.peer is None:
            for frame in shake.receive(await wire.receive()):
                await wire.send(frame)
        return shake.peer

    # --- the browsers' side

    async def post(self, path: str, body: Mapping[str, Any], caller: Caller) -> HttpAnswer:
        """A page POSTs. RouterGone; BadRequest."""
        if (life := self._life) is None:
            raise RouterGone
        if not self.disk.bundle:
            return NOT_FOUND
        asked = JSON_POSTS[path].read(dump_json(dict(body)), caller, life.desk)
        if isinstance(asked, HttpAnswer):
            return asked
        request = attrs.evolve(
            asked, request=f"{life.epoch:x}-{next(self._names)}"
        )  # the seed's, not chance's
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_cancel_when, life.gone, nursery.cancel_scope)
            answer = await life.desk.ask(request, caller)
            nursery.cancel_scope.cancel()
            return answer
        raise RouterGone

    @contextmanager
    def open_socket(self, address: str) -> Generator["SimulatedSocket"]:
        """A page connects, for as long as the block runs. SocketLost."""
        life = self._life
        seat = None if life is None else life.desk.open_socket(address)
        if life is None or seat is None or not self.disk.bundle:
            raise SocketLost("no socket can be had")
        try:
            yield SimulatedSocket(life.desk, life.gone, *seat)
        finally:
            life.desk.close_socket(seat[0])


@attrs.frozen
class SimulatedSocket:
    """One page's websocket."""

    _desk: Desk
    _gone: trio.Event
    _seat: SocketId
    _mailbox: Mailbox

    async def send(self, packet: Mapping[str, Any]) -> None:
        """SocketLost."""
        await trio.lowlevel.checkpoint()
        if self._gone.is_set() or self._mailbox.closing is not None:
            raise SocketLost("the router closed the socket")
        self._desk.hear(self._seat, dump_json(dict(packet)))

    async def receive(self) -> Mapping[str, Any]:
        """SocketLost."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_cancel_when, self._gone, nursery.cancel_scope)
            packet = await self._next()
            nursery.cancel_scope.cancel()
            if packet is not None:
                told: Mapping[str, Any] = load_json(packet)
                return told
        raise SocketLost("the router closed the socket")

    async def _next(self) -> bytes | None:
        while not self._mailbox.packets:
            if self._mailbox.closing is not None:
                return None
            news = trio.Event()
            self._mailbox.on_news = news.set
            await news.wait()
        return self._mailbox.take()


async def _tick(life: _Life) -> None:
    while True:
        await trio.sleep(TICK_S)
        life.desk.tick()


async def _cancel_when(event: trio.Event, scope: trio.CancelScope) -> None:
    await event.wait()
    scope.cancel()
