"""All open connections of a router: how many there may be, and which take nothing any more."""

import asyncio
import logging
from collections import Counter

import attrs
from uvicorn.protocols.utils import get_remote_addr

from .addresses import Proxies, sender
from .limits import CONNECTIONS_PER_ADDRESS_MAX

log = logging.getLogger(__name__)


@attrs.define(eq=False)
class Connection:
    """One of them. `paused`: more waits for its other side than it takes; `waiting` bytes when last seen."""

    transport: asyncio.Transport
    sender: str | None
    paused: bool = False
    waiting: int | None = None


class Connections:
    """Counted from the first byte on, by address and together; a trusted proxy's are everybody's."""

    def __init__(self, most: int, proxies: Proxies) -> None:
        self.most = most
        self._proxies = proxies
        self._open: dict[asyncio.Transport, Connection] = {}
        self._per_sender: Counter[str] = Counter()
        self.counters: Counter[str] = Counter()
        self._told: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._open)

    def open(self, transport: asyncio.Transport) -> Connection | None:
        """Somebody connects; None: there are too many, of all or of this address."""
        address, _ = get_remote_addr(transport) or ("", 0)
        counted = None if address in self._proxies else sender(address)
        if len(self._open) >= self.most or (
            counted is not None and self._per_sender[counted] >= CONNECTIONS_PER_ADDRESS_MAX
        ):
            self.counters["refused"] += 1
            return None
        if counted is not None:
            self._per_sender[counted] += 1
        connection = self._open[transport] = Connection(transport, counted)
        return connection

    def pause(self, transport: asyncio.Transport, paused: bool) -> None:
        """More waits to be sent over it than its other side takes, or not any more."""
        if transport in self._open:
            self._open[transport].paused = paused

    def close(self, transport: asyncio.Transport) -> None:
        """It is gone."""
        connection = self._open.pop(transport, None)
        if connection is None or connection.sender is None:
            return
        self._per_sender[connection.sender] -= 1
        if not self._per_sender[connection.sender]:
            del self._per_sender[connection.sender]

    def end_stuck(self) -> None:
        """Cut off those to whom something was to be sent, or who were to go, and who took no byte since the
        last call; say in the log what was refused or cut off meanwhile."""
        for connection in list(self._open.values()):
            waits = connection.paused or connection.transport.is_closing()
            now = connection.transport.get_write_buffer_size() if waits else None
            if now is not None and connection.waiting is not None and now >= connection.waiting:
                self.counters["stuck"] += 1
                connection.transport.abort()
            connection.waiting = now
        if self.counters != self._told:
            self._told = self.counters.copy()
            log.warning("connections so far: %s", ", ".join(f"{n} {what}" for what, n in self._told.items()))
