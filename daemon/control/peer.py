"""Who is at the other end of the Unix socket, as the kernel says."""

import pwd
import socket
import struct

import attrs
import trio

_UCRED = struct.Struct("3i")
_SO_PEERGROUPS = 59  # <asm-generic/socket.h>; Python does not name it
_OPTION_BYTES_MAX = 1024  # Python reads no more of an option: 256 groups


@attrs.frozen
class Peer:
    """The process that connected: told by the kernel, not by the peer."""

    pid: int
    uid: int
    gid: int
    groups: frozenset[int] = frozenset()
    """All its groups; of a process in more than 256, or on a kernel before 4.13, the first only."""

    @property
    def who(self) -> str:
        """How history names them."""
        return f"staff:{self.name}"

    @property
    def name(self) -> str:
        """The user's name; the number, where none is known."""
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return str(self.uid)


def peer_of(stream: trio.SocketStream) -> Peer:
    """Read the peer's credentials; they are those of the moment when it connected."""
    raw = stream.socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    pid, uid, gid = _UCRED.unpack(raw)
    return Peer(pid=pid, uid=uid, gid=gid, groups=frozenset({gid, *_other_groups(stream)}))


def _other_groups(stream: trio.SocketStream) -> tuple[int, ...]:
    try:
        raw = stream.socket.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, _OPTION_BYTES_MAX)
    except OSError:
        return ()
    return struct.unpack(f"{len(raw) // 4}I", raw)
