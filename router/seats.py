"""What each packet of a browser's socket leads to. Pure. A page speaks for one agent and for nobody else.

Allowed are three packet types (SEC3). A socket is bound by the agent id of its first valid packet, whichever
that is: one in fifty page loads of `mephisto-task` sends an `alive` that names nobody.
"""

from typing import assert_never

from ..protocol.answers import browser_packet, heartbeat_packet, live_update_packet, update_status_packet
from ..protocol.browser import SocketPacket, SocketType, parse_socket_packet
from ..protocol.errors import BadRequest, LinkFull, Unsendable
from ..protocol.limits import SOCKET_STRIKES_MAX
from ..protocol.names import SENTENCES, AgentStatus, Reason, WireId
from ..protocol.packets import Alive, ClientBoundLiveUpdate, UpdateStatus
from .commands import CloseSocket, Command, SocketId, TellSocket, WakeLink
from .memory import Memory
from .sockets import Socket, Sockets

GOING_AWAY, POLICY, TOO_BUSY = 1001, 1008, 1013


class Seats:
    """The browser sockets of one run and what they may say."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._sockets = Sockets()

    def __len__(self) -> int:
        return len(self._sockets)

    def open(self, address: str, now: float) -> SocketId | None:
        """Take a new connection, or None when there are too many."""
        socket = self._sockets.open(address, now)
        if socket is None:
            self._memory.counters["sockets_refused"] += 1
            return None
        return socket.id

    def hear(self, socket_id: SocketId, text: bytes, now: float) -> list[Command]:
        """A page said this."""
        socket = self._sockets.get(socket_id)
        if socket is None:
            return []
        if not socket.rate.take(now):
            self._memory.counters["sockets_too_fast"] += 1
            return self._end(socket, POLICY, SENTENCES[Reason.TOO_MANY_REQUESTS])
        try:
            packet = parse_socket_packet(text)
            return self._take(socket, packet, now)
        except (BadRequest, Unsendable) as exc:
            return self._strike(socket, "bad_socket_packets", str(exc))
        except LinkFull:
            self._memory.counters["live_updates_refused"] += 1
            return self._end(socket, TOO_BUSY, SENTENCES[Reason.TRY_LATER])

    def close(self, socket_id: SocketId) -> None:
        """A connection is gone; its agent's presence is judged by when it was last heard."""
        self._sockets.close(socket_id)

    def close_all(self, words: str) -> list[Command]:
        """Send every page away."""
        return [CloseSocket(socket, GOING_AWAY, words) for socket in self._sockets.all()]

    def close_silent(self, now: float) -> list[Command]:
        """End the sockets that said nothing (or not whose they are) for too long."""
        commands: list[Command] = []
        for socket in self._sockets.silent(now):
            name = "sockets_unregistered" if socket.agent is None else "sockets_silent"
            self._memory.counters[name] += 1
            commands += self._end(socket, POLICY, "nothing was heard of this page")
        return commands

    def tell_status(self, update: UpdateStatus) -> list[Command]:
        """Pass the daemon's word on to the agent's pages."""
        packet = update_status_packet(update, self._memory.wall())
        return [TellSocket(socket, packet) for socket in self._sockets.of(update.subject)]

    def tell_update(self, update: ClientBoundLiveUpdate) -> list[Command]:
        """Pass a live update on to the agent's pages, or keep it for when one comes."""
        self._memory.feeds.keep(update)
        return self._tell_update(update, self._sockets.of(update.subject))

    def seated(self) -> frozenset[WireId]:
        """The agents with a page connected."""
        return self._sockets.seated()

    def _tell_update(self, update: ClientBoundLiveUpdate, sockets: list[SocketId]) -> list[Command]:
        if not sockets:
            return []
        self._memory.feeds.told(update)
        packet = live_update_packet(update, self._memory.wall())
        return [TellSocket(socket, packet) for socket in sockets]

    def _take(self, socket: Socket, packet: SocketPacket, now: float) -> list[Command]:
        agent = packet.subject or socket.agent
        if agent is None:
            return self._take_anonymous(socket, packet)
        if socket.agent not in (None, agent):
            return self._strike(socket, "foreign_agents", "another agent's id on this connection")
        if socket.agent is None and not self._memory.verifies(agent):
            return self._strike(socket, "unknown_agents", SENTENCES[Reason.UNKNOWN_AGENT])
        commands = self._bind(socket, agent) if socket.agent is None else []
        socket.heard_at = now
        self._memory.agents.heard(agent, now)
        match packet.type:
            case SocketType.ALIVE:
                return commands
            case SocketType.HEARTBEAT:
                return commands + self._answer_heartbeat(socket.id, agent, packet, now)
            case SocketType.MEPHISTO_BOUND_LIVE_UPDATE:
                self._memory.link.stream_send(agent, packet.data)
                return [*commands, WakeLink()]
            case SocketType.ACK:
                return commands
        assert_never(packet.type)

    def _take_anonymous(self, socket: Socket, packet: SocketPacket) -> list[Command]:
        if packet.type is SocketType.MEPHISTO_BOUND_LIVE_UPDATE:
            return self._strike(socket, "bad_socket_packets", "subject_id: missing")
        self._memory.counters["anonymous_packets"] += 1
        return []

    def _bind(self, socket: Socket, agent: WireId) -> list[Command]:
        commands: list[Command] = []
        surplus = self._sockets.bind(socket, agent)
        if surplus is not None:
            commands.append(CloseSocket(surplus, POLICY, "too many pages of one agent"))
            self._sockets.close(surplus)
        self._memory.link.send(Alive(agent))
        known = self._memory.agents.get(agent)
        if known is not None:
            update = UpdateStatus(agent, known.version, known.status, known.reason, known.text)
            commands.append(TellSocket(socket.id, update_status_packet(update, self._memory.wall())))
        for owed in self._memory.feeds.owed(agent):
            commands += self._tell_update(owed, [socket.id])
        return [*commands, WakeLink()]

    def _answer_heartbeat(
        self, socket: SocketId, agent: WireId, packet: SocketPacket, now: float
    ) -> list[Command]:
        commands: list[Command] = []
        confirmed = self._memory.feeds.confirmed(agent)
        if confirmed is not None:
            self._memory.link.stream_stored(confirmed)
            commands.append(WakeLink())
        known = self._memory.agents.get(agent)
        status = AgentStatus.NONE if known is None else known.status
        wall = self._memory.wall()
        ping = self._memory.pulse.ping_ms(now, packet.client_timestamp, wall)
        return [*commands, TellSocket(socket, heartbeat_packet(packet, agent, status, ping, wall))]

    def _strike(self, socket: Socket, counter: str, words: str) -> list[Command]:
        self._memory.counters[counter] += 1
        socket.strikes += 1
        data = {"reason": Reason.BAD_REQUEST.value, "text": words}
        told = TellSocket(socket.id, browser_packet("error", "", data, self._memory.wall()))
        if socket.strikes < SOCKET_STRIKES_MAX:
            return [told]
        self._memory.counters["sockets_struck_out"] += 1
        return [told, *self._end(socket, POLICY, "too many bad packets")]

    def _end(self, socket: Socket, code: int, words: str) -> list[Command]:
        self._sockets.close(socket.id)
        return [CloseSocket(socket.id, code, words)]
