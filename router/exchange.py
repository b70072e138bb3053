"""Live updates between the sockets of agents and the daemon, and who has what. Pure.

crowdd.js confirms what it has and is told what the daemon has stored; of unchanged pages their heartbeats are
taken for both.
"""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from ..protocol.answers import live_update_packet, roll_call_packet, stored_packet
from ..protocol.browser import SocketPacket
from ..protocol.errors import LinkFull
from ..protocol.names import WireId
from ..protocol.packets import Alive, ClientBoundLiveUpdate, RollCall
from ..protocol.streams import Confirmed
from .commands import Command, TellSocket, WakeLink
from .feeds import number_of
from .memory import Memory
from .page_streams import Turn
from .sockets import Socket, Sockets


class Exchange:
    """Of one run. Asks `sockets` who listens; opens and closes none."""

    def __init__(self, memory: Memory, sockets: Sockets) -> None:
        self._memory = memory
        self._sockets = sockets

    # from pages

    def alive(self, agent: WireId, socket: Socket, here: bool = False) -> list[Command]:
        """Tell the daemon whose page this is and what it has. LinkFull."""
        self._memory.link.send(Alive(agent, self._seen_on(agent, socket), here))
        return [WakeLink()]

    def has(self, agent: WireId, socket: Socket, seen: int) -> list[Command]:
        """The page on this socket says that it has everything up to here."""
        socket.seen = seen
        return self.confirm(agent, seen)

    def beat(self, agent: WireId, socket: Socket, now: float) -> list[Command]:
        """A heartbeat came over this socket, for which nothing waits here."""
        return [] if socket.seen is not None else self.confirm(agent, socket.told.proved(now))

    def confirm(self, agent: WireId, seen: int) -> list[Command]:
        """A page of this agent has everything up to here."""
        return self._confirm(self._memory.feeds.confirm(agent, seen))

    def take(self, agent: WireId, socket: Socket, packet: SocketPacket) -> list[Command]:
        """Pass a page's update on. LinkFull, Unsendable: it was not taken."""
        if not packet.page:
            self._memory.link.stream_send(agent, packet.data)
            return [WakeLink()]
        page, number = packet.page, packet.page_number
        match self._memory.page_streams.turn(agent, page, number):
            case Turn.NEXT:
                self._pass_on(agent, packet.data, page, number)
                return [WakeLink()]
            case Turn.KNOWN:
                return self._say_stored(agent, socket, page, number)
            case Turn.EARLY:
                self._memory.counters["page_gaps"] += 1
                return []

    # from the daemon

    def linked(self) -> None:
        """The link is up: tell the daemon of every page that is there. LinkFull.

        Also a daemon that was linked before: what was said last may not have reached it.
        """
        for agent in self._sockets.seated():
            self._memory.link.send(Alive(agent, self._seen_on_all(agent, self._sockets.of(agent))))

    def tell(self, update: ClientBoundLiveUpdate, now: float) -> list[Command]:
        """Pass a live update on to the agent's pages, or keep it for when one comes."""
        settled = self._confirm(self._memory.feeds.keep(update))
        return settled + self._tell(update, self._sockets.of(update.subject), now)

    def tell_owed(self, agent: WireId, socket: Socket, now: float) -> list[Command]:
        """A page has just connected: tell it what it may not have (again: pages drop repeats)."""
        commands: list[Command] = []
        for update in self._memory.feeds.owed(agent, self._seen_on(agent, socket) or 0):
            commands += self._tell(update, [socket], now)
        return commands

    def tell_stored(self, confirmed: Confirmed) -> list[Command]:
        """The daemon has stored what a page sent up to here."""
        if not isinstance(confirmed.tag, tuple):
            return []
        self._memory.page_streams.stored(confirmed.subject, *confirmed.tag)
        packet = stored_packet(confirmed.subject, *confirmed.tag, self._memory.wall())
        return self._to_ours(confirmed.subject, packet)

    def call_roll(self, call: RollCall) -> list[Command]:
        """Ask at the agent's pages whether somebody is there.

        Unchanged pages cannot answer: where there are no others, an open one has to do.
        """
        agent, sockets = call.subject, self._sockets.of(call.subject)
        if sockets and not any(socket.crowdd for socket in sockets):
            with suppress(LinkFull):  # the daemon hears too slowly to ask anybody anything
                self._memory.link.send(Alive(agent, self._seen_on_all(agent, sockets), here=True))
            return [WakeLink()]
        return self._to_ours(agent, roll_call_packet(call, self._memory.wall()))

    def _pass_on(self, agent: WireId, update: dict[str, Any], page: str, number: int) -> None:
        self._memory.link.stream_send(agent, update, (page, number), page=page, page_number=number)
        self._memory.page_streams.passed_on(agent, page, number)

    def _say_stored(self, agent: WireId, socket: Socket, page: str, number: int) -> list[Command]:
        """What came again is stored already, or will be: then its page is told."""
        stored = self._memory.page_streams.stored_up_to(agent, page)
        if number > stored:
            return []
        return [TellSocket(socket.id, stored_packet(agent, page, stored, self._memory.wall()))]

    def _tell(self, update: ClientBoundLiveUpdate, sockets: Iterable[Socket], now: float) -> list[Command]:
        packet = live_update_packet(update, self._memory.wall())
        commands: list[Command] = []
        for socket in sockets:
            socket.told.tell(number_of(update), now)
            commands.append(TellSocket(socket.id, packet))
        return commands

    def _to_ours(self, agent: WireId, packet: dict[str, object]) -> list[Command]:
        return [TellSocket(socket.id, packet) for socket in self._sockets.of(agent) if socket.crowdd]

    def _seen_on(self, agent: WireId, socket: Socket) -> int | None:
        """None: an unchanged page, which may have come to the router that was here before."""
        return (self._memory.feeds.seen(agent) or None) if socket.seen is None else socket.seen

    def _seen_on_all(self, agent: WireId, sockets: Iterable[Socket]) -> int | None:
        known = [seen for socket in sockets if (seen := self._seen_on(agent, socket)) is not None]
        return min(known, default=None)

    def _confirm(self, update: ClientBoundLiveUpdate | None) -> list[Command]:
        if update is None:
            return []
        self._memory.link.stream_stored(update)
        return [WakeLink()]
