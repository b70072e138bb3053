"""The file of a socket: made, claimed from a daemon that died, removed. Speaks no HTTP."""

import errno
import logging
import os
import socket
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import trio

log = logging.getLogger(__name__)

SOCKET_MODE = 0o660  # the daemon's user and group; everybody else is kept out by the file system
PATH_BYTES_MAX = 107  # sun_path of the kernel, less its closing NUL
BACKLOG = 128
PROBE_S = 2.0


class ControlSocketTaken(Exception):
    """Somebody else answers at this path, or something that is no socket is in the way."""


@contextmanager
def open_socket_file(path: Path) -> Generator[trio.SocketListener]:
    """Listen at `path` (mode 0660). A socket there on which nobody answers any more is replaced.

    The file is removed when left, unless another has taken its place. ControlSocketTaken; OSError.
    """
    if len(os.fsencode(path)) > PATH_BYTES_MAX:
        raise ControlSocketTaken(
            f"{path}: a Unix socket's path has at most {PATH_BYTES_MAX} bytes; use a shorter data folder"
        )
    _remove_stale(path)
    with trio.socket.from_stdlib_socket(_listening(path)) as sock:
        mine = _identity(path)
        try:
            yield trio.SocketListener(sock)
        finally:
            if _identity(path) == mine:
                _remove(path)


@contextmanager
def lent(handed: socket.socket) -> Generator[trio.SocketListener]:
    """A socket that listens already and goes on when we have ended: its file and its mode are not ours.

    ControlSocketTaken when it is no Unix socket, for whose peers the kernel would not vouch.
    """
    if handed.family is not socket.AF_UNIX:
        raise ControlSocketTaken(
            "the control socket that systemd handed over is no Unix socket: mend crowdd.socket"
        )
    with trio.socket.from_stdlib_socket(handed) as sock:
        yield trio.SocketListener(sock)


def _listening(path: Path) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.bind(os.fspath(path))
        path.chmod(SOCKET_MODE)  # before listen: until then nobody can connect
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def _remove_stale(path: Path) -> None:
    with suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise ControlSocketTaken(f"{path} is in the way: it is not a socket. Move it elsewhere.")
        if _answers(path):
            raise ControlSocketTaken(
                f"{path}: another daemon answers there. Stop it, or use another data folder."
            )
        path.unlink()


def _remove(path: Path) -> None:
    try:
        path.unlink()
    except OSError as exc:  # it is in nobody's way: the next daemon sees that nobody answers there
        log.warning("%s stays behind: %s", path, exc.strerror)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(PROBE_S)
        try:
            probe.connect(os.fspath(path))
        except OSError as exc:
            if exc.errno in (errno.ECONNREFUSED, errno.ENOENT):
                return False
            if isinstance(exc, TimeoutError) or exc.errno == errno.EAGAIN:
                return True  # its backlog is full: busy, not dead
            raise
        return True


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino
