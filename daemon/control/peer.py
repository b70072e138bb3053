"""Who is at the other end of the Unix socket, as the kernel says."""

import pwd
import socket
import struct

import attrs
import trio

_UCRED = struct.Struct("3i")


@attrs.frozen
class Peer:
    """The process that connected: told by the kernel, not by the peer."""

    pid: int
    uid: int
    gid: int

    @property
    def who(self) -> str:
        """How history names them."""
        return f"staff:{_user_name(self.uid)}"


def peer_of(stream: trio.SocketStream) -> Peer:
    """Read the peer's credentials; they are those of the moment when it connected."""
    raw = stream.socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    pid, uid, gid = _UCRED.unpack(raw)
    return Peer(pid=pid, uid=uid, gid=gid)


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
