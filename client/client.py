"""The typed client: one method for each thing that can be asked of the daemon, a module a theme."""

import os
from collections.abc import Iterator
from pathlib import Path

from . import shapes
from .answers import Answers
from .launches import Launches
from .people import People
from .reading import read
from .restarts import Restarts
from .runs import Runs
from .socket_path import default_socket
from .watching import Watching

BACKUP_SILENCE_S = 1800.0  # the store is copied and checked before the first byte comes


def connect(socket: str | os.PathLike[str] | None = None) -> "Client":
    """A client of the daemon at `socket`, by default where crowdctl looks. DaemonUnreachable."""
    client = Client(default_socket(os.environ) if socket is None else Path(socket))
    client.status()
    return client


class Client(Launches, Runs, Watching, Answers, People, Restarts):
    """Asks the daemon. Every method may raise DaemonUnreachable, Refused and its kinds."""

    def status(self) -> "shapes.DaemonStatus":
        """What the daemon says of itself."""
        return read(shapes.DaemonStatus, self._connection.get("/status"))

    def audit(self, about: str | None = None) -> "Iterator[shapes.AuditEntry]":
        """What staff changed, oldest first, or what was about this: a run, by its label."""
        chosen = [] if about is None else [("subject", about)]
        return self._pages(shapes.AuditEntry, "/audit", "audit", chosen)

    def disk(self) -> "shapes.DiskInfo":
        """What takes how much in the daemon's data folder."""
        return read(shapes.DiskInfo, self._connection.get("/disk"))

    def backup(self) -> Iterator[bytes]:
        """A backup of all the daemon has, in pieces; secrets too. ConnectionCut: it is not whole."""
        with self._connection.open("GET", "/backup", timeout_s=BACKUP_SILENCE_S) as body:
            yield from body

    def save_backup(self, path: str | os.PathLike[str]) -> int:
        """Write a backup to a file: all of it, or the file stays as it was. Returns its size. OSError.

        The file is readable by its owner alone.
        """
        from .saving import save  # not every command needs it

        save(self.backup(), Path(path))
        return Path(path).stat().st_size

    def log_levels(self) -> "list[shapes.LogPart]":
        """The parts of the daemon that log, and how much each says."""
        return [read(shapes.LogPart, each) for each in self._connection.get("/log")["parts"]]

    def set_log_level(self, part: str, level: str) -> "shapes.LogPart":
        """Let a part log from `level` on, until the daemon ends. Refused, with the nearest name."""
        return read(shapes.LogPart, self._connection.post("/log", {"part": part, "level": level}))
