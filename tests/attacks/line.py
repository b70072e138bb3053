"""The line between a daemon and a router: a relay that is slow, thin, silent one way, or cuts connections."""

import random
import socket
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from functools import partial

import attrs
import trio

CHUNK_BYTES = 16 * 1024
CHUNKS_MAX = 1_000


@attrs.define(eq=False)
class Way:
    """One direction. `held`: nothing passes, and nothing says so. `said`: what came by each connection."""

    held: bool = False
    said: list[bytearray] = attrs.Factory(list[bytearray])
    _news: trio.Event = attrs.Factory(trio.Event)

    def hold(self) -> None:
        self.held = True

    def let_go(self) -> None:
        self.held = False
        self._news.set()
        self._news = trio.Event()

    async def passes(self) -> None:
        while self.held:
            await self._news.wait()


class Line:
    """Everything from its port to the target goes `up`, what comes back goes `down`."""

    def __init__(self, target: int, rng: random.Random) -> None:
        self.up, self.down = Way(), Way()
        self.delay_s = (0.0, 0.0)
        self.bytes_per_s: float | None = None
        self.refusing = False
        self.port = 0
        self._target = target
        self._rng = rng
        self._open: set[trio.SocketStream] = set()

    def reset(self) -> None:
        """Whatever is connected is not any more, at once and without a word."""
        for stream in self._open:
            stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            stream.socket.close()

    async def carry(self, near: trio.SocketStream) -> None:
        """Serve one connection until either side ends it."""
        async with near:
            if self.refusing:
                return
            async with await trio.open_tcp_stream("127.0.0.1", self._target) as far:
                self._open |= {near, far}
                async with trio.open_nursery() as both:
                    both.start_soon(self._pump, near, far, self.up, both.cancel_scope)
                    both.start_soon(self._pump, far, near, self.down, both.cancel_scope)
                self._open -= {near, far}

    async def _pump(
        self, source: trio.SocketStream, sink: trio.SocketStream, way: Way, both: trio.CancelScope
    ) -> None:
        said = bytearray()
        way.said.append(said)
        send, receive = trio.open_memory_channel[tuple[float, bytes]](CHUNKS_MAX)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._deliver, receive, sink, way)
            with send, suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                while data := bytes(await source.receive_some(CHUNK_BYTES)):
                    said += data
                    await send.send((trio.current_time() + self._rng.uniform(*self.delay_s), data))
        both.cancel()

    async def _deliver(
        self, receive: trio.MemoryReceiveChannel[tuple[float, bytes]], sink: trio.SocketStream, way: Way
    ) -> None:
        with receive, suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            async for at, data in receive:
                await trio.sleep_until(at)
                if self.bytes_per_s is not None:
                    await trio.sleep(len(data) / self.bytes_per_s)
                await way.passes()
                await sink.send_all(data)


@asynccontextmanager
async def open_line(target: int, seed: int = 1) -> AsyncGenerator[Line]:
    """A line to this port of this machine."""
    line = Line(target, random.Random(seed))
    async with trio.open_nursery() as nursery:
        [listener] = await nursery.start(partial(trio.serve_tcp, line.carry, 0, host="127.0.0.1"))
        line.port = int(listener.socket.getsockname()[1])
        yield line
        nursery.cancel_scope.cancel()
