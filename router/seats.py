"""What each packet of a browser's socket leads to. Pure. A page speaks for one agent and for nobody else;
when its onboarding is passed, for the agent that works from then on.

Allowed are four packet types (SEC3). A socket is bound by the agent id of its first valid packet, whichever
that is: one in fifty page loads of `mephisto-task` sends an `alive` that names nobody. Live updates are
`exchange`'s business.
"""

from typing import assert_never

from ..protocol.answers import browser_packet, heartbeat_packet, update_status_packet
from ..protocol.browser import SocketPacket, SocketType, parse_socket_packet
from ..protocol.errors import BadRequest, LinkFull, Unsendable
from ..protocol.limits import SOCKET_STRIKES_MAX
from ..protocol.names import ONBOARDING_PREFIX, SENTENCES, AgentStatus, Reason, WireId
from ..protocol.packets import UpdateStatus
from .commands import CloseSocket, Command, SocketId, TellSocket
from .deadlines import Deadlines
from .exchange import Exchange
from .limits import FLOOD_PAUSE_S
from .memory import Memory
from .sockets import Socket, Sockets

GOING_AWAY, POLICY, TOO_BUSY = 1001, 1008, 1013


class Seats:
    """The browser sockets of one run and what they may say."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._sockets = Sockets()
        self._too_fast: Deadlines[WireId] = Deadlines()
        """Agents whose page was too fast, until they may connect again."""
        self.exchange = Exchange(memory, self._sockets)

    def __len__(self) -> int:
        return len(self._sockets)

    def open(self, address: str, now: float) -> SocketId | None:
        """Take a new connection, or None when there are too many."""
        socket = self._sockets.open(address, now)
        if socket is None:
            self._memory.counters["sockets_refused"] += 1
            return None
        return socket.id

    def hear(self, socket_id: SocketId, text: bytes, now: float, waiting: int) -> list[Command]:
        """A page said this, while so many packets for it wait to be sent."""
        socket = self._sockets.get(socket_id)
        if socket is None:
            return []
        if not socket.rate.take(now) or not socket.volume.take(now, len(text)):
            return self._end_too_fast(socket, now)
        try:
            packet = parse_socket_packet(text)
            return self._take(socket, packet, now, waiting)
        except (BadRequest, Unsendable) as exc:
            return self._strike(socket, "bad_socket_packets", str(exc), now)
        except LinkFull:
            self._memory.counters["live_updates_refused"] += 1
            return self._end(socket, TOO_BUSY, SENTENCES[Reason.TRY_LATER], now)

    def close(self, socket_id: SocketId, now: float) -> None:
        """A connection is gone; its agent is away soon, unless it has another or comes back."""
        agent = self._sockets.close(socket_id)
        if agent is not None:
            self._memory.presence.lost(agent, now)

    def close_all(self, words: str) -> list[Command]:
        """Send every page away."""
        return [CloseSocket(socket, GOING_AWAY, words) for socket in self._sockets.all()]

    def close_silent(self, now: float) -> list[Command]:
        """End the sockets that said nothing (or not whose they are) for too long."""
        self._too_fast.take_passed(now)
        commands: list[Command] = []
        for socket in self._sockets.take_silent(now):
            if self._is_left_over(socket):
                self._sockets.heard(socket, now)
                continue
            name = "sockets_unregistered" if socket.agent is None else "sockets_silent"
            self._memory.counters[name] += 1
            commands += self._end(socket, POLICY, "nothing was heard of this page", now)
        return commands

    def tell_status(self, update: UpdateStatus) -> list[Command]:
        """Pass the daemon's word on to the agent's pages."""
        sockets = self._sockets.of(update.subject)
        if not sockets:
            return []
        packet = update_status_packet(update, self._memory.wall())
        return [TellSocket(socket.id, packet) for socket in sockets]

    def tell_known(self, agent: WireId) -> list[Command]:
        """Tell the agent's pages what the daemon said of it last: they may have been there before it did."""
        return [self._status(socket, agent) for socket in self._sockets.of(agent)]

    def _status(self, socket: Socket, agent: WireId) -> Command:
        known = self._memory.agents.get(agent)
        assert known is not None, "only what the daemon said is told"
        update = UpdateStatus(agent, known.version, known.status, known.reason, known.text)
        return TellSocket(socket.id, update_status_packet(update, self._memory.wall()))

    def seats_of(self, agent: WireId) -> int:
        """How many connected pages this agent has."""
        return len(self._sockets.of(agent))

    def _take(self, socket: Socket, packet: SocketPacket, now: float, waiting: int) -> list[Command]:
        agent = packet.subject or socket.agent
        if agent is None:
            return self._take_anonymous(socket, packet, now)
        if socket.agent == agent:
            return self._take_of(agent, socket, packet, now, waiting)
        if self._moves_on(socket, agent):
            self._let_go(socket, now)
        if socket.agent is not None:
            return self._strike(socket, "foreign_agents", "another agent's id on this connection", now)
        if not self._memory.verifies(agent):
            return self._strike(socket, "unknown_agents", SENTENCES[Reason.UNKNOWN_AGENT], now)
        if agent in self._too_fast:
            return self._end(socket, TOO_BUSY, SENTENCES[Reason.TOO_MANY_REQUESTS], now)
        commands = self._bind(socket, agent, packet, now)
        if packet.type is SocketType.ALIVE:
            self._heard(agent, socket, now)
            return commands
        return commands + self._take_of(agent, socket, packet, now, waiting)

    def _take_of(
        self, agent: WireId, socket: Socket, packet: SocketPacket, now: float, waiting: int
    ) -> list[Command]:
        """The same of a socket that speaks for this agent."""
        self._heard(agent, socket, now)
        match packet.type:
            case SocketType.MEPHISTO_BOUND_LIVE_UPDATE:
                return self.exchange.take(agent, socket, packet)
            case SocketType.HEARTBEAT:
                return self._answer_heartbeat(socket, agent, packet, now, waiting)
            case SocketType.ACK:
                return self.exchange.has(agent, socket, packet.seen or 0)
            case SocketType.ALIVE:
                return self._take_alive(socket, agent, packet)
        assert_never(packet.type)

    def _heard(self, agent: WireId, socket: Socket, now: float) -> None:
        self._sockets.heard(socket, now)
        self._memory.presence.heard(agent, now)

    def _moves_on(self, socket: Socket, agent: WireId) -> bool:
        """Whether the page of an onboarding speaks for its next agent: who knows the id may."""
        was_onboarding = socket.agent is not None and socket.agent.startswith(ONBOARDING_PREFIX)
        return was_onboarding and not agent.startswith(ONBOARDING_PREFIX) and self._memory.verifies(agent)

    def _let_go(self, socket: Socket, now: float) -> None:
        left = self._sockets.unbind(socket)
        if left is not None:
            self._memory.presence.lost(left, now)

    def _is_left_over(self, socket: Socket) -> bool:
        """A page of `mephisto-task` opens another socket once its onboarding is passed, and keeps this one
        open; were it closed, the page would say that it is disconnected. Pings find those that are dead."""
        if socket.agent is None or not socket.agent.startswith(ONBOARDING_PREFIX):
            return False
        known = self._memory.agents.get(socket.agent)
        return known is not None and known.status is AgentStatus.WAITING

    def _take_anonymous(self, socket: Socket, packet: SocketPacket, now: float) -> list[Command]:
        if packet.type is SocketType.MEPHISTO_BOUND_LIVE_UPDATE:
            return self._strike(socket, "bad_socket_packets", "subject_id: missing", now)
        self._memory.counters["anonymous_packets"] += 1
        return []

    def _bind(self, socket: Socket, agent: WireId, packet: SocketPacket, now: float) -> list[Command]:
        commands: list[Command] = []
        surplus = self._sockets.bind(socket, agent)
        if surplus is not None:
            commands.append(CloseSocket(surplus, POLICY, "too many pages of one agent"))
            self._sockets.close(surplus)
        if self._memory.agents.get(agent) is not None:
            commands.append(self._status(socket, agent))
        commands += self._take_alive(socket, agent, packet)
        return commands + self.exchange.tell_owed(agent, socket, now)

    def _take_alive(self, socket: Socket, agent: WireId, packet: SocketPacket) -> list[Command]:
        socket.crowdd = socket.crowdd or packet.crowdd
        commands: list[Command] = []
        if packet.seen is not None:
            commands += self.exchange.has(agent, socket, packet.seen)
        return commands + self.exchange.alive(agent, socket, packet.here)

    def _answer_heartbeat(
        self, socket: Socket, agent: WireId, packet: SocketPacket, now: float, waiting: int
    ) -> list[Command]:
        commands = [] if waiting else self.exchange.beat(agent, socket, now)
        known = self._memory.agents.get(agent)
        status = AgentStatus.NONE if known is None else known.status
        wall = self._memory.wall()
        ping = self._memory.pulse.ping_ms(now, packet.client_timestamp, wall)
        return [*commands, TellSocket(socket.id, heartbeat_packet(packet, agent, status, ping, wall))]

    def _strike(self, socket: Socket, counter: str, words: str, now: float) -> list[Command]:
        self._memory.counters[counter] += 1
        socket.strikes += 1
        data = {"reason": Reason.BAD_REQUEST.value, "text": words}
        told = TellSocket(socket.id, browser_packet("error", "", data, self._memory.wall()))
        if socket.strikes < SOCKET_STRIKES_MAX:
            return [told]
        self._memory.counters["sockets_struck_out"] += 1
        return [told, *self._end(socket, POLICY, "too many bad packets", now)]

    def _end_too_fast(self, socket: Socket, now: float) -> list[Command]:
        self._memory.counters["sockets_too_fast"] += 1
        if socket.agent is not None:
            self._too_fast.set(socket.agent, now + FLOOD_PAUSE_S)
        return self._end(socket, POLICY, SENTENCES[Reason.TOO_MANY_REQUESTS], now)

    def _end(self, socket: Socket, code: int, words: str, now: float) -> list[Command]:
        self.close(socket.id, now)
        return [CloseSocket(socket.id, code, words)]
