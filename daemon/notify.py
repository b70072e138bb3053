"""Tells systemd how the service is (the sd_notify protocol); does nothing when systemd did not ask."""

import os
import socket

import trio

EXTEND_S = 15.0  # a stop that says nothing for so long is stuck


class Notifier:
    """Says READY, STATUS, STOPPING and WATCHDOG to the socket that systemd named at the start."""

    def __init__(self, address: str | None, watchdog_s: float | None) -> None:
        self._address = address
        self.watchdog_s = watchdog_s
        """The watchdog's limit, or None when there is none."""

    @property
    def is_heard(self) -> bool:
        """Whether systemd started us and asked to be told."""
        return bool(self._address)

    @classmethod
    def from_environment(cls) -> "Notifier":
        """Read NOTIFY_SOCKET and WATCHDOG_USEC once, at the edge."""
        usec = os.environ.get("WATCHDOG_USEC")
        return cls(os.environ.get("NOTIFY_SOCKET"), int(usec) / 1e6 if usec else None)

    def say(self, **fields: str | int) -> None:
        """Send e.g. `READY=1`; what systemd cannot hear is not worth failing for."""
        if not self._address:
            return
        message = "\n".join(f"{key.upper()}={value}" for key, value in fields.items())
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            try:
                sock.connect(address)
                sock.sendall(message.encode())
            except OSError:
                return

    async def extend_stop(self, stop: trio.Event) -> None:
        """Once `stop` is set, ask for more time to stop, again and again, until cancelled."""
        await stop.wait()
        while True:
            self.say(extend_timeout_usec=int(EXTEND_S * 1e6))
            await trio.sleep(EXTEND_S / 3)

    async def keep_watchdog(self) -> None:
        """Ping from the loop that does the work, until cancelled: a blocked loop misses its pings."""
        if self.watchdog_s is None:
            return
        while True:
            self.say(watchdog=1)
            await trio.sleep(self.watchdog_s / 3)
