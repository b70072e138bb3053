"""Who sits on which socket: bound at the first valid packet, watched ever after. Pure."""

from collections.abc import Iterable

import attrs

from ..protocol.limits import (
    SOCKET_BYTES_BURST_MAX,
    SOCKET_BYTES_PER_S_MAX,
    SOCKET_PACKETS_BURST_MAX,
    SOCKET_PACKETS_PER_S_MAX,
    SOCKET_UNREGISTERED_S,
    SOCKETS_MAX,
    SOCKETS_PER_ADDRESS_MAX,
)
from ..protocol.names import WireId
from .commands import SocketId
from .deadlines import Deadlines
from .limits import SOCKET_SILENT_S
from .rates import Bucket
from .told import Told

SOCKETS_PER_AGENT_MAX = 8  # tabs of one worker; more are left over from lost connections


@attrs.define(eq=False)
class Socket:
    """One browser connection: whose it is, how it behaved, what it has."""

    id: SocketId
    address: str
    agent: WireId | None = None
    strikes: int = 0
    crowdd: bool = False
    """Its page is one of ours: it confirms by itself, and understands acks and roll calls."""
    seen: int | None = None
    """What its page said to have, if it says so."""
    told: Told = attrs.Factory(Told)
    rate: Bucket = attrs.Factory(lambda: Bucket(SOCKET_PACKETS_PER_S_MAX, SOCKET_PACKETS_BURST_MAX))
    volume: Bucket = attrs.Factory(lambda: Bucket(SOCKET_BYTES_PER_S_MAX, SOCKET_BYTES_BURST_MAX))


class Sockets:
    """All browser sockets of a run."""

    def __init__(self) -> None:
        self._open: dict[SocketId, Socket] = {}
        self._of_agent: dict[WireId, dict[SocketId, Socket]] = {}
        self._per_address: dict[str, int] = {}
        self._silent: Deadlines[SocketId] = Deadlines()
        self._last = 0

    def __len__(self) -> int:
        return len(self._open)

    def open(self, address: str, now: float) -> Socket | None:
        """A new connection, or None when there are too many."""
        if len(self._open) >= SOCKETS_MAX or self._per_address.get(address, 0) >= SOCKETS_PER_ADDRESS_MAX:
            return None
        self._last += 1
        socket = Socket(SocketId(self._last), address)
        self._open[socket.id] = socket
        self._silent.set(socket.id, now + SOCKET_UNREGISTERED_S)
        self._per_address[address] = self._per_address.get(address, 0) + 1
        return socket

    def get(self, socket: SocketId) -> Socket | None:
        """The open socket of this id."""
        return self._open.get(socket)

    def bind(self, socket: Socket, agent: WireId) -> SocketId | None:
        """This socket speaks for that agent from now on; returns one that is too many for the agent."""
        socket.agent = agent
        seats = self._of_agent.setdefault(agent, {})
        seats[socket.id] = socket
        return next(iter(seats)) if len(seats) > SOCKETS_PER_AGENT_MAX else None

    def unbind(self, socket: Socket) -> WireId | None:
        """This socket speaks for nobody until it is bound again; returns its agent if that has none left."""
        agent = socket.agent
        socket.agent, socket.seen, socket.told = None, None, Told()
        return None if agent is None else self._leave(socket.id, agent)

    def heard(self, socket: Socket, now: float) -> None:
        """A bound socket said something that it may say."""
        self._silent.set(socket.id, now + SOCKET_SILENT_S)

    def of(self, agent: WireId) -> list[Socket]:
        """The sockets on which an agent listens."""
        return list(self._of_agent.get(agent, {}).values())

    def close(self, socket: SocketId) -> WireId | None:
        """Forget a connection; returns the agent if it has none left."""
        gone = self._open.pop(socket, None)
        if gone is None:
            return None
        self._silent.drop(socket)
        self._per_address[gone.address] -= 1
        if not self._per_address[gone.address]:
            del self._per_address[gone.address]
        return None if gone.agent is None else self._leave(socket, gone.agent)

    def take_silent(self, now: float) -> list[Socket]:
        """Those that said nothing, or not whose they are, for too long; each is named once."""
        return [self._open[socket] for socket in self._silent.take_passed(now)]

    def seated(self) -> Iterable[WireId]:
        """The agents that have a socket."""
        return list(self._of_agent)

    def all(self) -> list[SocketId]:
        """Every open socket."""
        return list(self._open)

    def _leave(self, socket: SocketId, agent: WireId) -> WireId | None:
        seats = self._of_agent[agent]
        del seats[socket]
        if seats:
            return None
        del self._of_agent[agent]
        return agent
