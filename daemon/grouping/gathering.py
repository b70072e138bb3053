"""Carries out what is decided about a group that forms: `groups.form` decides, this saves and then tells."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import attrs
import trio

from ...protocol.names import AgentId, UnitId, WireId
from ...storage.records import Agent, Unit
from ...storage.writes import AddOwed
from .. import lifecycle
from ..due_times import due_after
from ..groups import Ask, Close, Fill, Forming, GroupRules, Leave, SendAway, Start, Wait, Waiter, form
from ..groups.owed import WAITING, waiting_cents
from ..house import House
from ..lifecycle import AgentEvent, Command, Dismissed, Joined, Save, WentAway
from ..log_ids import ids_of
from ..task_runner import TaskRunner
from .seats import Seats, is_simulated
from .signs import Signs

log = logging.getLogger(__name__)


@attrs.frozen
class GroupTools:
    """What groups are gathered with."""

    house: House
    runner: TaskRunner
    rules: GroupRules
    signs: Signs
    work_s: Callable[[], float]
    """How long an agent has for the work; 0: for ever."""
    is_present: Callable[[WireId], bool]
    ask: Callable[[Agent, float], None]
    """Ask a page whether somebody is there; they have so many seconds."""
    goes_on: Callable[[], bool]
    """Whether the run takes anybody in any more."""
    has_partner: Callable[[], bool]
    """Whether simulated partners can be had now."""
    fill: Callable[[Sequence[Unit]], Awaitable[None]]
    """Put simulated partners into these seats."""


class Gathering:
    """One per run. Holds no state: it is in storage, and in the signs."""

    def __init__(self, tools: GroupTools) -> None:
        self._t = tools

    async def step(self, seats: Seats) -> Wait | None:
        """Do the next thing; None: things are other than they were, look again.

        StaleWrite, IllegalEvent: they had changed before, look again as well.
        """
        group = self.forming(seats)
        now = trio.current_time()
        match form(group, self._t.rules, now, self._t.has_partner()):
            case Wait() as wait:
                return wait
            case Ask(agents, until):
                self._ask([seats.holder(agent_id) for agent_id in agents], until - now)
            case Leave(agents):
                await self._end(seats, agents, WentAway(), pays=False)
            case SendAway(agents):
                # Who cannot come again is not told to.
                event = lifecycle.SentAway() if self._t.goes_on() else Dismissed()
                await self._end(seats, agents, event, pays=True)
            case Fill(units):
                await self._t.fill([unit for unit in seats.free if unit.id in units])
            case Start() as start:
                await self._start(seats, start)
            case Close(units):
                await self._t.runner.carry_out(not_needed(self._free(seats, units)))
        return None

    def forming(self, seats: Seats) -> Forming:
        """The group as the decision sees it."""
        waiters = [
            self._waiter(agent, seats)
            for unit in seats.units
            if (agent := seats.holders.get(unit.id)) is not None
        ]
        return Forming(waiters, [unit.id for unit in seats.free], len(seats.units))

    def _waiter(self, agent: Agent, seats: Seats) -> Waiter:
        if is_simulated(agent):
            return Waiter(agent.id, float("inf"), True, float("inf"), simulated=True)
        signs, kept = self._t.signs, agent in seats.kept
        left_s = self._left_s(agent.due_at)
        return Waiter(
            agent.id,
            signs.until(agent.id, left_s),
            not kept and self._t.is_present(agent.wire_id),
            signs.heard(agent.id),
            signs.asked_at(agent.id),
        )

    def _left_s(self, due_at: datetime | None) -> float:
        return float("inf") if due_at is None else (due_at - self._t.house.wall()).total_seconds()

    def _ask(self, agents: Sequence[Agent], within_s: float) -> None:
        for agent in agents:
            log.info("asked whether somebody is still there", extra=ids_of(agent))
            self._t.ask(agent, within_s)
        self._t.signs.asked(agent.id for agent in agents)

    async def _end(self, seats: Seats, agents: Sequence[AgentId], event: AgentEvent, pays: bool) -> None:
        """Their seats are free again, where the run goes on."""
        commands: list[Command] = []
        for agent in map(seats.holder, agents):
            commands += self._ended(agent, seats, event, self._t.goes_on())
            if pays:
                commands += await self.owed(agent, "nobody came to work with")
        await self._t.runner.carry_out(commands)

    def _ended(self, agent: Agent, seats: Seats, event: AgentEvent, returns: bool) -> list[Command]:
        unit = seats.unit_of(agent)
        if agent in seats.kept:
            return lifecycle.release(agent, unit, returns)
        return lifecycle.step(agent, unit, event, returns)

    async def _start(self, seats: Seats, start: Start) -> None:
        """All in one transaction: who starts, who stays behind, and the seats that are not needed."""
        due_at = due_after(self._t.house.wall(), self._t.work_s())
        commands: list[Command] = []
        for agent in map(seats.holder, start.agents):
            commands += lifecycle.step(agent, seats.unit_of(agent), Joined(due_at), self._t.goes_on())
            if self._t.rules.waiting.cents_per_minute and not is_simulated(agent):
                commands += await self.owed(agent, "waited for the group")
        for agent in map(seats.holder, start.behind):
            commands += self._ended(agent, seats, WentAway(), returns=False)
        commands += not_needed(self._free(seats, start.free))
        await self._t.runner.carry_out(commands)
        ids = {"run": self._t.runner.run_id, "assignment": seats.assignment_id}
        log.info("a group of %d begins", len(start.agents), extra=ids)

    def _free(self, seats: Seats, units: Sequence[UnitId]) -> list[Unit]:
        return [unit for unit in seats.free if unit.id in units]

    async def owed(self, agent: Agent, why: str) -> list[Command]:
        """What the agent's waiting is worth, unless that is stored already."""
        if await self._t.house.storage.owed_of_agent(agent.id):
            return []
        seconds = max(0.0, (self._t.house.wall() - agent.created_at).total_seconds())
        cents = waiting_cents(seconds, self._t.rules.waiting.cents_per_minute)
        return [Save([AddOwed(agent.id, WAITING, seconds, cents, why)])]


def not_needed(units: Sequence[Unit]) -> list[Command]:
    """These free seats are not needed any more."""
    return [command for unit in units for command in lifecycle.not_needed(unit)]
