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
from typing import Any

import attrs
import trio

from ...protocol.names import LIVE_AGENT, AgentId, AgentStatus, PieceKind, Reason, WireId
from ...protocol.packets import Alive, MephistoBoundLiveUpdate
from ...protocol.streams import Confirmed
from ...storage.errors import NotFound
from ...storage.records import Agent, LiveUpdate
from ..blueprints.contract import Blueprint
from ..blueprints.live_contract import LiveRules, Resume
from ..hooks.views import RunView
from ..house import House
from ..lifecycle import AgentEvent, IllegalEvent, TaskFailed, TimeOver, WentAway
from ..log_ids import ids_of
from ..router_link import RouterLink
from ..task_runner import TaskRunner
from ..user_code import UserCode
from .agent import LiveAgent, Person
from .attendance import Attendance
from .calls import CallTools, open_calls
from .group import Group
from .ledger import PieceKey
from .line import Attached, Line, LiveLink, LivePacket
from .opening import Opened, open_piece
from .outbound import Outbound
from .past import Past, read_past
from .people import People, caller
from .piece import Close, Ending, PieceTools, words_of_ending
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


class Stage:
    """One per run whose blueprint is live."""

    def __init__(self, tools: StageTools) -> None:
        self._t = tools
        self._lines: dict[WireId, Line] = {}
        self._by_number: dict[AgentId, Line] = {}
        self._pieces: dict[PieceKey, Opened | None] = {}
        self._strangers: dict[WireId, list[tuple[LiveLink, LivePacket]]] = {}
        self._wish, self._wishes = trio.open_memory_channel[Callable[[], Awaitable[None]]](math.inf)
        self.attendance = Attendance(tools.rules.grace_s, self._lost, self._came_or_went)
        self.counters: Counter[str] = Counter()
        self._people = People(tools.house.storage, tools.run, tools.folder, self.attendance.is_present)

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

    # --- what happens to agents

    def changed(self, agent: Agent) -> None:
        """An agent is new, or another status of it was stored."""
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
        if line.piece is not None:
            line.piece.left(agent.id, _HOW[agent.status])

    async def _lost(self, wire_id: WireId) -> None:
        """Nobody was at the agent's page for longer than the grace."""
        line = self._lines.get(wire_id)
        if line is not None:
            await self._happen(line.agent_id, WentAway())

    def _came_or_went(self, wire_id: WireId, present: bool) -> None:
        line = self._lines.get(wire_id)
        if line is not None:
            log.info("the page %s", "is back" if present else "is gone", extra={"agent": line.agent_id})

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
        return await read_past(self._t.house.storage, False, agent_id)

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
            return
        self._pieces[key] = None
        try:
            await self._play(key, [agent] if alone else await self._members(agent))
        finally:
            del self._pieces[key]

    async def _members(self, one: Agent) -> list[Agent]:
        """All of an assignment who hold a unit of it, in the order of their units."""
        reserved = await self._t.house.storage.reserved_agents(one.run_id)
        members = [agent for agent in reserved if agent.assignment_id == one.assignment_id]
        return sorted(members, key=lambda agent: agent.unit_id)

    async def _play(self, key: PieceKey, members: Sequence[Agent]) -> None:
        tools = PieceTools(
            self._t.house.storage, self._t.house.wall, self._t.user_code, self._t.folder, self._sent
        )
        functions = self._t.blueprint.named_functions()
        seed = self._t.house.rng.getrandbits(SEED_BITS)
        opened = await open_piece(key, [agent.id for agent in members], seed, bool(functions), tools)
        persons = {agent.id: await self._people.person(agent) for agent in members}
        self._pieces[key] = opened
        if opened.begun_before and self._t.rules.resume is Resume.END:
            await self._end_all(members, TaskFailed())
            return
        piece = opened.piece
        calls = CallTools(
            functions,
            self._t.rules.call_limit_s,
            self._t.rules.calls_at_once_max,
            self._t.user_code,
            lambda agent_id: caller(piece, persons[agent_id], agent_id),
            piece.answer,
            self._t.failed,
        )
        async with open_calls(calls) as open_now:
            for agent in members:
                line = self._lines.get(agent.wire_id)
                if line is not None:
                    line.attach(Attached(piece, opened.hearings[agent.id], open_now if functions else None))
            for call in opened.calls:
                open_now.take(call)
            await piece.serve(
                partial(self._code, opened, persons), partial(self._code_ended, opened, members)
            )

    async def _code(self, opened: Opened, persons: dict[AgentId, Person]) -> None:
        """The author's coroutine for this piece."""
        piece = opened.piece
        agents = [LiveAgent(piece, seat, persons.__getitem__) for seat in piece.seats]
        play: Any = self._t.blueprint.play(piece.key.kind)
        if piece.key.kind is PieceKind.ASSIGNMENT:
            await play(agents[0].unit.assignment, Group(piece, agents))
        else:
            await play(agents[0].unit, agents[0])

    async def _code_ended(self, opened: Opened, members: Sequence[Agent], ending: Ending) -> None:
        log.info("its code %s", words_of_ending(ending), extra=ids_of(members[0]))
        if ending.close is Close.STOPPED:
            return
        if ending.close is Close.FINISHED:
            with trio.move_on_after(self._t.submission_timeout_s()):
                await opened.piece.all_left()
                return
            await self._end_all(members, TimeOver())
            return
        assert ending.error is not None
        doing = f"working on {opened.piece.key.kind.value} {opened.piece.key.id}"
        await self._t.failed(doing, ending.error, members[0].id)
        await self._end_all(members, TaskFailed())

    async def _end_all(self, members: Sequence[Agent], event: AgentEvent) -> None:
        for agent in members:
            await self._happen(agent.id, event)

    def _sent(self, update: LiveUpdate) -> None:
        """An update is stored: off it goes."""
        line = self._by_number.get(update.agent_id)
        if line is not None and not line.outbound.stored(update):
            self._wish.send_nowait(line.outbound.pump)
