"""A bad connection between daemon and router, in memory: late, cut, or silent in one direction."""

import math
import random
from collections.abc import Callable

import attrs
import trio

from ...daemon.channel import LinkLost, Wire

DELAY_S = (0.001, 0.2)  # one way, drawn for every frame; order holds, as within one TCP connection


@attrs.define(eq=False)
class Weather:
    """How bad the way to a router is at present; who makes the faults changes it."""

    closed: int = 0
    """No connection can be had. Counted, like the others: several faults may fall together."""
    mute_up: int = 0
    """What the router says vanishes without a trace."""
    mute_down: int = 0
    """What the daemon says vanishes without a trace."""


class Connection:
    """One connection: two wires, until a side closes it or the network cuts it."""

    def __init__(self, weather: Weather, rng: random.Random) -> None:
        self.lost = trio.Event()
        down, up = _Pipe(rng), _Pipe(rng)
        self.daemon_end = _End(self, up, down, lambda: bool(weather.mute_down))
        self.router_end = _End(self, down, up, lambda: bool(weather.mute_up))
        self._pipes = (down, up)

    def close(self) -> None:
        """A side (or its death) ends it: what is under way still arrives, as with TCP."""
        for pipe in self._pipes:
            pipe.close()

    def cut(self) -> None:
        """The network ends it: what is under way is lost, and both sides notice at once."""
        self.lost.set()
        self.close()


class _Pipe:
    """One direction: frames come out in order, each at its time."""

    def __init__(self, rng: random.Random) -> None:
        # No bound: what may be under way is bounded by the senders, as their tests show.
        self._sent, self._under_way = trio.open_memory_channel[tuple[float, bytes]](math.inf)
        self._rng = rng
        self._latest = 0.0

    def put(self, frame: bytes) -> None:
        self._latest = max(self._latest, trio.current_time() + self._rng.uniform(*DELAY_S))
        try:
            self._sent.send_nowait((self._latest, frame))
        except trio.ClosedResourceError:
            raise LinkLost("the simulated connection has ended") from None

    async def take(self) -> bytes:
        at, frame = await self._under_way.receive()
        await trio.sleep_until(at)
        return frame

    def close(self) -> None:
        self._sent.close()


class _End(Wire):
    def __init__(
        self, connection: Connection, inward: _Pipe, outward: _Pipe, muted: Callable[[], bool]
    ) -> None:
        self._connection = connection
        self._inward = inward
        self._outward = outward
        self._muted = muted
        self._has_lost = False

    async def send(self, frame: bytes) -> None:
        """What follows a lost frame is lost, too: TCP gives nothing out that has a gap before it."""
        await trio.lowlevel.checkpoint()
        self._put(frame)

    @property
    def is_free(self) -> bool:
        return True

    def put(self, frame: bytes) -> bool:
        try:
            self._put(frame)
        except LinkLost:
            return False
        return True

    async def settle(self) -> None:
        """Whatever could be put is away: so it has ended."""
        await trio.lowlevel.checkpoint()
        raise LinkLost("the simulated connection has ended")

    def _put(self, frame: bytes) -> None:
        self._has_lost = self._has_lost or self._muted()
        if not self._has_lost:
            self._outward.put(frame)

    async def receive(self) -> bytes:
        try:
            frame = await self._inward.take()
        except trio.EndOfChannel:
            raise LinkLost("the simulated connection has ended") from None
        if self._connection.lost.is_set():
            raise LinkLost("the simulated connection was cut")
        return frame
