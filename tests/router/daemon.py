"""A daemon that does as its script says, over any transport: the other end of a router under test."""

import hashlib
import os
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import attrs
import httpx
import trio
import trio.testing
import trio_websocket

from crowdd.protocol.handshake import Handshake, Peer
from crowdd.protocol.link import Heard, LinkEnd, Role, Said
from crowdd.protocol.names import AgentStatus, Outcome, WireId
from crowdd.protocol.packets import (
    AgentDetails,
    Answer,
    MephistoBoundLiveUpdate,
    RegisterAgent,
    Request,
    ReturnUnit,
    SubmitMetadata,
    SubmitOnboarding,
    SubmitUnit,
    UpdateStatus,
)
from crowdd.protocol.proof import sign_request
from crowdd.protocol.uploads import UploadRule
from crowdd.router.desk import Desk
from crowdd.testing.simulation.task_wire import Frames, TaskWire

from .kit import KEY, agent_id
from .sockets import PATIENCE_S, open_websocket

SECRET = b"s" * 32
Script = Callable[[Heard], list[Said]]


def willing(packet: Heard) -> list[Said]:
    """Lets everybody in as agent 1 and commits whatever comes."""
    match packet:
        case RegisterAgent():
            return [
                AgentDetails(
                    packet.request, Outcome.OK, "5", agent_id(), {"item": 1}, status=AgentStatus.IN_TASK
                ),
                UpdateStatus(agent_id(), 1, AgentStatus.IN_TASK),
            ]
        case SubmitOnboarding():
            return [AgentDetails(packet.request, Outcome.OK, "5", agent_id(), {"item": 1})]
        case SubmitUnit():
            return [Answer(packet.request, Outcome.OK, status=AgentStatus.COMPLETED)]
        case SubmitMetadata() | ReturnUnit():
            return [Answer(packet.request, Outcome.OK)]
        case _:
            return []


@attrs.define(eq=False)
class Daemon:
    """One daemon, which outlives its connections. `heard` is all that reached it."""

    script: Script = willing
    epoch: int = 1
    secret: bytes = SECRET
    key: bytes = KEY
    uploads: UploadRule | None = None
    heard: list[Heard] = attrs.Factory(list[Heard])
    end: LinkEnd = attrs.field(init=False)
    _news: trio.Event = attrs.Factory(trio.Event)
    _wake: trio.Event = attrs.Factory(trio.Event)

    def __attrs_post_init__(self) -> None:
        self.end = LinkEnd(Role.DAEMON, self.epoch)

    @property
    def asked(self) -> list[Request]:
        """What pages asked; without the router's own reports, which come when their time is there."""
        return [packet for packet in self.heard if isinstance(packet, Request)]

    async def hears(self, kind: type[Heard], count: int = 1) -> None:
        """Wait until so many packets of this class have come."""
        await self.hears_that(lambda packet: isinstance(packet, kind), count)

    async def hears_that(self, is_it: Callable[[Heard], bool], count: int = 1) -> None:
        """Wait until so many packets have come of which this is true."""
        with trio.fail_after(PATIENCE_S):
            while sum(map(is_it, self.heard)) < count:
                self._news = trio.Event()
                await self._news.wait()

    def say(self, *packets: Said) -> None:
        """Say something unasked."""
        for packet in packets:
            self.end.send(packet)
        self._wake.set()

    def update(self, agent: WireId, update: dict[str, object]) -> None:
        """Send a live update."""
        self.end.stream_send(agent, update)
        self._wake.set()

    async def shake_hands(self, label: str, frames: Frames, statuses: dict[str, str] | None = None) -> Peer:
        """Prove ourselves to the router; LinkRefusal if it does not want us."""
        handshake = Handshake(
            Role.DAEMON,
            [self.secret],
            label,
            os.urandom(32),
            self.epoch,
            key=self.key,
            statuses=statuses,
            uploads=self.uploads,
        )
        out = handshake.start()
        while True:
            for frame in out:
                await frames.send(frame)
            out = handshake.receive(await frames.receive())
            if handshake.peer is not None:
                return handshake.peer

    async def serve(self, router: Peer, frames: Frames) -> None:
        """Do as the script says until cancelled or the connection ends."""
        self.end.connection_made(trio.current_time(), router.epoch)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._write, frames)
                while True:
                    for packet in self.end.receive(await frames.receive(), trio.current_time()):
                        self.heard.append(packet)
                        if isinstance(packet, MephistoBoundLiveUpdate):
                            self.end.stream_stored(packet)
                        self.say(*self.script(packet))
                    self._news.set()
                    self._wake.set()
        finally:
            self.end.connection_lost()

    async def _write(self, frames: Frames) -> None:
        while True:
            self._wake = trio.Event()
            while (frame := self.end.take_frame()) is not None:
                await frames.send(frame)
            await self._wake.wait()


class MemoryFrames:
    """One side of a connection in memory."""

    def __init__(
        self, send: trio.MemorySendChannel[bytes], receive: trio.MemoryReceiveChannel[bytes]
    ) -> None:
        self._send, self._receive = send, receive

    async def send(self, frame: bytes) -> None:
        await self._send.send(frame)

    async def receive(self) -> bytes:
        return await self._receive.receive()


@asynccontextmanager
async def linked_in_memory(daemon: Daemon, desk: Desk) -> AsyncGenerator[None]:
    """Join a daemon to a run's desk without any transport."""
    down_send, down_receive = trio.open_memory_channel[bytes](64)
    up_send, up_receive = trio.open_memory_channel[bytes](64)
    async with trio.open_nursery() as nursery:
        peer = Peer(1, daemon.epoch, daemon.key, {}, [], daemon.uploads)
        nursery.start_soon(
            desk.serve_link, peer, TaskWire(MemoryFrames(up_send, down_receive), trio.EndOfChannel)
        )
        router = Peer(1, 7, b"", {}, [])
        nursery.start_soon(daemon.serve, router, MemoryFrames(down_send, up_receive))
        await trio.testing.wait_all_tasks_blocked()
        yield
        nursery.cancel_scope.cancel()


class _SocketFrames:
    def __init__(self, socket: trio_websocket.WebSocketConnection) -> None:
        self._socket = socket

    async def send(self, frame: bytes) -> None:
        await self._socket.send_message(frame)

    async def receive(self) -> bytes:
        message = await self._socket.get_message()
        assert isinstance(message, bytes)
        return message


@asynccontextmanager
async def open_link(
    url: str, label: str, headers: list[tuple[bytes, bytes]] | None = None
) -> AsyncGenerator[Frames]:
    """Open the link's websocket at a real router, before any hello."""
    path = f"/_crowdd/link/{label}"
    async with open_websocket(url, path, headers or (), ["crowdd.1"]) as socket:
        yield _SocketFrames(socket)


@asynccontextmanager
async def linked(
    daemon: Daemon, url: str, label: str = "digits", statuses: dict[str, str] | None = None
) -> AsyncGenerator[Peer]:
    """Link a daemon to a real router."""
    async with open_link(url, label) as frames:
        router = await daemon.shake_hands(label, frames, statuses)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_serve_until_lost, daemon, router, frames)
            yield router
            nursery.cancel_scope.cancel()


async def until_closed(frames: Frames) -> None:
    """Read until the other side ends the connection; ConnectionClosed then."""
    with trio.fail_after(PATIENCE_S):
        while True:
            await frames.receive()


async def _serve_until_lost(daemon: Daemon, router: Peer, frames: Frames) -> None:
    try:
        await daemon.serve(router, frames)
    except* trio_websocket.ConnectionClosed:
        pass


def proof(
    method: str, path: str, body_sha256: str = "", secret: bytes = SECRET, age_s: float = 0.0
) -> dict[str, str]:
    """The header with which a daemon proves itself over HTTP."""
    return {"Authorization": sign_request(secret, method, path, time.time() - age_s, body_sha256)}


async def deploy(client: httpx.AsyncClient, archive: bytes, label: str = "digits") -> httpx.Response:
    """Put a bundle on a router."""
    digest = sha256(archive)
    path = f"/_crowdd/runs/{label}/bundle/{digest}"
    return await client.put(path, content=archive, headers=proof("PUT", path, digest))


def sha256(content: bytes) -> str:
    """Hex, as everywhere."""
    return hashlib.sha256(content).hexdigest()
