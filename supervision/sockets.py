"""Listening sockets that systemd opened for us (socket activation, sd_listen_fds), by the names it gave them.

They are systemd's: it keeps them open while we restart, so that whoever connects meanwhile waits instead of
being refused. We neither bind them nor remove their files.
"""

import os
import socket
from collections.abc import Mapping

FIRST = 3  # SD_LISTEN_FDS_START


class SocketsRefused(Exception):
    """What was handed over cannot be used; says which unit to mend."""


def take_sockets(environment: Mapping[str, str] = os.environ) -> dict[str, list[socket.socket]]:
    """The sockets handed over to this very process, by name, in systemd's order.

    Call it once: the caller owns them. No child inherits them. SocketsRefused when one does not listen.
    """
    if environment.get("LISTEN_PID") != str(os.getpid()):
        return {}
    names = environment.get("LISTEN_FDNAMES", "").split(":")
    taken: dict[str, list[socket.socket]] = {}
    for index in range(int(environment.get("LISTEN_FDS", "0"))):
        name = names[index] if index < len(names) else "unknown"
        taken.setdefault(name, []).append(_take(FIRST + index, name))
    return taken


def _take(fd: int, name: str) -> socket.socket:
    os.set_inheritable(fd, False)
    try:
        sock = socket.socket(fileno=fd)
        listens = sock.type == socket.SOCK_STREAM and sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as exc:
        raise SocketsRefused(f"what systemd handed over as {name!r} is no socket: {exc.strerror}") from exc
    if not listens:
        raise SocketsRefused(f"the socket {name!r} does not listen for streams: its unit needs ListenStream=")
    return sock
