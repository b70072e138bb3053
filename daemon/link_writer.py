"""Writes what a link's end has to say to its wire: soon, by a task, or in this very turn of the loop."""

from collections.abc import Awaitable, Callable
from functools import partial

import trio

from ..protocol.link import LinkEnd
from .channel import LinkLost, Wire

SEND_S = 10.0  # a router that takes no frame for so long is gone


class LinkWriter:
    """One per link; connections come and go within it."""

    def __init__(self, end: LinkEnd) -> None:
        self._end = end
        self._wire: Wire | None = None
        self._woken, self._idle = trio.Event(), trio.Event()
        self._too_slow = False
        self._gathers = False
        self._is_left = False
        """Whether some of a frame is left that went in part."""

    def wake(self) -> None:
        """The end has something to send, or may have."""
        self._woken.set()

    def said(self) -> None:
        """The end has something to send, which may be gathered."""
        if self._idle.is_set():
            self._idle = trio.Event()
        if not self._gathers:
            self._woken.set()

    def is_too_slow(self) -> None:
        """The router reads too slowly: its connection is to end."""
        self._too_slow = True
        self._woken.set()

    def gather(self) -> None:
        """What is said from now on goes when `flush` is called, in this turn of the loop."""
        self._gathers = True

    def flush(self) -> None:
        """All that waits goes now, as far as the router takes it at once; the task sends the rest."""
        self._gathers = False
        wire = self._wire
        if wire is None or not wire.is_free:
            self._woken.set()
            return
        while (frame := self._end.take_frame()) is not None:
            if not wire.put(frame):
                self._is_left = True
                self._woken.set()
                return
        self._idle.set()

    async def next_idle(self) -> None:
        """Return once nothing waits to be sent, or the connection is lost."""
        await self._idle.wait()

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits to be sent."""
        return self._idle.is_set()

    def connection_lost(self) -> None:
        """What waited to be sent does not any more."""
        self._idle.set()

    async def serve(self, wire: Wire) -> None:
        """Write to a new connection until cancelled. LinkLost."""
        self._wire = wire
        self._too_slow = self._is_left = False
        try:
            await self._write_on(wire)
        finally:
            self._wire = None

    async def _write_on(self, wire: Wire) -> None:
        while True:
            self._woken = trio.Event()
            if self._too_slow:
                raise LinkLost("reads too slowly")
            await self._write(wire)
            self._idle.set()
            await self._woken.wait()

    async def _write(self, wire: Wire) -> None:
        if self._is_left:
            await _in_time(wire.settle)
            self._is_left = False
        while (frame := self._end.take_frame()) is not None:
            await _in_time(partial(wire.send, frame))


async def _in_time(send: Callable[[], Awaitable[None]]) -> None:
    with trio.move_on_after(SEND_S) as scope:
        await send()
    if scope.cancelled_caught:
        raise LinkLost(f"took no frame for {SEND_S:g} s")
