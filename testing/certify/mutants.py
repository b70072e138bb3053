"""Planted faults, by name: what a forked daemon or router is made to do wrong, to see that it is found.

None of it is in the product: a process is patched after its fork, before it begins. Each does what a
plausible mistake would do, and dawdles where the mistake leaves a gap, so that a kill falls into it soon.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import chain
from typing import Any

import attrs
import trio

from ...daemon.follow_ups import FollowUps
from ...daemon.intake import Intake
from ...daemon.live.cloakroom import Cloakroom, Taken
from ...daemon.live.hearing import Hearing, New
from ...daemon.live.line import Line
from ...protocol.names import AgentId, AgentStatus, Reason, WireId
from ...protocol.packets import Answer
from ...storage import rules
from ...storage.contract import Plan
from ...storage.errors import StorageError
from ...storage.hand import Hand
from ...storage.records import Agent
from ...storage.sqlite import lives, reserving, units
from ...storage.sqlite.ask import Db, note
from ...storage.sqlite.body import the_agent
from ...storage.sqlite.live import SqliteLive
from ...storage.sqlite.lives import SqliteLives
from ...storage.sqlite.reserving import SqliteReserving
from ...storage.writes import AddSubmission, MoveAgent, Write
from .disk_mutants import DISK_MUTANTS

GAP_S = 0.05
WORDS_GAP_S = 0.15  # words come in bursts that are stored together: few gaps, so wider ones


def plant(name: str) -> None:
    """Make this process do wrong from here on. KeyError: there is no such fault."""
    MUTANTS[name]()


def _ack_before_commit() -> None:
    commit = SqliteLives.commit

    async def later(self: Any, writes: Sequence[Write], now: datetime) -> None:
        await trio.sleep(GAP_S)
        with suppress(StorageError):
            await commit(self, writes, now)

    async def early(self: Any, writes: Sequence[Write], now: datetime) -> Mapping[AgentId, Agent]:
        if any(isinstance(write, AddSubmission) for write in writes):
            trio.lowlevel.spawn_system_task(later, self, writes, now)
            return {}
        return await commit(self, writes, now)

    async def early_for(self: Any, wire_id: WireId, plan: Plan, now: datetime) -> Mapping[AgentId, Agent]:
        agent, unit = await self.agent_with_unit(wire_id)
        trio.lowlevel.spawn_system_task(later, self, plan(agent, unit), now)
        return {agent.id: attrs.evolve(agent, status=AgentStatus.COMPLETED)}

    _replace(SqliteLives, "commit", early)
    _replace(SqliteLives, "commit_for", early_for)


def _dedup_in_memory() -> None:
    """What was submitted is known by this process, and by nobody after it."""
    submit = Intake.submit_unit
    mine: set[tuple[int, str]] = set()

    async def remembered(self: Any, agent: Agent, digest: str) -> bool | None:
        return True if (agent.id, digest) in mine else None

    async def remembering(self: Any, packet: Any, fetch: Any) -> Answer:
        answer = await submit(self, packet, fetch)
        with suppress(Exception):
            agent = await self._t.storage.agent_by_wire_id(packet.subject)
            mine.add((agent.id, (await self._t.storage.submission(agent.id)).digest))
        await trio.sleep(GAP_S)
        return answer

    _replace(Intake, "submit_unit", remembering)
    _replace(Intake, "_known", remembered)


def _reservation_in_two() -> None:
    """The agent is made in one transaction, its unit is taken in a second one."""
    reserve, arrive, save_unit = SqliteReserving.reserve, SqliteReserving.arrive, units.save_unit
    waiting: list[Callable[[Db], Any]] = []

    def saved_later(db: Db, queue: Any, before: Any, after: Any, hand: Any, also: Any = ()) -> Any:
        note(db, *also)
        waiting.append(lambda db: save_unit(db, queue, before, after, hand))
        return after

    async def take_waiting(self: Any) -> None:
        mine = [waiting.pop() for _ in range(len(waiting))]
        await trio.sleep(GAP_S)
        for write in mine:
            await self._engine.write(write)

    async def in_two(self: Any, registration: Any, now: datetime) -> Any:
        reserved = await reserve(self, registration, now)
        await take_waiting(self)
        return reserved

    async def arriving_in_two(self: Any, arrival: Any, now: datetime) -> Any:
        arrived = await arrive(self, arrival, now)
        await take_waiting(self)
        return arrived

    _replace(reserving, "save_unit", saved_later)
    _replace(SqliteReserving, "reserve", in_two)
    _replace(SqliteReserving, "arrive", arriving_in_two)


def _repeat_refused() -> None:
    def refused(self: Any, request: str, agent: Agent, same: bool) -> Answer:
        answer: Answer = self._answer(request, Reason.ALREADY_SUBMITTED, agent.status)
        return answer

    _replace(Intake, "_repeat", refused)


def _stream_acked_before_stored() -> None:
    pass_on, add_live = _original(Line, "_pass_on"), SqliteLive.add_live
    store = _original(Cloakroom, "_store")

    def confirming(self: Any, to: Any, link: Any, packet: Any) -> None:
        link.stream_stored(packet)
        pass_on(self, to, link, packet)

    async def confirming_first(self: Any, taken: Taken) -> None:
        for link, packet in chain.from_iterable(taken.values()):
            link.stream_stored(packet)
        await store(self, taken)

    async def slowly(self: Any, *rows: Any) -> None:
        await trio.sleep(WORDS_GAP_S)
        await add_live(self, *rows)

    _replace(Cloakroom, "_store", confirming_first)
    _replace(Line, "_pass_on", confirming)
    _replace(SqliteLive, "add_live", slowly)


def _stream_repeated() -> None:
    """What a page sends again because it was not confirmed counts as new."""
    take, add_live = Hearing.take, SqliteLive.add_live

    def anew(self: Any, packet: Any) -> New | None:
        new = take(self, packet)
        if new is None and packet.page and packet.page_number <= self._pages.get(packet.page, 0):
            self._number += 1
            return New(self._number, f"{packet.page}:{packet.page_number}:{self._number}")
        return new

    async def slowly(self: Any, *rows: Any) -> None:
        await add_live(self, *rows)
        await trio.sleep(GAP_S)  # stored, and not confirmed yet

    _replace(Hearing, "take", anew)
    _replace(SqliteLive, "add_live", slowly)


def _status_goes_back() -> None:
    move_agent = _original(lives, "_move_agent")

    def back_and_forth(db: Db, agents: Any, move: MoveAgent, at: datetime) -> None:
        move_agent(db, agents, move, at)
        agent = the_agent(db, move.id)
        if agent.status is AgentStatus.COMPLETED:
            before = attrs.evolve(agent, status=AgentStatus.IN_TASK)
            note(db, Hand(move.who, move.why, rules.moment(at)).agent(agent, before))

    _replace(lives, "_move_agent", back_and_forth)


def _follow_up_lost() -> None:
    """What follows from an answer is remembered by this process only."""

    def nothing(self: Any, agent_id: Any) -> list[Write]:
        return []

    _replace(FollowUps, "mark", nothing)


def _original(holder: Any, name: str) -> Any:
    """What is about to be replaced. AttributeError: the code has changed, this fault needs another place."""
    return getattr(holder, name)


def _replace(holder: Any, name: str, by: Any) -> None:
    _original(holder, name)
    setattr(holder, name, by)


MUTANTS: Mapping[str, Callable[[], None]] = {
    "ack before commit": _ack_before_commit,
    "dedup in memory only": _dedup_in_memory,
    "reservation in two transactions": _reservation_in_two,
    "answered submission refused": _repeat_refused,
    "stream acked before stored": _stream_acked_before_stored,
    "stream repeated": _stream_repeated,
    "status goes back": _status_goes_back,
    "follow-up lost": _follow_up_lost,
    **DISK_MUTANTS,
}
