"""The groups of one run: which of them are to be looked at, and when. One task; woken by whatever changes."""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import attrs
import trio

from ...protocol.names import AT_WORK_AGENT, LIVE_AGENT, AgentId, AgentStatus, AssignmentId
from ...storage.errors import StaleWrite
from ...storage.records import Agent
from ..full_disk import with_space
from ..groups import Policy
from ..lifecycle import IllegalEvent
from ..reached import one_reached, until_all_away
from ..router_link import RouterLink
from .gathering import Gathering, GroupTools
from .leaving import Leaving
from .partners import Partners
from .seats import Seats, is_simulated, read_seats
from .signs import Signs

log = logging.getLogger(__name__)

STEPS_MAX = 100  # of one group at a time; then others get a turn
RETURNING = frozenset({Policy.REPLACE, Policy.SIMULATED})


@attrs.frozen
class Room:
    """A group that forms, as staff see it."""

    assignment_id: AssignmentId
    here: int
    away: int
    simulated: int
    size: int
    waited_s: float
    """How long the first of them has waited."""
    left_s: float | None
    """In how many seconds the first of them has waited for too long; None: nobody waits."""


class GroupKeeper:
    """One per run of a group task. Holds no truth: after a start, storage says who waits and who works."""

    def __init__(self, tools: GroupTools, gathering: Gathering, leaving: Leaving, partners: Partners) -> None:
        self._t = tools
        self._gathering = gathering
        self._leaving = leaving
        self._partners = partners
        self._signs: Signs = tools.signs
        self._of: dict[AgentId, AssignmentId] = {}
        """The groups of those who wait or work."""
        self._at_work: defaultdict[AssignmentId, set[AgentId]] = defaultdict(set)
        self._begun: set[AssignmentId] = set()
        self._dirty: dict[AssignmentId, None] = {}
        self._look_at: dict[AssignmentId, float] = {}
        self._woken = trio.Event()

    # --- what happens

    def changed(self, agent: Agent) -> None:
        """An agent is new, or another status of it was stored."""
        known = self._of.get(agent.id)
        if agent.status in LIVE_AGENT | AT_WORK_AGENT:
            self._of[agent.id] = agent.assignment_id
        elif known is None:
            return
        else:
            del self._of[agent.id]
        self._note_work(agent)
        self._note_waiting(agent)
        self._partners.changed(agent)
        self._mark(agent.assignment_id)

    def _note_work(self, agent: Agent) -> None:
        at_work = self._at_work[agent.assignment_id]
        if agent.status in AT_WORK_AGENT:
            self._begun.add(agent.assignment_id)
            at_work.add(agent.id)
        else:
            at_work.discard(agent.id)
            if not at_work:
                del self._at_work[agent.assignment_id]

    def _note_waiting(self, agent: Agent) -> None:
        if agent.status is not AgentStatus.WAITING:
            self._signs.forget(agent.id)
        elif not is_simulated(agent):
            self._signs.came(agent.id, (self._t.house.wall() - agent.created_at).total_seconds())
            self._signs.has_time(agent.id)

    def came_or_went(self, agent_id: AgentId) -> None:
        """The page of an agent came or went."""
        self._mark_of(agent_id)

    def answered(self, agent_id: AgentId) -> None:
        """Somebody at the page said that they are there."""
        self._signs.answered(agent_id)
        self._mark_of(agent_id)

    def is_played(self, assignment_id: AssignmentId) -> None:
        """The code of a group runs (again)."""
        self._mark(assignment_id)

    def look_again(self) -> None:
        """Seats may be free, or gone, or the run takes nobody in any more."""
        for assignment_id in set(self._of.values()):
            self._mark(assignment_id)

    async def time_passed(self, agent_id: AgentId, now: datetime) -> None:
        """The time of an agent is over: to wait, for the work, or to come back after a shutdown."""
        agent = await self._t.house.storage.agent(agent_id)
        is_over = agent.due_at is not None and agent.due_at <= now
        if agent.status is AgentStatus.WAITING and is_over:
            self._signs.time_is_over(agent.id)
        else:
            await self._t.runner.time_passed(agent_id, now)
        self._mark(agent.assignment_id)

    # --- what others ask

    def returns(self, agent: Agent) -> bool:
        """Whether others can have the agent's seat once it leaves: before the start, or to replace it."""
        if agent.assignment_id not in self._begun:
            return True
        others = self._at_work.get(agent.assignment_id, set()) - {agent.id}
        return self._t.rules.policy in RETURNING and bool(others)

    def has_begun(self, agent: Agent) -> bool:
        """Whether the work of the agent's group began, and it comes back to that."""
        return agent.assignment_id in self._begun

    async def waiting(self, agent: Agent) -> Mapping[str, Any] | None:
        """What the page of an agent that waits is told of the group."""
        if agent.status is not AgentStatus.WAITING:
            return None
        seats = await self._seats(agent.assignment_id)
        group = self._gathering.forming(seats)
        missing = max(0, len(seats.units) - len(group.waiters)) if not seats.has_begun else 0
        here = len({waiter.agent_id for waiter in group.here} | {agent.id})
        return {
            "here": here,
            "needed": missing,
            "size": len(seats.units),
            "expected_s": self._signs.expected_s(missing),
            "limit_s": self._t.rules.waiting.limit_s,
        }

    async def rooms(self) -> list[Room]:
        """The groups in which somebody waits."""
        ids = sorted({self._of[agent_id] for agent_id in self._signs.waiting if agent_id in self._of})
        return [self._room(await self._seats(assignment_id)) for assignment_id in ids]

    def _room(self, seats: Seats) -> Room:
        group, now = self._gathering.forming(seats), trio.current_time()
        waiting = [agent for agent in seats.waiting if not is_simulated(agent)]
        waited = [(self._t.house.wall() - agent.created_at).total_seconds() for agent in waiting]
        ends = [waiter.until for waiter in group.humans]
        return Room(
            seats.assignment_id,
            len([waiter for waiter in group.here if not waiter.simulated]),
            len(group.away),
            len(group.waiters) - len(group.humans),
            len(seats.units),
            max(waited, default=0.0),
            max(0.0, min(ends) - now) if ends else None,
        )

    # --- its life

    async def take_up(self) -> None:
        """Know again who waits and who works, after a start."""
        reserved = await self._t.house.storage.reserved_agents(self._t.runner.run_id)
        now = self._t.house.wall()
        people = [agent for agent in reserved if not is_simulated(agent)]
        self._signs.remember((now - agent.created_at).total_seconds() for agent in people)
        for agent in reserved:
            if agent.assignment_id in self._begun and not is_simulated(agent):
                continue  # somebody is at work there: nothing has to be read, and pages wait for us
            seats = await self._seats(agent.assignment_id)
            if seats.units and seats.has_begun:
                self._begun.add(agent.assignment_id)
            if is_simulated(agent) and agent in seats.kept:
                first = AgentStatus.IN_TASK if self.has_begun(agent) else AgentStatus.WAITING
                await self._t.runner.rejoin(agent.id, first, None)

    async def serve(self, links: Sequence[RouterLink]) -> None:
        """Let groups form and end until cancelled; all that was decided is in storage, and goes on.

        Not while no router is reached: who is there is not known then, and nobody can be asked.
        """
        async with trio.open_nursery() as outer:
            outer.start_soon(self._partners.serve)
            while True:
                await one_reached(links)
                self._signs.drop_questions()
                self.look_again()
                await until_all_away(links, self._work)

    async def _work(self) -> None:
        while True:
            self._take_due()
            while self._dirty:
                assignment_id = next(iter(self._dirty))
                del self._dirty[assignment_id]
                await with_space(f"group {assignment_id}", partial(self._settle, assignment_id))
            self._woken = trio.Event()
            with trio.move_on_at(min(self._look_at.values(), default=float("inf"))):
                await self._woken.wait()

    def _take_due(self) -> None:
        now = trio.current_time()
        for assignment_id in [a for a, at in self._look_at.items() if at <= now]:
            del self._look_at[assignment_id]
            self._dirty[assignment_id] = None

    async def _settle(self, assignment_id: AssignmentId) -> None:
        """Do what is to be done about a group, until there is nothing but to wait."""
        self._look_at.pop(assignment_id, None)
        for _ in range(STEPS_MAX):
            seats = await self._seats(assignment_id)
            if not seats.units:
                return
            try:
                wait = await (self._leaving if seats.has_begun else self._gathering).step(seats)
            except (StaleWrite, IllegalEvent) as exc:
                log.info("group %d had moved on: %s", assignment_id, exc)
                continue
            if wait is not None:
                if wait.until is not None and wait.until < float("inf"):
                    self._look_at[assignment_id] = wait.until
                return
        log.error("group %d does not come to rest", assignment_id)
        self._look_at[assignment_id] = trio.current_time() + 1.0

    async def _seats(self, assignment_id: AssignmentId) -> Seats:
        return await read_seats(self._t.house.storage, self._t.runner.run_id, assignment_id)

    def _mark_of(self, agent_id: AgentId) -> None:
        if agent_id in self._of:
            self._mark(self._of[agent_id])

    def _mark(self, assignment_id: AssignmentId) -> None:
        self._dirty[assignment_id] = None
        self._woken.set()
