"""All live work of one run: a piece for each unit or assignment in work, a line for each live agent.

Holds no truth. At a start, what storage says is taken up again: who was at work finds their piece where it
was. Packets of the link come in by `take` without waiting, so their order is kept.
"""

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Protocol

import attrs
import trio

from ...protocol.names import AgentId, AssignmentId, PieceKind, Reason, WireId
from ...protocol.packets import Alive, MephistoBoundLiveUpdate
from ...protocol.streams import Confirmed
from ...storage.errors import LeaseLost, NotFound, StorageFailed
from ...storage.records import Agent, LiveUpdate, OnboardingAgent
from ..blueprints.contract import Blueprint
from ..blueprints.live_contract import LiveRules, Resume
from ..causes import causes
from ..full_disk import with_space
from ..house import House
from ..lifecycle import IllegalEvent, TaskFailed, WentAway
from ..router_link import RouterLink
from ..slices import by_slices
from ..user_code import UserCode
from .agent import LiveAgent, Person
from .attendance import Attendance
from .calls import CallTools, open_calls
from .cast import Cast, Ends, Player
from .cloakroom import Cloakroom
from .ledger import PieceKey
from .line import Line, LiveLink, LivePacket
from .opening import Opened, open_piece
from .outbound import Outbound
from .past import Past, read_past
from .piece import Close, Ending, Piece, PieceTools, words_of_ending
from .playing import Playing
from .scribe import Scribe
from .waits import How
from .wishes import Wishes

log = logging.getLogger(__name__)

SEED_BITS = 48
AGENTS_A_TURN = 200  # taken up, of some 20 us each
STRANGERS_MAX = 1000  # agents of whom something came before we know them; after that it is dropped
SEAT_S = 5.0  # a page that comes while its group is being opened waits so long for the others' past
OPENED_AT_ONCE = 4  # pieces; more would not be opened sooner, but hold up whoever waits for an answer
FIRST_WORDS_S = 1.0  # after a start pieces are opened once a router told what pages said, or after so long
LAST_WORDS_S = 30.0  # how long what was sent before the code ended an agent's part is tried to be delivered


@attrs.frozen
class StageTools:
    """What live work is carried on with."""

    house: House
    cast: Cast
    blueprint: Blueprint
    rules: LiveRules
    user_code: UserCode
    failed: Callable[[str, BaseException, AgentId | None], Awaitable[None]]
    """Keep an error of the author's code for `crowdctl errors`."""
    tell: Callable[[Agent | OnboardingAgent, Reason | None], None]
    """Say an agent's status, as it is stored, to its page."""
    active: Callable[[], None]
    """Somebody said something: the run's patience begins anew."""


class Watcher(Protocol):
    """Who decides what becomes of groups."""

    def changed(self, agent: Agent) -> None:
        """An agent is new, or another status of it was stored."""
        ...

    def came_or_went(self, agent_id: AgentId) -> None:
        """The page of an agent came or went."""
        ...

    def answered(self, agent_id: AgentId) -> None:
        """Somebody at the page said that they are there."""
        ...

    def is_played(self, assignment_id: AssignmentId) -> None:
        """The code of a group runs (again)."""
        ...


class Stage:
    """One per run and cast: for its units, and for its onboardings where code accompanies them."""

    def __init__(self, tools: StageTools) -> None:
        self._t = tools
        self._cast = tools.cast
        self._lines: dict[WireId, Line] = {}
        self._by_number: dict[AgentId, Line] = {}
        self._pieces: dict[PieceKey, Playing | None] = {}
        self._opening: set[AgentId] = set()
        """Whose pieces are being opened: they are to sit down in them."""
        self._opened = trio.Event()
        self._turns = trio.CapacityLimiter(OPENED_AT_ONCE)
        self._first_words = trio.Event()
        self._late: dict[PieceKey, set[AgentId]] = {}
        """Who came while a piece was being opened, or was still that of another; they are looked at again."""
        self._watcher: Watcher | None = None
        self._cloakroom = Cloakroom(tools.house.storage, tools.cast.onboarding, tools.house.wall)
        self._scribe = Scribe(tools.house.storage)
        self._strangers: dict[WireId, list[tuple[LiveLink, LivePacket]]] = {}
        self._begins, self._wishes = Wishes(), Wishes()
        self._newer: set[AgentId] | None = None
        """Of whom something was told while it is taken up who is at work: staff may stop the run."""
        self.attendance = Attendance(tools.rules.grace_s, self._lost, self._came_or_went)
        self.counters: Counter[str] = Counter()

    def watch_groups(self, watcher: Watcher) -> None:
        """The run's work is done in groups: `watcher` decides what becomes of them."""
        self._watcher = watcher

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
        line = self._lines.get(player.wire_id)
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
            nursery.start_soon(self._scribe.serve)
            nursery.start_soon(self._wishes.serve)
            await self._after_first_words()
            await self._begins.serve()

    @property
    def pieces(self) -> int:
        """How many pieces are carried on at this moment."""
        return len(self._pieces)

    # --- what happens to agents

    def changed(self, player: Player) -> None:
        """An agent is new, or another status of it was stored."""
        if self._newer is not None:
            self._newer.add(player.id)
        if self._watcher is not None and isinstance(player, Agent):
            self._watcher.changed(player)
        how = self._cast.how_left(player)
        if how is not None:
            self._is_over(player, how)
        line = self._lines.get(player.wire_id) if how is not None else self._line(player)
        if self._cast.is_played(player) and (line is None or line.piece is None):
            self._begins.add(partial(self._begin, player.id))

    def _line(self, player: Player) -> Line:
        line = self._lines.get(player.wire_id)
        if line is None:
            onboarding = self._cast.onboarding
            read = partial(self._t.house.storage.live_updates, onboarding, player.id, True)
            outbound = Outbound(player.id, player.wire_id, read)
            line = Line(player.id, player.wire_id, onboarding, outbound, self._t.house.wall)
            self._lines[player.wire_id] = self._by_number[player.id] = line
            self.attendance.expect(player.wire_id)
            for link, packet in self._strangers.pop(player.wire_id, ()):
                self.take(link, packet)
        return line

    def _is_over(self, player: Player, how: How) -> None:
        line = self._lines.get(player.wire_id)
        if line is None:
            self._is_over_unseen(player, how)
        if line is None or line.has_ended:
            return
        self.attendance.forget(player.wire_id)
        piece = line.piece
        if player.reason == Reason.SHUTDOWN.value:
            self._forget(line)
            if piece is not None:
                piece.stop()
            return
        line.end()
        if self._cast.code_may_end(player):
            self._wishes.add(partial(self._last_words, line))
        else:
            self._forget(line)
            line.outbound.close()
        if piece is not None and not self._is_kept(piece, how):
            piece.left(player.id, how)

    def _is_over_unseen(self, player: Player, how: How) -> None:
        """It never came back after a shutdown; its group may go on, and its answer have come all the same."""
        if player.reason == Reason.SHUTDOWN.value and how is not How.SUBMITTED:
            return
        for link, packet in self._strangers.pop(player.wire_id, ()):
            self._is_late(link, packet)
        if how is How.SUBMITTED and self._watcher is not None and isinstance(player, Agent):
            self.leave(player)

    def _is_late(self, link: LiveLink, packet: LivePacket) -> None:
        if isinstance(packet, MephistoBoundLiveUpdate):
            self.counters["late_live_updates"] += 1
            link.stream_stored(packet)

    def _forget(self, line: Line) -> None:
        if self._lines.get(line.wire_id) is line:
            del self._lines[line.wire_id], self._by_number[line.agent_id]

    async def _last_words(self, line: Line) -> None:
        """The page is still there, and gets what was sent to it before."""
        with trio.move_on_after(LAST_WORDS_S):
            await line.outbound.delivered()
        self._forget(line)
        line.outbound.close()

    def _is_kept(self, piece: Piece, how: How) -> bool:
        """Whether it is the watcher's to say what becomes of the agent's seat."""
        in_group = self._watcher is not None and piece.key.kind is PieceKind.ASSIGNMENT
        return in_group and how is not How.SUBMITTED

    async def _lost(self, wire_id: WireId) -> None:
        """Nobody was at the agent's page for longer than the grace."""
        line = self._lines.get(wire_id)
        if line is not None:
            await self._happen(line.agent_id, WentAway())

    def _came_or_went(self, wire_id: WireId, present: bool) -> None:
        line = self._lines.get(wire_id)
        if line is not None:
            log.info("the page %s", "is back" if present else "is gone", extra=self._ids(line.agent_id))
            if self._watcher is not None:
                self._watcher.came_or_went(line.agent_id)

    async def _happen(self, agent_id: AgentId, event: Ends) -> None:
        try:
            await with_space(f"the end of agent {agent_id}", partial(self._cast.happen, agent_id, event))
        except IllegalEvent as exc:  # it ended in another way at this moment
            log.info("it had moved on: %s", exc, extra=self._ids(agent_id))

    def _ids(self, agent_id: AgentId) -> dict[str, int]:
        return {"onboarding" if self._cast.onboarding else "agent": agent_id}

    # --- what pages and routers say

    def take(self, link: LiveLink, packet: LivePacket) -> None:
        """A packet about live work; never waits."""
        line = self._lines.get(packet.subject)
        if line is None:
            self._from_stranger(link, packet)
            return
        match packet:
            case Confirmed(tag=int(number)):
                line.outbound.confirmed(number)
                if line.outbound.is_behind:
                    self._wishes.add(line.outbound.pump)
            case Alive():
                self.attendance.came(packet.subject)
                self._is_alive(link, packet, line)
            case MephistoBoundLiveUpdate():
                self._t.active()
                self.attendance.came(packet.subject)
                line.heard(link, packet)
                self._cloakroom.came(line)
            case _:
                self.counters["unexpected"] += 1

    def _is_alive(self, link: LiveLink, packet: Alive, line: Line) -> None:
        if packet.here and self._watcher is not None:
            self._watcher.answered(line.agent_id)
        line.outbound.alive(link, packet.seen)
        self._wishes.add(line.outbound.pump)

    def _from_stranger(self, link: LiveLink, packet: LivePacket) -> None:
        """Of an agent that is not at work: it may be about to be again, then nothing of it may be lost."""
        if isinstance(packet, Confirmed):
            return
        if isinstance(packet, Alive):
            self._wishes.add(partial(self._remind, packet.subject))
        known = self._strangers.get(packet.subject)
        if known is not None:
            if isinstance(packet, Alive):  # the newest is what counts; a page may come again and again
                known[:] = [one for one in known if one[0] is not link or not isinstance(one[1], Alive)]
            known.append((link, packet))
        elif len(self._strangers) < STRANGERS_MAX:
            self._strangers[packet.subject] = [(link, packet)]
            self._wishes.add(partial(self._who_is, packet.subject))
        else:
            self.counters["strangers_dropped"] += 1

    async def _remind(self, wire_id: WireId) -> None:
        """A page shows an agent that is not at work: its router may have been restarted, and not know it."""
        with suppress(NotFound):
            player = await self._cast.player_of(wire_id)
            assert isinstance(player, Agent | OnboardingAgent)
            if self._cast.how_left(player) is not None and wire_id not in self._lines:
                is_pause = player.reason == Reason.SHUTDOWN.value
                self._t.tell(player, Reason.SHUTDOWN if is_pause else None)

    async def _who_is(self, wire_id: WireId) -> None:
        try:
            player = await self._cast.player_of(wire_id)
        except NotFound:
            player = None
        may_come_back = player is not None and (
            self._cast.how_left(player) is None or player.reason == Reason.SHUTDOWN.value
        )
        if may_come_back or wire_id not in self._strangers:
            return
        for link, packet in self._strangers.pop(wire_id):
            self._is_late(link, packet)

    def hear_presence(self, presence: Mapping[str, str], present: str) -> None:
        """What a router says of whose page is there; `present` is its word for it."""
        self._first_words.set()
        for name, said in presence.items():
            if said == present:
                self.attendance.is_back(WireId(name))
            else:
                self.attendance.went(WireId(name))

    async def past(self, agent_id: AgentId) -> Past:
        """What a page that comes is told of its agent's past."""
        before = await self._before(await self._cast.player(agent_id))
        return await read_past(self._t.house.storage, self._cast.onboarding, agent_id, before)

    async def _before(self, player: Player) -> Sequence[AgentId]:
        """Who sat in a member's seat before them; after a start it takes a moment until that is known."""
        key = await self._cast.key_of(player)
        if key.kind is not PieceKind.ASSIGNMENT or not self._cast.is_played(player):
            return ()
        with trio.move_on_after(SEAT_S):
            while (playing := self._pieces.get(key)) is None:
                await self._opened.wait()
            seat = await playing.piece.seated(player.id)
            return seat.agents[: seat.agents.index(player.id)]
        return ()

    # --- groups

    def members(self, assignment_id: AssignmentId) -> Sequence[tuple[AgentId, How | None]] | None:
        """Who sits in the seats of a group, and how their part is over as far as its code knows.

        None: its code does not run at present.
        """
        playing = self._group(assignment_id)
        return None if playing is None else playing.members()

    def is_closing(self, assignment_id: AssignmentId) -> bool:
        """Whether a group's code has ended, and only answers may come."""
        playing = self._group(assignment_id)
        return playing is not None and playing.is_closing

    def group_has_ended(self, assignment_id: AssignmentId) -> bool:
        """Whether a group goes on no further because somebody left, as far as its code knows."""
        playing = self._group(assignment_id)
        return playing is not None and playing.piece.has_ended

    def leave(self, agent: Agent) -> None:
        """The group's code is to know that the agent left for good."""
        playing = self._group(agent.assignment_id)
        how = self._cast.how_left(agent)
        if playing is not None and how is not None:
            playing.piece.left(agent.id, how)

    def end_group(self, agent: Agent) -> None:
        """The agent's group goes on no further, because it left."""
        playing = self._group(agent.assignment_id)
        if playing is not None and not playing.piece.has_ended:
            playing.piece.end(agent.id)

    def _group(self, assignment_id: AssignmentId) -> Playing | None:
        """The group's piece; None: its code does not run at present."""
        return self._pieces.get(PieceKey(PieceKind.ASSIGNMENT, assignment_id))

    # --- pieces

    async def _begin(self, agent_id: AgentId) -> None:
        async with self._turns:
            found = await self._found(agent_id)
        if found is None:
            return
        key, members = found
        try:
            await self._play(key, members)
        except Exception as exc:
            # A piece that cannot be carried on is not its neighbours' trouble; a lost store is everybody's.
            if any(isinstance(cause, LeaseLost | StorageFailed) for cause in causes(exc)):
                raise
            log.exception("%s %d cannot be carried on", key.kind.value, key.id)
            await self._t.failed(f"carrying on {key.kind.value} {key.id}", exc, None)
            await self._end_all([member.id for member in members], TaskFailed())
        finally:
            self._opening -= {member.id for member in members}
            self._is_no_more(key, self._pieces.pop(key))

    async def _after_first_words(self) -> None:
        """Whoever waits to hear that something is stored goes before the code that is run again."""
        if not self._first_words.is_set():
            with trio.move_on_after(FIRST_WORDS_S):
                await self._first_words.wait()
            self._first_words.set()

    async def _found(self, agent_id: AgentId) -> tuple[PieceKey, Sequence[Player]] | None:
        """The piece to be opened for the agent, and who works on it; None: it is seen to otherwise."""
        if agent_id in self._opening:
            return None
        player = await self._cast.player(agent_id)
        if not self._cast.is_played(player):
            return None
        key = await self._cast.key_of(player)
        if key not in self._pieces:
            self._pieces[key] = None
            members = await self._cast.members(player)
            self._opening |= {member.id for member in members}
            return key, members
        playing = self._pieces[key]
        if playing is None or not playing.takes(player.id):
            self._late.setdefault(key, set()).add(player.id)
        else:
            await self._sit_down(playing, player)
        return None

    def _is_no_more(self, key: PieceKey, playing: Playing | None) -> None:
        """Whoever came too late for what is over now has the code begin for them."""
        late = self._late.pop(key, set())
        for agent_id in () if playing is None else playing.persons:
            line = self._by_number.get(agent_id)
            if line is not None and not line.has_ended:
                line.detach()
                late.add(agent_id)
        if playing is None or not playing.is_stopped:
            self._look_at(late)

    def _look_at(self, agents: Iterable[AgentId]) -> None:
        for agent_id in agents:
            self._begins.add(partial(self._begin, agent_id))

    async def _play(self, key: PieceKey, members: Sequence[Player]) -> None:
        functions = self._t.blueprint.named_functions()
        async with self._turns:
            opened = await self._open(key, members, bool(functions))
            is_over = opened.begun_before and self._t.rules.resume is Resume.END
            persons = {} if is_over else await self._everybody(opened, members)
        if is_over:
            await self._end_all([agent.id for agent in members], TaskFailed())
            return
        playing = Playing(opened, persons)
        calls = CallTools(
            functions,
            self._t.rules.call_limit_s,
            self._t.rules.calls_at_once_max,
            self._t.user_code,
            playing.caller,
            playing.piece.answer,
            self._call_failed,
        )
        async with open_calls(calls) as open_now:
            playing.calls = open_now if functions else None
            self._pieces[key] = playing
            self._opened.set()
            self._opened = trio.Event()
            for agent in members:
                await self._sit_down(playing, agent, playing.persons[agent.id])
            sitting = {agent.id for agent in members}
            self._opening -= sitting
            self._look_at(self._late.pop(key, set()) - sitting)
            for call in opened.calls:
                open_now.take(call)
            if self._watcher is not None and key.kind is PieceKind.ASSIGNMENT:
                self._watcher.is_played(AssignmentId(key.id))
            await playing.piece.serve(partial(self._code, playing), partial(self._code_ended, playing))

    async def _open(self, key: PieceKey, members: Sequence[Player], has_functions: bool) -> Opened:
        house = self._t.house
        tools = PieceTools(house.storage, self._scribe, house.wall, self._t.user_code, self._sent)
        seed = house.rng.getrandbits(SEED_BITS)
        return await open_piece(key, [agent.id for agent in members], seed, has_functions, tools)

    async def _everybody(self, opened: Opened, members: Sequence[Player]) -> dict[AgentId, Person]:
        """Its members, and who sat in its seats before; of whom the part is over, the piece knows again."""
        players = {member.id: member for member in members}
        for agent_id in opened.hearings:
            if agent_id not in players:
                players[agent_id] = await self._cast.player(agent_id)
            if self._cast.how_left(players[agent_id]) is How.SUBMITTED:
                opened.piece.left(agent_id, How.SUBMITTED)
        return {agent_id: await self._person(player) for agent_id, player in players.items()}

    async def _person(self, player: Player) -> Person:
        return await self._cast.person(player, self.attendance.is_present)

    async def _sit_down(self, playing: Playing, player: Player, person: Person | None = None) -> None:
        """The agent's page and the code of its piece hear each other from now on.

        Also who comes back to it, and who comes new to a seat that is empty. `person`: just read.
        """
        person = person or await self._person(player)
        said = await self._said(player.id) if not playing.knows(player.id) else ()
        if player.wire_id in self._lines:
            await self._cloakroom.leave(self._lines[player.wire_id])
        if self._pieces.get(playing.piece.key) is not playing:  # it is over since
            self._look_at([player.id])
            return
        line = self._lines.get(player.wire_id)
        playing.sit_down(player.id, person, said)
        if line is None or line.has_ended:
            await self._has_left(playing, player.id)
        elif line.piece is None:
            line.attach(playing.attached(player.id))

    async def _said(self, agent_id: AgentId) -> Sequence[LiveUpdate]:
        """What a newcomer's page and the code said before a crash; mostly nothing."""
        return (await read_past(self._t.house.storage, self._cast.onboarding, agent_id)).updates

    async def _has_left(self, playing: Playing, agent_id: AgentId) -> None:
        """An agent may have left before the piece could be told: while that was being opened."""
        player = await self._cast.player(agent_id)
        how = self._cast.how_left(player)
        if how is None or player.reason == Reason.SHUTDOWN.value or self._is_kept(playing.piece, how):
            return
        playing.piece.left(agent_id, how)

    async def _code(self, playing: Playing) -> Any:
        """The author's coroutine for this piece."""
        piece = playing.piece
        agents = [LiveAgent(piece, seat, playing.persons.__getitem__) for seat in piece.seats]
        return await self._cast.play(piece, agents)

    async def _code_ended(self, playing: Playing, ending: Ending) -> None:
        playing.is_closing = True
        members = [seat.agent_id for seat in playing.piece.seats]
        log.info("its code %s", words_of_ending(ending), extra=self._ids(members[0]))
        if ending.close is Close.STOPPED:
            playing.is_stopped = True
            return
        if ending.close is Close.FINISHED:
            await self._cast.finished(playing.piece, ending.returned)
            return
        assert ending.error is not None
        doing = f"working on {playing.piece.key.kind.value} {playing.piece.key.id}"
        await self._t.failed(doing, ending.error, None if self._cast.onboarding else members[0])
        await self._end_all(members, TaskFailed())

    async def _call_failed(self, doing: str, error: BaseException, agent_id: AgentId) -> None:
        if self._cast.onboarding:
            await self._t.failed(f"{doing} in onboarding {agent_id}", error, None)
        else:
            await self._t.failed(doing, error, agent_id)

    async def _end_all(self, members: Sequence[AgentId], event: Ends) -> None:
        for agent_id in members:
            await self._happen(agent_id, event)

    def _sent(self, update: LiveUpdate) -> None:
        """An update is stored: off it goes."""
        line = self._by_number.get(update.agent_id)
        if line is not None and not line.outbound.stored(update):
            self._wishes.add(line.outbound.pump)
