"""The files beside a database: the lock that one daemon holds, and the generation that no copy may precede.

crowdd.db             the database            crowdd.db.lock         held (flock) while a daemon has it open
crowdd.db.generation  the highest epoch that ever opened this database: a restored copy has a lower one
"""

import contextlib
import fcntl
import json
import os
import socket
from pathlib import Path

from ...files.durable import write_durably
from ..errors import StorageRefused


class Lock:
    """The lock on one database, held until closed or until the process ends, however it ends."""

    def __init__(self, database: Path) -> None:
        """Take it; StorageRefused, naming the holder, when another has it."""
        self._file = os.open(beside(database, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _holder(self._file)
            os.close(self._file)
            raise StorageRefused(
                f"{database} is held by {holder}. One daemon per store: stop that one, or use another store."
            ) from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode(), 0)

    def close(self) -> None:
        """Let the next one have it. The file stays: unlinking it could give two holders two files."""
        os.close(self._file)


def beside(database: Path, suffix: str) -> Path:
    """A file that belongs to the database."""
    return database.with_name(f"{database.name}.{suffix}")


def read_generation(database: Path) -> int:
    """The highest epoch known to have opened the database; 0 when there is no such file."""
    path = beside(database, "generation")
    try:
        return int(path.read_text())
    except FileNotFoundError:
        return 0
    except (ValueError, OSError) as exc:
        raise StorageRefused(
            f"{path} cannot be read ({exc}). It should hold one number. If the database is the newest, "
            f"accept it with: crowdd storage accept --data {database.parent}"
        ) from exc


def write_generation(database: Path, epoch: int) -> None:
    """Keep the epoch beside the database; durable when this returns."""
    write_durably(beside(database, "generation"), f"{epoch}\n".encode())


def _holder(lock_file: int) -> str:
    with contextlib.suppress(ValueError, KeyError, TypeError):
        holder = json.loads(os.pread(lock_file, 4096, 0))
        return f"process {holder['pid']} on {holder['host']}"
    return "another process"
