"""All live work of one run: a piece for each unit or assignment in work, a line for each live agent.

Holds no truth. At a start, what storage says is taken up again: who was at work finds their piece where it
was. Packets of the link come in by `take` without waiting, so their order is kept.
"""

import logging
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import attrs
import trio

from ...protocol.names import LIVE_AGENT, AgentId, AgentStatus, AssignmentId, PieceKind, Reason, WireId
from ...protocol.packets import Alive, MephistoBoundLiveUpdate
from ...protocol.streams import Confirmed
from ...storage.errors import NotFound
from ...storage.records import Agent, LiveUpdate
from ..blueprints.contract import Blueprint
from ..blueprints.live_contract import LiveRules, Resume
from ..hooks.views import RunView
from ..house import House
from ..lifecycle import AgentEvent, IllegalEvent, TaskFailed, TimeOver, WentAway
from ..router_link import RouterLink
from ..task_runner import TaskRunner
from ..user_code import UserCode
from .agent import LiveAgent, Person
from .attendance import Attendance
from .calls import CallTools, open_calls
from .group import Group
from .ledger import PieceKey
from .line import Line, LiveLink, LivePacket
from .opening import Opened, open_piece
from .outbound import Outbound
from .past import Past, read_past
from .people import People
from .piece import Close, Ending, Piece, PieceTools, words_of_ending
from .playing import Playing
from .waits import How

log = logging.getLogger(__name__)

SEED_BITS = 48
STRANGERS_MAX = 1000  # agents of whom something came before we know them; after that it is dropped
_HOW = {
    AgentStatus.COMPLETED: How.SUBMITTED,
    AgentStatus.APPROVED: How.SUBMITTED,
    AgentStatus.SOFT_REJECTED: How.SUBMITTED,
    AgentStatus.REJECTED: How.SUBMITTED,
    AgentStatus.RETURNED: How.RETURNED,
    AgentStatus.TIMEOUT: How.TIMEOUT,
    AgentStatus.EXPIRED: How.DISCONNECTED,
    AgentStatus.DISCONNECT: How.DISCONNECTED,
}
AT_WORK = frozenset({AgentStatus.IN_TASK, AgentStatus.PARTNER_DISCONNECT})


@attrs.frozen
class StageTools:
    """What live work is carried on with."""

    house: House
    run: RunView
    folder: Callable[[AgentId], Path]
    """Where the files about an agent are."""
    blueprint: Blueprint
    rules: LiveRules
    runner: TaskRunner
    user_code: UserCode
    failed: Callable[[str, BaseException, AgentId | None], Awaitable[None]]
    """Keep an error of the author's code for `crowdctl errors`."""
    active: Callable[[], None]
    """Somebody said something: the run's patience begins anew."""
    submission_timeout_s: Callable[[], float]


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
    """One per run whose blueprint is live."""

    def __init__(self, tools: StageTools) -> None:
        self._t = tools
        self._lines: dict[WireId, Line] = {}
        self._by_number: dict[AgentId, Line] = {}
        self._pieces: dict[PieceKey, Playing | None] = {}
        self._watcher: Watcher | None = None
        self._strangers: dict[WireId, list[tuple[LiveLink, LivePacket]]] = {}
        self._wish, self._wishes = trio.open_memory_channel[Callable[[], Awaitable[None]]](math.inf)
        self.attendance = Attendance(tools.rules.grace_s, self._lost, self._came_or_went)
        self.counters: Counter[str] = Counter()
        self._people = People(tools.house.storage, tools.run, tools.folder, self.attendance.is_present)

    def watch_groups(self, watcher: Watcher) -> None:
        """The run's work is done in groups: `watcher` decides what becomes of them."""
        self._watcher = watcher

    # --- its life

    async def take_up(self) -> None:
        """Know again who is at work, after a start; before the links are served."""
        for agent in await self._t.house.storage.reserved_agents(self._t.runner.run_id):
            self.changed(agent)

    async def serve(self, links: Sequence[RouterLink]) -> None:
        """Carry on all live work until cancelled: in storage it is whole, and goes on at the next start."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.attendance.watch, links)
            async for wish in self._wishes:
                nursery.start_soon(wish)

    @property
    def pieces(self) -> int:
        """How many pieces are carried on at this moment."""
        return len(self._pieces)

    # --- what happens to agents

    def changed(self, agent: Agent) -> None:
        """An agent is new, or another status of it was stored."""
        if self._watcher is not None:
            self._watcher.changed(agent)
        if agent.status not in LIVE_AGENT | AT_WORK:
            self._is_over(agent)
            return
        line = self._line(agent)
        if agent.status in AT_WORK and line.piece is None:
            self._wish.send_nowait(partial(self._begin, agent.id))

    def _line(self, agent: Agent) -> Line:
        line = self._lines.get(agent.wire_id)
        if line is None:
            read = partial(self._t.house.storage.live_updates, False, agent.id, True)
            outbound = Outbound(agent.id, agent.wire_id, read)
            line = Line(agent.id, agent.wire_id, False, outbound, self._t.house.wall)
            self._lines[agent.wire_id] = self._by_number[agent.id] = line
            self.attendance.expect(agent.wire_id)
            for link, packet in self._strangers.pop(agent.wire_id, ()):
                self.take(link, packet)
        return line

    def _is_over(self, agent: Agent) -> None:
        line = self._lines.pop(agent.wire_id, None)
        if line is None:
            return
        del self._by_number[agent.id]
        self.attendance.forget(agent.wire_id)
        if agent.reason == Reason.SHUTDOWN.value:
            if line.piece is not None:
                line.piece.stop()
            return
        line.outbound.close()
        for link, packet in line.held():
            link.stream_stored(packet)
        if line.piece is not None and not self._is_kept(line.piece, agent):
            line.piece.left(agent.id, _HOW[agent.status])

    def _is_kept(self, piece: Piece, agent: Agent) -> bool:
        """Whether it is the watcher's to say what becomes of the agent's seat."""
        in_group = self._watcher is not None and piece.key.kind is PieceKind.ASSIGNMENT
        return in_group and _HOW[agent.status] is not How.SUBMITTED

    async def _lost(self, wire_id: WireId) -> None:
        """Nobody was at the agent's page for longer than the grace."""
        line = self._lines.get(wire_id)
        if line is not None:
            await self._happen(line.agent_id, WentAway())

    def _came_or_went(self, wire_id: WireId, present: bool) -> None:
        line = self._lines.get(wire_id)
        if line is not None:
            log.info("the page %s", "is back" if present else "is gone", extra={"agent": line.agent_id})
            if self._watcher is not None:
                self._watcher.came_or_went(line.agent_id)

    async def _happen(self, agent_id: AgentId, event: AgentEvent) -> None:
        try:
            await self._t.runner.happen(agent_id, event)
        except IllegalEvent as exc:  # it ended in another way at this moment
            log.info("it had moved on: %s", exc, extra={"agent": agent_id})

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
                self._wish.send_nowait(line.outbound.pump)
            case Alive():
                self.attendance.came(packet.subject)
                self._is_alive(link, packet, line)
            case MephistoBoundLiveUpdate():
                self._t.active()
                self.attendance.came(packet.subject)
                line.heard(link, packet)
            case _:
                self.counters["unexpected"] += 1

    def _is_alive(self, link: LiveLink, packet: Alive, line: Line) -> None:
        if packet.here and self._watcher is not None:
            self._watcher.answered(line.agent_id)
        again = line.outbound.alive(link, packet.seen)
        if again is not None:
            self._wish.send_nowait(partial(line.outbound.send_again, again))
        self._wish.send_nowait(line.outbound.pump)

    def _from_stranger(self, link: LiveLink, packet: LivePacket) -> None:
        """Of an agent that is not at work: it may be about to be again, then nothing of it may be lost."""
        if isinstance(packet, Confirmed):
            return
        known = self._strangers.get(packet.subject)
        if known is not None:
            known.append((link, packet))
        elif len(self._strangers) < STRANGERS_MAX:
            self._strangers[packet.subject] = [(link, packet)]
            self._wish.send_nowait(partial(self._who_is, packet.subject))
        else:
            self.counters["strangers_dropped"] += 1

    async def _who_is(self, wire_id: WireId) -> None:
        try:
            agent = await self._t.house.storage.agent_by_wire_id(wire_id)
        except NotFound:
            agent = None
        may_come_back = agent is not None and (
            agent.status in LIVE_AGENT or agent.reason == Reason.SHUTDOWN.value
        )
        if may_come_back or wire_id not in self._strangers:
            return
        for link, packet in self._strangers.pop(wire_id):
            if isinstance(packet, MephistoBoundLiveUpdate):
                self.counters["late_live_updates"] += 1
                link.stream_stored(packet)

    def hear_presence(self, presence: Mapping[str, str], present: str) -> None:
        """What a router says of whose page is there; `present` is its word for it."""
        for name, said in presence.items():
            if said == present:
                self.attendance.came(WireId(name))
            else:
                self.attendance.went(WireId(name))

    async def past(self, agent_id: AgentId) -> Past:
        """What a page that comes is told of its agent's past."""
        agent = await self._t.house.storage.agent(agent_id)
        playing = self._pieces.get(PieceKey(PieceKind.ASSIGNMENT, agent.assignment_id))
        before = () if playing is None else playing.before(agent)
        return await read_past(self._t.house.storage, False, agent_id, before)

    # --- groups

    def members(self, assignment_id: AssignmentId) -> Sequence[tuple[AgentId, How | None]] | None:
        """Who sits in the seats of a group, and how their part is over as far as its code knows.

        None: its code does not run at present.
        """
        playing = self._pieces.get(PieceKey(PieceKind.ASSIGNMENT, assignment_id))
        return None if playing is None else playing.members()

    def is_closing(self, assignment_id: AssignmentId) -> bool:
        """Whether a group's code has ended, and only answers may come."""
        playing = self._pieces.get(PieceKey(PieceKind.ASSIGNMENT, assignment_id))
        return playing is not None and playing.is_closing

    def leave(self, agent: Agent) -> None:
        """The group's code is to know that the agent left for good."""
        playing = self._pieces.get(PieceKey(PieceKind.ASSIGNMENT, agent.assignment_id))
        if playing is not None:
            playing.piece.left(agent.id, _HOW[agent.status])

    def end_group(self, agent: Agent) -> None:
        """The agent's group goes on no further, because it left."""
        playing = self._pieces.get(PieceKey(PieceKind.ASSIGNMENT, agent.assignment_id))
        if playing is not None and not playing.piece.has_ended:
            playing.piece.end(agent.id)

    # --- pieces

    async def _begin(self, agent_id: AgentId) -> None:
        agent = await self._t.house.storage.agent(agent_id)
        unit = await self._t.house.storage.unit(agent.unit_id)
        if agent.status not in AT_WORK:
            return
        alone = self._t.rules.group is None or unit.unit_index < 0
        key = (
            PieceKey(PieceKind.UNIT, unit.id) if alone else PieceKey(PieceKind.ASSIGNMENT, unit.assignment_id)
        )
        if key in self._pieces:
            await self._sit_down(self._pieces[key], agent)
            return
        self._pieces[key] = None
        try:
            await self._play(key, [agent] if alone else await self._members(agent))
        finally:
            del self._pieces[key]

    async def _members(self, one: Agent) -> list[Agent]:
        """All of an assignment who hold a unit of it, in the order of their units."""
        reserved = await self._t.house.storage.reserved_agents(one.run_id)
        members = [
            agent
            for agent in reserved
            if agent.assignment_id == one.assignment_id and agent.status is not AgentStatus.WAITING
        ]
        return sorted(members, key=lambda agent: agent.unit_id)

    async def _play(self, key: PieceKey, members: Sequence[Agent]) -> None:
        tools = PieceTools(
            self._t.house.storage, self._t.house.wall, self._t.user_code, self._t.folder, self._sent
        )
        functions = self._t.blueprint.named_functions()
        seed = self._t.house.rng.getrandbits(SEED_BITS)
        opened = await open_piece(key, [agent.id for agent in members], seed, bool(functions), tools)
        if opened.begun_before and self._t.rules.resume is Resume.END:
            await self._end_all([agent.id for agent in members], TaskFailed())
            return
        playing = Playing(opened, await self._everybody(opened))
        calls = CallTools(
            functions,
            self._t.rules.call_limit_s,
            self._t.rules.calls_at_once_max,
            self._t.user_code,
            playing.caller,
            playing.piece.answer,
            self._t.failed,
        )
        async with open_calls(calls) as open_now:
            playing.calls = open_now if functions else None
            self._pieces[key] = playing
            for agent in members:
                await self._sit_down(playing, agent)
            for call in opened.calls:
                open_now.take(call)
            if self._watcher is not None and key.kind is PieceKind.ASSIGNMENT:
                self._watcher.is_played(AssignmentId(key.id))
            await playing.piece.serve(partial(self._code, playing), partial(self._code_ended, playing))

    async def _everybody(self, opened: Opened) -> dict[AgentId, Person]:
        """Who sits in its seats or sat there; of whom the part is over, the piece knows again."""
        persons: dict[AgentId, Person] = {}
        for agent_id in opened.hearings:
            agent = await self._t.house.storage.agent(agent_id)
            persons[agent.id] = await self._people.person(agent)
            if _HOW.get(agent.status) is How.SUBMITTED:
                opened.piece.left(agent.id, How.SUBMITTED)
        return persons

    async def _sit_down(self, playing: "Playing | None", agent: Agent) -> None:
        """The agent's page and the code of its piece hear each other from now on.

        Also who comes back to it, and who comes new to a seat that is empty. None: it is being opened, and
        finds the agent itself.
        """
        if playing is None:
            return
        person = await self._people.person(agent)
        line = self._lines.get(agent.wire_id)
        playing.sit_down(agent.id, person)
        if line is not None and line.piece is None:
            line.attach(playing.attached(agent.id))

    async def _code(self, playing: "Playing") -> None:
        """The author's coroutine for this piece."""
        piece = playing.piece
        agents = [LiveAgent(piece, seat, playing.persons.__getitem__) for seat in piece.seats]
        play: Any = self._t.blueprint.play(piece.key.kind)
        if piece.key.kind is PieceKind.ASSIGNMENT:
            await play(agents[0].unit.assignment, Group(piece, agents))
        else:
            await play(agents[0].unit, agents[0])

    async def _code_ended(self, playing: "Playing", ending: Ending) -> None:
        playing.is_closing = True
        members = [seat.agent_id for seat in playing.piece.seats]
        log.info("its code %s", words_of_ending(ending), extra={"agent": members[0]})
        if ending.close is Close.STOPPED:
            return
        if ending.close is Close.FINISHED:
            with trio.move_on_after(self._t.submission_timeout_s()):
                await playing.piece.all_left()
                return
            await self._end_all([seat.agent_id for seat in playing.piece.seats], TimeOver())
            return
        assert ending.error is not None
        doing = f"working on {playing.piece.key.kind.value} {playing.piece.key.id}"
        await self._t.failed(doing, ending.error, members[0])
        await self._end_all(members, TaskFailed())

    async def _end_all(self, members: Sequence[AgentId], event: AgentEvent) -> None:
        for agent_id in members:
            await self._happen(agent_id, event)

    def _sent(self, update: LiveUpdate) -> None:
        """An update is stored: off it goes."""
        line = self._by_number.get(update.agent_id)
        if line is not None and not line.outbound.stored(update):
            self._wish.send_nowait(line.outbound.pump)
