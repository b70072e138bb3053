"""The service behind the control socket: accepts, notes who the peer is, hands the stream to Hypercorn."""

import logging
from pathlib import Path

import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ConnectionState

from .app import control_app
from .needs import Operator
from .peer import Peer, peer_of
from .socket_file import ControlSocketTaken, open_socket_file
from .storage_loss import StorageLoss

__all__ = ["ControlSocketTaken", "serve_control"]

log = logging.getLogger(__name__)

CONNECTIONS_MAX = 128  # staff and their scripts; the daemon's file descriptors are for workers
_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Type: application/json\r\n"
    b"Content-Length: 120\r\n\r\n"
    b'{"error": {"code": "busy", "message": "Too many programs are connected to the daemon.", '
    b'"hint": "Try again shortly."}}   '
)


async def serve_control(
    operator: Operator, path: Path, *, task_status: trio.TaskStatus[Path] = trio.TASK_STATUS_IGNORED
) -> None:
    """Answer on the Unix socket `path` until cancelled; ready when people can connect.

    ControlSocketTaken when somebody else is there. LeaseLost, StorageFailed (in a group) when a request found
    the store lost. Cancelled: answers under way are cut, the file is removed.
    """
    app = StorageLoss(control_app(operator))
    config = _hypercorn_config()
    context = WorkerContext(None)
    wrapped = ASGIWrapper(app)  # type: ignore[arg-type]  # ASGI by other names
    seats = trio.CapacityLimiter(CONNECTIONS_MAX)

    async def serve_one(stream: trio.SocketStream) -> None:
        try:
            seats.acquire_nowait()
        except trio.WouldBlock:
            await _turn_away(stream)
            return
        try:
            await _serve_connection(wrapped, config, context, stream)
        finally:
            seats.release()

    with open_socket_file(path) as listener:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(app.rise)
            task_status.started(path)
            await trio.serve_listeners(serve_one, [listener])


def _hypercorn_config() -> Config:
    config = Config()
    config.accesslog = None
    config.errorlog = log
    config.include_server_header = False
    config.keep_alive_max_requests = 0  # Hypercorn holds an idle connection for seconds after its peer left
    return config


async def _serve_connection(
    app: ASGIWrapper, config: Config, context: WorkerContext, stream: trio.SocketStream
) -> None:
    """Let Hypercorn talk to one peer. What goes wrong there is logged and ends this connection only.

    Its server is annotated for TLS streams, but takes plain ones.
    """
    state: dict[str, Peer] = {"peer": peer_of(stream)}
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_cut_when_cancelled, stream)
            server = TCPServer(app, config, context, ConnectionState(state), stream)  # type: ignore[arg-type]
            await server.run()
            nursery.cancel_scope.cancel()
    except Exception:
        log.exception("control connection of %s ended by an error", state["peer"].who)


async def _cut_when_cancelled(stream: trio.SocketStream) -> None:
    """Hypercorn shields its sends: a peer that does not read would hold up the daemon's end for ever."""
    try:
        await trio.sleep_forever()
    finally:
        stream.socket.close()


async def _turn_away(stream: trio.SocketStream) -> None:
    with trio.move_on_after(1):
        try:
            await stream.send_all(_BUSY)
        except trio.BrokenResourceError:
            log.debug("a peer that was turned away had gone already")
    await trio.aclose_forcefully(stream)
