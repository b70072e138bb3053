"""Who sits where in one assignment of a group task, as storage says. Reads, and changes nothing."""

from collections.abc import Mapping, Sequence

import attrs

from ...protocol.names import (
    AT_WORK_AGENT,
    COMPLETED_UNIT,
    AgentId,
    AgentStatus,
    AssignmentId,
    PieceKind,
    RunId,
    UnitId,
    UnitStatus,
)
from ...storage.contract import Storage
from ...storage.records import Agent, Unit
from .. import lifecycle

FREE = frozenset({UnitStatus.CREATED, UnitStatus.LAUNCHED})
SIMULATED = "simulated"
"""In an agent's `provider_data`: no person."""


@attrs.frozen
class Seats:
    """The units of one assignment and who holds them, the first seat first."""

    assignment_id: AssignmentId
    units: Sequence[Unit]
    holders: Mapping[UnitId, Agent]
    has_begun: bool
    """Whether the group's work began, at any time."""

    @property
    def free(self) -> list[Unit]:
        """Those that somebody can still take."""
        return [unit for unit in self.units if unit.status in FREE]

    @property
    def waiting(self) -> list[Agent]:
        """Those who wait."""
        return [agent for agent in self.holders.values() if agent.status is AgentStatus.WAITING]

    @property
    def kept(self) -> list[Agent]:
        """Those whom a shutdown disconnected, and who may come back."""
        return [a for a in self.holders.values() if lifecycle.may_rejoin(a, self.unit_of(a))]

    @property
    def at_work(self) -> list[Agent]:
        """Those whose work is under way."""
        return [agent for agent in self.holders.values() if agent.status in AT_WORK_AGENT]

    @property
    def done(self) -> int:
        """How many have submitted."""
        return sum(unit.status in COMPLETED_UNIT for unit in self.units)

    def unit_of(self, agent: Agent) -> Unit:
        """The agent's unit."""
        return next(unit for unit in self.units if unit.id == agent.unit_id)

    def holder(self, agent_id: AgentId) -> Agent:
        """The agent with this number, who sits here."""
        return next(agent for agent in self.holders.values() if agent.id == agent_id)


def is_simulated(agent: Agent) -> bool:
    """Whether a program plays this agent."""
    return bool(agent.provider_data.get(SIMULATED))


async def read_seats(storage: Storage, run_id: RunId, assignment_id: AssignmentId) -> Seats:
    """As they are now. Units that were made for one worker alone have no seats."""
    every = await storage.units(run_id, assignment_id=assignment_id)
    units = sorted((unit for unit in every if unit.unit_index >= 0), key=lambda unit: unit.unit_index)
    holders = {
        unit.id: await storage.agent(unit.agent_id)
        for unit in units
        if unit.agent_id is not None and unit.status is UnitStatus.ASSIGNED
    }
    seats = Seats(assignment_id, units, holders, has_begun=False)
    return attrs.evolve(
        seats, has_begun=bool(seats.at_work or seats.done) or await _has_journal(storage, seats)
    )


async def _has_journal(storage: Storage, seats: Seats) -> bool:
    return bool(await storage.journal(PieceKind.ASSIGNMENT, seats.assignment_id, 0, 1))
