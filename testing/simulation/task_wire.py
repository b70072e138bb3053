"""A router's end of a connection whose frames are waited for: served by two tasks."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol

import trio


class Frames(Protocol):
    """How they travel, until one of the two raises."""

    async def send(self, frame: bytes) -> None:
        """Hand one over."""
        ...

    async def receive(self) -> bytes:
        """The next one."""
        ...


class TaskWire:
    """What a desk serves a link over; `lost` is what `frames` raise once the connection is gone."""

    def __init__(self, frames: Frames, lost: type[Exception]) -> None:
        self._frames = frames
        self._lost = lost
        self._news = trio.Event()

    async def serve(self, hear: Callable[[bytes], None], take: Callable[[], bytes | None]) -> None:
        """Until the connection is lost, either way."""
        async with trio.open_nursery() as nursery:

            async def until_lost(work: Callable[[], Awaitable[None]]) -> None:
                try:
                    await work()
                except self._lost:
                    nursery.cancel_scope.cancel()

            nursery.start_soon(until_lost, partial(self._write, take))
            nursery.start_soon(until_lost, partial(self._read, hear))

    def wake(self) -> None:
        """There is something to take."""
        self._news.set()

    async def _read(self, hear: Callable[[bytes], None]) -> None:
        while True:
            hear(await self._frames.receive())

    async def _write(self, take: Callable[[], bytes | None]) -> None:
        while True:
            self._news = trio.Event()
            while (frame := take()) is not None:
                await self._frames.send(frame)
            await self._news.wait()
