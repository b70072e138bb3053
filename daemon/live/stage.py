"""All live work of one run: a piece for each unit or assignment in work, a line for each live agent.

Holds no truth. At a start, what storage says is taken up again: who was at work finds their piece where it
was. Packets of the link come in by `take` without waiting, so their order is kept.
"""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence

import trio

from ...protocol.names import AgentId, PieceKind, WireId
from ...protocol.packets import Alive, MephistoBoundLiveUpdate
from ...protocol.streams import Confirmed
from ...storage.records import Agent
from ..lifecycle import WentAway
from ..router_link import RouterLink
from ..slices import by_slices
from .attendance import Attendance
from .cast import Player, was_shut_down
from .cloakroom import Cloakroom
from .group_watch import GroupWatch, Watcher
from .hold import Hold
from .line import Line, LiveLink, LivePacket
from .lines import Lines
from .past import Past, read_past
from .pieces import Pieces
from .played_groups import PlayedGroups
from .production import Production
from .scribe import Scribe
from .stage_tools import StageTools
from .strangers import Strangers
from .usher import Usher
from .waits import How
from .wishes import Wishes

log = logging.getLogger(__name__)

AGENTS_A_TURN = 200  # taken up, of some 20 us each
SEAT_S = 5.0  # a page that comes while its group is being opened waits so long for the others' past


class Stage:
    """One per run and cast: for its units, and for its onboardings where code accompanies them."""

    def __init__(self, tools: StageTools) -> None:
        self._cast = cast = tools.cast
        self._storage = storage = tools.house.storage
        self._active = tools.active
        self.counters: Counter[str] = Counter()
        self.attendance = Attendance(tools.rules.grace_s, self._lost, self._came_or_went)
        self._wishes = Wishes()
        self._watch = GroupWatch()
        self._scribe = Scribe(storage)
        self._cloakroom = Cloakroom(storage, cast.onboarding, tools.house.wall)
        self._hold = hold = Hold()
        self._lines = lines = Lines(tools, self._wishes, hold)
        self._strangers = Strangers(tools, lines, self._wishes, hold, self.counters)
        is_present = self.attendance.is_present
        usher = Usher(cast, storage, lines, self._cloakroom, self._watch, is_present)
        production = Production(tools, self._scribe, lines, usher)
        self._pieces = Pieces(tools, lines, usher, production, self._watch)
        self.groups = PlayedGroups(cast, self._pieces)
        self._newer: set[AgentId] | None = None
        """Of whom something was told while it is taken up who is at work: staff may stop the run."""

    def watch_groups(self, watcher: Watcher) -> None:
        """The run's work is done in groups: `watcher` decides what becomes of them."""
        self._watch.watcher = watcher

    # --- its life

    async def take_up(self) -> None:
        """Know again who is at work, after a start, before the links are served; a slice a turn."""
        self._newer = newer = set[AgentId]()

        def take_up(player: Player) -> None:
            if player.id not in newer:
                self._take_up(player)

        await by_slices(await self._cast.present(), AGENTS_A_TURN, take_up)
        self._newer = None

    def _take_up(self, player: Player) -> None:
        self.changed(player)
        line = self._lines.by_wire_id.get(player.wire_id)
        if line is not None and self._cast.is_played(player):
            self._cloakroom.serves(line)

    async def serve(self, links: Sequence[RouterLink]) -> None:
        """Carry on all live work until cancelled: in storage it is whole, and goes on at the next start.

        Cancelled, it ends its pieces a group at a time (see `Wishes`); what they still ask for meanwhile is
        not stored, for the scribe has ended.
        """
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.attendance.watch, links)
            nursery.start_soon(self._cloakroom.serve)
            nursery.start_soon(self._scribe.serve, links)
            nursery.start_soon(self._wishes.serve)
            await self._pieces.serve()

    @property
    def pieces(self) -> int:
        """How many pieces are carried on at this moment."""
        return len(self._pieces)

    # --- what happens to agents

    def changed(self, player: Player) -> None:
        """An agent is new, or another status of it was stored."""
        if self._newer is not None:
            self._newer.add(player.id)
        self._watch.changed(player)
        how = self._cast.how_left(player)
        if how is not None:
            self._is_over(player, how)
        line = self._lines.by_wire_id.get(player.wire_id) if how is not None else self._line(player)
        if self._cast.is_played(player) and (line is None or line.piece is None):
            self._pieces.look_at([player.id])

    def _line(self, player: Player) -> Line:
        line = self._lines.by_wire_id.get(player.wire_id)
        if line is None:
            line = self._lines.open(player)
            self.attendance.expect(player.wire_id)
            for link, packet in self._strangers.introduced(player.wire_id):
                self.take(link, packet)
        return line

    def _is_over(self, player: Player, how: How) -> None:
        line = self._lines.by_wire_id.get(player.wire_id)
        if line is None:
            self._is_over_unseen(player, how)
        if line is None or line.has_ended:
            return
        self.attendance.forget(player.wire_id)
        piece = line.piece
        if was_shut_down(player):
            self._lines.forget(line)
            if piece is not None:
                piece.stop()
            return
        self._lines.hang_up(line, say_last_words=self._cast.code_may_end(player))
        if piece is not None and not self._watch.keeps_seat(piece.key, how):
            piece.left(player.id, how)

    def _is_over_unseen(self, player: Player, how: How) -> None:
        """It never came back after a shutdown; its group may go on, and its answer have come all the same."""
        if was_shut_down(player) and how is not How.SUBMITTED:
            return
        self._strangers.are_late(player.wire_id)
        if how is How.SUBMITTED and isinstance(player, Agent):
            self.groups.leave(player)

    async def _lost(self, wire_id: WireId) -> None:
        """Nobody was at the agent's page for longer than the grace."""
        line = self._lines.by_wire_id.get(wire_id)
        if line is not None:
            await self._cast.end([line.agent_id], WentAway())

    def _came_or_went(self, wire_id: WireId, present: bool) -> None:
        line = self._lines.by_wire_id.get(wire_id)
        if line is not None:
            words = "is back" if present else "is gone"
            log.info("the page %s", words, extra=self._cast.log_ids(line.agent_id))
            self._watch.came_or_went(line.agent_id)

    # --- what pages and routers say

    def check(self, link: LiveLink) -> None:
        """Asked before a frame is read. RemoteProtocolError: too much of this router is held already."""
        self._hold.check(link)

    def take(self, link: LiveLink, packet: LivePacket) -> None:
        """A packet about live work; never waits."""
        line = self._lines.by_wire_id.get(packet.subject)
        if line is None:
            self._strangers.came(link, packet)
            return
        match packet:
            case Confirmed(tag=int(number)):
                line.outbound.confirmed(number)
                if line.outbound.is_behind:
                    self._lines.pump(line)
            case Alive():
                self.attendance.came(packet.subject)
                self._is_alive(link, packet, line)
            case MephistoBoundLiveUpdate():
                self._active()
                self.attendance.came(packet.subject)
                line.heard(link, packet)
                self._cloakroom.came(line)
            case _:
                self.counters["unexpected"] += 1

    def _is_alive(self, link: LiveLink, packet: Alive, line: Line) -> None:
        if packet.here:
            self._watch.answered(line.agent_id)
        line.outbound.alive(link, packet.seen)
        self._lines.pump(line)

    def hear_presence(self, presence: Mapping[str, str], present: str) -> None:
        """What a router says of whose page is there; `present` is its word for it."""
        self._pieces.said_first_words()
        for name, said in presence.items():
            if said == present:
                self.attendance.is_back(WireId(name))
            else:
                self.attendance.went(WireId(name))

    async def past(self, agent_id: AgentId) -> Past:
        """What a page that comes is told of its agent's past."""
        before = await self._before(await self._cast.player(agent_id))
        return await read_past(self._storage, self._cast.onboarding, agent_id, before)

    async def _before(self, player: Player) -> Sequence[AgentId]:
        """Who sat in a member's seat before them; after a start it takes a moment until that is known."""
        key = await self._cast.key_of(player)
        if key.kind is not PieceKind.ASSIGNMENT or not self._cast.is_played(player):
            return ()
        with trio.move_on_after(SEAT_S):
            seat = await self._pieces.seat_of(key, player.id)
            return seat.agents[: seat.agents.index(player.id)]
        return ()
