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


class HttpConnections:
    """Serves one ASGI application on any number of streams."""

    def __init__(self, app: ASGIApp, log: logging.Logger) -> None:
        self._app = ASGIWrapper(app)  # type: ignore[arg-type]  # ASGI by other names
        self._log = log
        self._context = WorkerContext(None)
        self._config = _hypercorn_config(log)

    async def serve(self, stream: trio.SocketStream, state: dict[str, Any], who: str) -> None:
        """Talk to one peer; `state` is the application's, in its scope.

        What goes wrong there is logged and ends this connection only. Cancelled: cut, whatever it waits for.
        Hypercorn's server is annotated for TLS streams, but takes plain ones.
        """
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
