"""Carries out what becomes of a group that has begun: `groups.drop_out` decides about each empty seat."""

import logging
from collections.abc import Sequence

import attrs
import trio

from ...protocol.names import AT_WORK_AGENT, SUBMITTED_AGENT, AgentId, AgentStatus, Reason
from ...storage.records import Agent, Unit
from .. import lifecycle
from ..due_times import due_after
from ..groups import DropOutStep, EndForAll, GoOn, Loss, Member, Replace, Seek, Wait, drop_out
from ..lifecycle import Command, Dismissed, Joined, PartnerLeft, SentAway
from ..live.played_groups import PlayedGroups
from ..live.waits import How
from ..log_ids import ids_of
from .gathering import Gathering, GroupTools, not_needed
from .seats import FREE, Seats, is_simulated

log = logging.getLogger(__name__)


@attrs.frozen
class Empty:
    """A seat whose agent left, and of which the group's code knows nothing yet."""

    agent: Agent
    unit: Unit
    newcomer: Agent | None
    """Who has taken it meanwhile, and waits."""


class Leaving:
    """One per run. Holds no state: the piece says who sits where, storage why somebody left."""

    def __init__(self, tools: GroupTools, gathering: Gathering, groups: PlayedGroups) -> None:
        self._t = tools
        self._gathering = gathering
        self._groups = groups

    async def step(self, seats: Seats) -> Wait | None:
        """Do the next thing; None: things are other than they were, look again. StaleWrite, IllegalEvent."""
        members = self._groups.members(seats.assignment_id)
        if members is None:
            return await self._unplayed(seats)
        if self._groups.has_ended(seats.assignment_id) and (told := self._partner_left(seats)):
            await self._t.runner.carry_out(told)  # to who came back after a shutdown, since when they work
            return None
        empty, remaining = await self._who_is_there(seats, members)
        known = {seat.newcomer.id for seat in empty if seat.newcomer is not None}
        strangers = [agent for agent in seats.waiting if agent.id not in known]
        if strangers:
            await self._t.runner.carry_out(await self._sent_away(seats, strangers))
            return None
        untils: list[float] = []
        for seat in empty:
            until = await self._about(seat, remaining, seats)
            if until is None:
                return None
            untils.append(until)
        return Wait(min(untils, default=None))

    async def _unplayed(self, seats: Seats) -> Wait | None:
        """Its code does not run. Nobody at work, nobody who may come back: nothing will ever come of it."""
        if seats.at_work or seats.kept or not (seats.free or seats.waiting):
            return Wait(None)
        commands = await self._sent_away(seats, seats.waiting)
        await self._t.runner.carry_out([*commands, *not_needed(seats.free)])
        return None

    async def _who_is_there(
        self, seats: Seats, members: Sequence[tuple[AgentId, How | None]]
    ) -> tuple[list[Empty], list[Member]]:
        empty: list[Empty] = []
        remaining: list[Member] = []
        for agent_id, how in members:
            agent = await self._t.house.storage.agent(agent_id)
            unit = next(unit for unit in seats.units if unit.id == agent.unit_id)
            if how is How.SUBMITTED or agent.status in SUBMITTED_AGENT:
                remaining.append(Member(agent.id, is_simulated(agent), submitted=True))
            elif agent.status in AT_WORK_AGENT or agent in seats.kept:
                remaining.append(Member(agent.id, is_simulated(agent)))
            elif how is None:
                holder = seats.holders.get(unit.id)
                if holder is not None and holder.status is not AgentStatus.WAITING:
                    # It has joined; the piece is about to hear of it.
                    remaining.append(Member(holder.id, is_simulated(holder)))
                else:
                    empty.append(Empty(agent, unit, holder))
        return empty, remaining

    async def _about(self, seat: Empty, remaining: Sequence[Member], seats: Seats) -> float | None:
        """Do what is to be done about an empty seat; until when to wait, or None: something was done."""
        newcomer = seat.newcomer
        if self._groups.is_closing(seats.assignment_id):
            await self._go_on(seat, seats)
            return None
        if newcomer is not None and self._is_here(newcomer):
            await self._join(seat, newcomer)
            return None
        match self._decision(seat, remaining):
            case Seek(until):
                return until
            case Replace():
                await self._t.fill([seat.unit])
            case GoOn():
                await self._go_on(seat, seats)
            case EndForAll():
                await self._end(seat, seats)
        return None

    def _decision(self, seat: Empty, remaining: Sequence[Member]) -> DropOutStep:
        is_free = seat.unit.status in FREE
        loss = Loss(self._lost_at(seat.agent), is_free or seat.newcomer is not None)
        partner = is_free and self._t.has_partner()
        return drop_out(self._t.rules, remaining, loss, trio.current_time(), partner)

    def _lost_at(self, agent: Agent) -> float:
        """Who did not come back after a shutdown was lost when the time for that was over."""
        at = agent.ended_at
        assert at is not None
        if agent.reason == Reason.SHUTDOWN.value and agent.due_at is not None:
            at = max(at, agent.due_at)
        return trio.current_time() - (self._t.house.wall() - at).total_seconds()

    def _is_here(self, agent: Agent) -> bool:
        return is_simulated(agent) or self._t.is_present(agent.wire_id)

    async def _join(self, seat: Empty, newcomer: Agent) -> None:
        due_at = due_after(self._t.house.wall(), self._t.work_s())
        commands = lifecycle.step(newcomer, seat.unit, Joined(due_at), self._t.goes_on())
        if self._t.rules.waiting.cents_per_minute and not is_simulated(newcomer):
            commands += await self._gathering.owed(newcomer, "waited for the group")
        log.info("takes the place of agent %d", seat.agent.id, extra=ids_of(newcomer))
        await self._t.runner.carry_out(commands)

    async def _go_on(self, seat: Empty, seats: Seats) -> None:
        newcomers = [] if seat.newcomer is None else [seat.newcomer]
        unneeded = [seat.unit] if seat.unit.status in FREE else []
        commands = await self._sent_away(seats, newcomers)
        await self._t.runner.carry_out([*commands, *not_needed(unneeded)])
        log.info("its group goes on without", extra=ids_of(seat.agent))
        self._groups.leave(seat.agent)

    async def _end(self, seat: Empty, seats: Seats) -> None:
        sent_away = await self._sent_away(seats, seats.waiting)
        await self._t.runner.carry_out([*sent_away, *not_needed(seats.free), *self._partner_left(seats)])
        log.info("its group ends without", extra=ids_of(seat.agent))
        self._groups.leave(seat.agent)
        self._groups.end(seat.agent)

    def _partner_left(self, seats: Seats) -> list[Command]:
        """Whoever still works in the group is to hand in what there is."""
        commands: list[Command] = []
        for agent in seats.at_work:
            if agent.status is AgentStatus.IN_TASK:
                commands += lifecycle.step(agent, seats.unit_of(agent), PartnerLeft(), self._t.goes_on())
        return commands

    async def _sent_away(self, seats: Seats, agents: Sequence[Agent]) -> list[Command]:
        """Who came for a seat that is not to be had any more; it is not needed."""
        event = SentAway() if self._t.goes_on() else Dismissed()
        commands: list[Command] = []
        for agent in agents:
            commands += lifecycle.step(agent, seats.unit_of(agent), event, False)
            commands += [] if is_simulated(agent) else await self._gathering.owed(agent, "the group was over")
        return commands
