"""Tells systemd how the service is (the sd_notify protocol); does nothing when systemd did not ask."""

import os
import socket
from collections.abc import Mapping

PINGS_IN_LIMIT = 3  # of the watchdog: one may be late, and one be lost, before systemd acts


class Notifier:
    """Says READY, STATUS, STOPPING, WATCHDOG, ... to the socket that systemd named at the start."""

    def __init__(self, address: str | None, watchdog_s: float | None) -> None:
        self._address = address
        self.watchdog_s = watchdog_s
        """The watchdog's limit, or None when there is none."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Notifier":
        """Read NOTIFY_SOCKET and WATCHDOG_USEC once, at the edge; a child's are not its own."""
        usec = environment.get("WATCHDOG_USEC")
        is_mine = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        return cls(environment.get("NOTIFY_SOCKET"), int(usec) / 1e6 if usec and is_mine else None)

    @property
    def is_heard(self) -> bool:
        """Whether systemd started us and asked to be told."""
        return bool(self._address)

    @property
    def ping_every_s(self) -> float | None:
        """How often the watchdog wants to hear of us; None when there is none."""
        return None if self.watchdog_s is None else self.watchdog_s / PINGS_IN_LIMIT

    def say(self, **fields: str | int) -> None:
        """Send e.g. `READY=1`; what systemd cannot hear is not worth failing for."""
        if not self._address:
            return
        message = "\n".join(f"{key.upper()}={_one_line(value)}" for key, value in fields.items())
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            try:
                sock.connect(address)
                sock.sendall(message.encode())
            except OSError:
                return


def _one_line(value: str | int) -> str:
    """A line break would begin another field."""
    return " ".join(str(value).split("\n"))
