"""HTTP for services that accept streams themselves: Hypercorn talks to one peer. Listens nowhere."""

import logging
from typing import Any

import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ConnectionState
from starlette.types import ASGIApp

TURN_AWAY_S = 1.0


class HttpConnections:
    """Serves one ASGI application on at most `connections_max` streams at once."""

    def __init__(self, app: ASGIApp, log: logging.Logger, connections_max: int, busy: bytes = b"") -> None:
        self._app = ASGIWrapper(app)  # type: ignore[arg-type]  # ASGI by other names
        self._log = log
        self._seats = trio.CapacityLimiter(connections_max)
        self._busy = busy
        self._context = WorkerContext(None)
        self._config = _hypercorn_config(log)

    async def serve(self, stream: trio.SocketStream, state: dict[str, Any], who: str) -> None:
        """Talk to one peer; `state` is the application's, in its scope.

        One too many is told `busy`, a whole HTTP answer, and closed. What goes wrong here is logged and ends
        this connection only. Cancelled: cut, whatever it waits for.
        """
        try:
            self._seats.acquire_nowait()
        except trio.WouldBlock:
            await self.turn_away(stream)
            return
        try:
            await self._talk(stream, state, who)
        finally:
            self._seats.release()

    async def turn_away(self, stream: trio.SocketStream) -> None:
        """Say that there is no room, and close."""
        with trio.move_on_after(TURN_AWAY_S):
            try:
                await stream.send_all(self._busy)
            except trio.BrokenResourceError:
                self._log.debug("a peer that was turned away had gone already")
        await trio.aclose_forcefully(stream)

    async def _talk(self, stream: trio.SocketStream, state: dict[str, Any], who: str) -> None:
        """Hypercorn's server is annotated for TLS streams, but takes plain ones."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_cut_when_cancelled, stream)
                server = TCPServer(self._app, self._config, self._context, ConnectionState(state), stream)  # type: ignore[arg-type]
                await server.run()
                nursery.cancel_scope.cancel()
        except Exception:
            self._log.exception("connection of %s ended by an error", who)


def _hypercorn_config(log: logging.Logger) -> Config:
    config = Config()
    config.accesslog = None
    config.errorlog = log
    config.include_server_header = False
    config.keep_alive_max_requests = 0  # Hypercorn holds an idle connection for seconds after its peer left
    return config


async def _cut_when_cancelled(stream: trio.SocketStream) -> None:
    """Hypercorn shields its sends: a peer that does not read would hold up the daemon's end for ever."""
    try:
        await trio.sleep_forever()
    finally:
        stream.socket.close()
