"""The service behind the control socket: accepts, notes who the peer is, hands the stream on."""

import logging
import socket
from collections import Counter
from pathlib import Path

import trio

from ..http_connections import HttpConnections
from ..roles import Staff
from ..socket_file import ControlSocketTaken, lent, open_socket_file
from .app import control_app
from .needs import Operator
from .peer import peer_of

__all__ = ["ControlSocketTaken", "serve_control"]

log = logging.getLogger(__name__)

CONNECTIONS_MAX = 128  # staff and their scripts; the daemon's file descriptors are for workers
USER_CONNECTIONS_MAX = 112  # nobody's scripts keep all others out
_BUSY_BODY = (
    b'{"error": {"code": "busy", "message": "Too many programs are connected to the daemon.", '
    b'"hint": "Try again shortly."}}'
)
_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Type: application/json\r\n"
    b"Retry-After: 1\r\nContent-Length: %d\r\n\r\n%b"
) % (len(_BUSY_BODY), _BUSY_BODY)


async def serve_control(
    operator: Operator,
    path: Path,
    staff: Staff,
    handed: socket.socket | None = None,
    *,
    task_status: trio.TaskStatus[Path] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Answer on the Unix socket `path` until cancelled; ready, and saying where, when people can connect.

    With a socket that systemd `handed` over, `path` is not used: who connects while no daemon runs waits.
    ControlSocketTaken when somebody else is there. Cancelled: answers under way are cut, a file of ours is
    removed.
    """
    http = HttpConnections(control_app(operator, staff), log, CONNECTIONS_MAX, _BUSY)
    seats = Counter[int]()  # by user

    async def serve_one(stream: trio.SocketStream) -> None:
        try:
            peer = peer_of(stream)
        except OSError:
            await trio.aclose_forcefully(stream)
            return
        if seats[peer.uid] >= USER_CONNECTIONS_MAX:
            await http.turn_away(stream)
            return
        seats[peer.uid] += 1
        try:
            await http.serve(stream, {"peer": peer}, peer.who)
        finally:
            seats[peer.uid] -= 1

    with open_socket_file(path) if handed is None else lent(handed) as listener:
        task_status.started(Path(listener.socket.getsockname()))
        await trio.serve_listeners(serve_one, [listener])
