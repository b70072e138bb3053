"""What a daemon tells a router process that it kept ready: which router it is from now on.

The daemon holds the other end of the socket that is the process's standard input. Its one message is the path
of the config, with two files: the lock of the router, and its log. Until then the process holds nothing; when
the socket ends without a message, the daemon has ended, or wants nobody.
"""

import os
import socket
from contextlib import suppress
from pathlib import Path

READY, TAKEN = b"ready", b"taken"
STDIN, STDOUT, STDERR = range(3)
PATH_BYTES_MAX = 4096
FILES = 2


def hand_over(door: socket.socket, config: Path, lock: int, log: int) -> None:
    """Tell the process, which has said READY and will say TAKEN. OSError: it is gone."""
    socket.send_fds(door, [os.fsencode(config)], [lock, log])


def wait_for_config() -> Path | None:
    """The config of the router that this process is from now on, or None.

    The lock is held from then on by a file that nobody closes. The daemon may have ended meanwhile: the next
    finds us by that lock, as it would any router.
    """
    with socket.socket(fileno=os.dup(STDIN)) as door, open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), STDIN)
        try:
            door.send(READY)
            config, files, _, _ = socket.recv_fds(door, PATH_BYTES_MAX, FILES)
        except OSError:
            return None
        if not config or len(files) != FILES:
            return None
        _lock, log = files
        os.dup2(log, STDOUT)
        os.dup2(log, STDERR)
        os.close(log)
        with suppress(OSError):
            door.send(TAKEN)
        return Path(os.fsdecode(config))
