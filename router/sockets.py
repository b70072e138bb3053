"""Who sits on which socket: bound at the first valid packet, watched ever after. Pure."""

import attrs

from ..protocol.limits import (
    SOCKET_PACKETS_BURST_MAX,
    SOCKET_PACKETS_PER_S_MAX,
    SOCKET_UNREGISTERED_S,
    SOCKETS_MAX,
    SOCKETS_PER_ADDRESS_MAX,
)
from ..protocol.names import WireId
from .commands import SocketId
from .limits import SOCKET_SILENT_S
from .rates import Bucket

SOCKETS_PER_AGENT_MAX = 8  # tabs of one worker; more are left over from lost connections


@attrs.define(eq=False)
class Socket:
    """One browser connection: whose it is, how it behaved, and when it last said something."""

    id: SocketId
    address: str
    heard_at: float
    agent: WireId | None = None
    strikes: int = 0
    rate: Bucket = attrs.Factory(lambda: Bucket(SOCKET_PACKETS_PER_S_MAX, SOCKET_PACKETS_BURST_MAX))

    def due(self) -> float:
        """When it has been silent too long."""
        return self.heard_at + (SOCKET_UNREGISTERED_S if self.agent is None else SOCKET_SILENT_S)


class Sockets:
    """All browser sockets of a run."""

    def __init__(self) -> None:
        self._open: dict[SocketId, Socket] = {}
        self._of_agent: dict[WireId, dict[SocketId, None]] = {}
        self._per_address: dict[str, int] = {}
        self._last = 0

    def __len__(self) -> int:
        return len(self._open)

    def open(self, address: str, now: float) -> Socket | None:
        """A new connection, or None when there are too many."""
        if len(self._open) >= SOCKETS_MAX or self._per_address.get(address, 0) >= SOCKETS_PER_ADDRESS_MAX:
            return None
        self._last += 1
        socket = Socket(SocketId(self._last), address, now)
        self._open[socket.id] = socket
        self._per_address[address] = self._per_address.get(address, 0) + 1
        return socket

    def get(self, socket: SocketId) -> Socket | None:
        """The open socket of this id."""
        return self._open.get(socket)

    def bind(self, socket: Socket, agent: WireId) -> SocketId | None:
        """This socket speaks for that agent from now on; returns one that is too many for the agent."""
        socket.agent = agent
        seats = self._of_agent.setdefault(agent, {})
        seats[socket.id] = None
        return next(iter(seats)) if len(seats) > SOCKETS_PER_AGENT_MAX else None

    def of(self, agent: WireId) -> list[SocketId]:
        """The sockets on which an agent listens."""
        return list(self._of_agent.get(agent, ()))

    def close(self, socket: SocketId) -> WireId | None:
        """Forget a connection; returns the agent if it has none left."""
        gone = self._open.pop(socket, None)
        if gone is None:
            return None
        self._per_address[gone.address] -= 1
        if not self._per_address[gone.address]:
            del self._per_address[gone.address]
        if gone.agent is None:
            return None
        seats = self._of_agent[gone.agent]
        del seats[socket]
        if seats:
            return None
        del self._of_agent[gone.agent]
        return gone.agent

    def silent(self, now: float) -> list[Socket]:
        """Those that said nothing, or not whose they are, for too long."""
        return [socket for socket in self._open.values() if now >= socket.due()]

    def seated(self) -> frozenset[WireId]:
        """The agents that have a socket."""
        return frozenset(self._of_agent)

    def all(self) -> list[SocketId]:
        """Every open socket."""
        return list(self._open)
