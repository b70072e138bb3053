"""The systemd journal: whether our stderr leads there, and lines with fields in its own protocol."""

import logging
import os
import socket
from collections.abc import Mapping
from typing import TextIO

from .lines import ids_of, priority, sentence, traceback_lines
from .parts import part_of

SOCKET = "/run/systemd/journal/socket"


def is_journal(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether systemd says that this very stream is read by the journal; a child's redirected one is not."""
    try:
        there = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return environment.get("JOURNAL_STREAM") == f"{there.st_dev}:{there.st_ino}"


class JournalHandler(logging.Handler):
    """Sends each line with its ids as fields (RUN=, AGENT=); `otherwise` gets what it does not take."""

    def __init__(self, otherwise: logging.Handler, path: str = SOCKET) -> None:
        super().__init__()
        self._otherwise = otherwise
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)

    def emit(self, record: logging.LogRecord) -> None:
        """Send one line; it is with the journal, or with `otherwise`, when this returns."""
        try:
            self._socket.sendto(datagram(record), self._path)
        except OSError:  # no journal here, or a traceback longer than its datagrams
            self._otherwise.handle(record)

    def close(self) -> None:
        """Nothing is left to send: every line went out when it was said."""
        self._socket.close()
        super().close()


def datagram(record: logging.LogRecord) -> bytes:
    """The line in the journal's protocol."""
    fields: dict[str, object] = {
        "MESSAGE": "\n".join([sentence(record), *traceback_lines(record)]),
        "PRIORITY": priority(record),
        "SYSLOG_IDENTIFIER": "crowdd",
        "PART": part_of(record.name),
        **{name.upper(): value for name, value in ids_of(record).items()},
    }
    return b"".join(_field(name, str(value)) for name, value in fields.items())


def _field(name: str, value: str) -> bytes:
    """A field with its length: what a value holds cannot begin another field."""
    content = value.encode("utf-8", "backslashreplace")
    return name.encode() + b"\n" + len(content).to_bytes(8, "little") + content + b"\n"
