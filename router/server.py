"""uvicorn with our way to begin, to end, and to bound what strangers do to connections.

With `http_protocol`, `socket_protocol` and `connections` the only modules that know the event loop behind the
application.
"""

import asyncio
import functools
import gc
import importlib
import resource
import signal
import socket
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

import uvicorn
from sniffio import current_async_library_cvar

from ..supervision.garbage import LOOK_S, GarbageSearch
from ..supervision.notify import Notifier
from ..supervision.open_files import raise_open_files
from .addresses import Proxies
from .app import RouterApp
from .at_once import behind_proxies
from .connections import Connections
from .http_protocol import BoundedProtocol
from .limits import CONNECTIONS_MAX, FILES_RESERVED, KEEP_ALIVE_S, SEND_S
from .socket_protocol import BoundedSocket

_TICKS_PER_S = 10  # while there is work; else one
_IMPORTED_LATE = ("anyio._backends._asyncio", "uvicorn.lifespan.on", "uvicorn.loops.uvloop")


class RouterServer(uvicorn.Server):
    """`on_ready` is called once connections are accepted, `on_ending` when it begins to end."""

    def __init__(
        self,
        config: uvicorn.Config,
        connections: Connections,
        on_ready: Callable[[], None],
        on_ending: Callable[[], None],
        notifier: Notifier,
    ) -> None:
        super().__init__(config)
        self._connections = connections
        self._on_ready = on_ready
        self._on_ending = on_ending
        self._notifier = notifier
        self._garbage = GarbageSearch()
        self._ping_at = 0.0
        self._collected = 0
        self._next_tick = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.has_failed = False

    def fail(self) -> None:
        """End soon, as who cannot go on."""
        self.has_failed = True
        self.stop()

    def stop(self) -> None:
        """End soon."""
        self.should_exit = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._next_tick.set)

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """End at SIGTERM and SIGINT."""
        # uvicorn's own raises the signal again after a clean end, which would hide our exit status 0.
        before = {name: signal.signal(name, self.handle_exit) for name in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for name, handler in before.items():
                signal.signal(name, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The second signal does not wait for anybody."""
        self.force_exit = self.should_exit
        self.stop()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        # Tasks inherit it. Else anyio finds it out in every call, and Python asks the kernel for that.
        current_async_library_cvar.set("asyncio")
        await super().startup(sockets)
        if self.started:
            self._garbage.begin()
            self._on_ready()

    async def main_loop(self) -> None:
        """Tick until it is to end. Where hundreds of routers have nothing to do, each wakes up seldom."""
        self._loop = asyncio.get_running_loop()
        counter = 0
        while not await self.on_tick(counter):
            ticks = 1 if self._has_work() else _TICKS_PER_S - counter % _TICKS_PER_S
            counter += ticks
            waited = self._loop.call_later(ticks / _TICKS_PER_S, self._next_tick.set)
            await self._next_tick.wait()
            self._next_tick.clear()
            waited.cancel()

    def _has_work(self) -> bool:
        """Whether there may soon be garbage to look for, as objects are made; or systemd wants its pings."""
        before, self._collected = self._collected, gc.get_count()[1]
        return self._collected != before or self._notifier.ping_every_s is not None

    async def on_tick(self, counter: int) -> bool:
        """In the loop that does the work: a blocked one misses the watchdog's pings."""
        if counter % round(SEND_S * _TICKS_PER_S) == 0:
            self._connections.end_stuck()
        if counter % round(LOOK_S * _TICKS_PER_S) == 0:
            self._garbage.look()
        every_s, now = self._notifier.ping_every_s, time.monotonic()
        if every_s is not None and now >= self._ping_at:
            self._ping_at = now + every_s
            self._notifier.say(watchdog=1)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer those who wait, so that their connections can end."""
        self._notifier.say(stopping=1, watchdog=1)
        self._on_ending()
        await super().shutdown(sockets)


def import_ahead() -> None:
    """Import what would only be imported once the server runs, for one that is to be ready soon."""
    for name in _IMPORTED_LATE:
        importlib.import_module(name)


def open_connections(trusted_proxies: Sequence[str]) -> Connections:
    """Room for as many connections as this process may have; raises what it may to what it can."""
    most = raise_open_files()
    files = CONNECTIONS_MAX + FILES_RESERVED if most == resource.RLIM_INFINITY else most
    return Connections(min(CONNECTIONS_MAX, max(1, files - FILES_RESERVED)), Proxies(trusted_proxies))


def server_config(app: RouterApp, connections: Connections, **settings: Any) -> uvicorn.Config:
    """What every router of ours sets."""
    proxies: list[str] = settings["forwarded_allow_ips"] if settings["proxy_headers"] else []
    take = behind_proxies(app.take, proxies) if proxies else app.take
    # uvicorn wants classes and only ever calls them.
    http: Any = functools.partial(BoundedProtocol, connections, take)
    ws: Any = functools.partial(BoundedSocket, connections)
    return uvicorn.Config(
        app,
        http=http,
        loop="uvloop",
        ws=ws,
        ws_per_message_deflate=False,
        lifespan="on",
        log_config=None,
        server_header=False,
        timeout_keep_alive=int(KEEP_ALIVE_S),
        **settings,
    )
