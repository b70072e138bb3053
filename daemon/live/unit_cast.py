"""The agents of a run who work on units, alone or in groups, as its stage knows them."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import attrs
import trio

from ...protocol.names import AT_WORK_AGENT, AgentId, AgentStatus, PieceKind, UnitId, WireId
from ...storage.contract import Storage
from ...storage.records import Agent
from ..blueprints.contract import Blueprint
from ..grouping.seats import read_seats
from ..hooks.views import RunView
from ..lifecycle import IllegalEvent, TimeOver
from ..task_runner import TaskRunner
from .agent import LiveAgent, Person
from .cast import Cast, Ends, Player
from .group import Group
from .ledger import PieceKey
from .people import People
from .piece import Piece
from .waits import How

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

_BEGAN = (AgentStatus.WAITING.value, AgentStatus.IN_TASK.value)


@attrs.frozen
class UnitCast(Cast):
    """One per run whose blueprint is live."""

    onboarding = False
    storage: Storage
    run: RunView
    folders: Path
    """Each agent's files are in one of these."""
    blueprint: Blueprint
    runner: TaskRunner
    submission_timeout_s: Callable[[], float]

    async def present(self) -> Sequence[Agent]:
        return await self.storage.reserved_agents(self.run.id)

    async def player(self, agent_id: AgentId) -> Agent:
        return await self.storage.agent(agent_id)

    async def player_of(self, wire_id: WireId) -> Agent:
        return await self.storage.agent_by_wire_id(wire_id)

    def how_left(self, player: Player) -> How | None:
        return _HOW.get(player.status)

    def is_played(self, player: Player) -> bool:
        return player.status in AT_WORK_AGENT

    def code_may_end(self, player: Player) -> bool:
        """Only workers end a unit as done."""
        return False

    async def key_of(self, player: Player) -> PieceKey:
        unit = await self.storage.unit(_agent(player).unit_id)
        live = self.blueprint.live
        if live is None or live.group is None or unit.unit_index < 0:
            return PieceKey(PieceKind.UNIT, unit.id)
        return PieceKey(PieceKind.ASSIGNMENT, unit.assignment_id)

    async def members(self, player: Player) -> Sequence[Agent]:
        agent = _agent(player)
        key = await self.key_of(agent)
        if key.kind is PieceKind.UNIT:
            return [agent]
        seats = await read_seats(self.storage, self.run.id, agent.assignment_id)
        sitting = {
            unit_id: holder
            for unit_id, holder in seats.holders.items()
            if holder.status is not AgentStatus.WAITING
        }
        if len(sitting) < len(seats.units) and not await self.storage.journal(key.kind, key.id, 0, 1):
            sitting = await self._who_began_with(agent) | sitting
        return [sitting[unit.id] for unit in seats.units if unit.id in sitting]

    async def _who_began_with(self, agent: Agent) -> dict[UnitId, Agent]:
        """The group as it began. Whoever left since, before its code ran, has a seat in it all the same:
        else nobody would ask what becomes of the others.
        """
        began_at = await self._began_at(agent)
        if began_at is None:
            return {}
        everybody = await self.storage.agents_of_assignment(agent.assignment_id)
        return {each.unit_id: each for each in everybody if await self._began_at(each) == began_at}

    async def _began_at(self, agent: Agent) -> datetime | None:
        entries = await self.storage.history("agent", agent.id)
        return next((entry.at for entry in entries if (entry.before, entry.after) == _BEGAN), None)

    async def person(self, player: Player, is_present: Callable[[WireId], bool]) -> Person:
        return await People(self.storage, self.run, self._folder, is_present).person(_agent(player))

    async def play(self, piece: Piece, agents: Sequence[LiveAgent]) -> Any:
        play: Any = self.blueprint.play(piece.key.kind)
        if piece.key.kind is PieceKind.ASSIGNMENT:
            return await play(agents[0].unit.assignment, Group(piece, agents))
        return await play(agents[0].unit, agents[0])

    async def happen(self, agent_id: AgentId, event: Ends) -> None:
        await self.runner.happen(agent_id, event)

    async def finished(self, piece: Piece, returned: Any) -> None:
        """Who has not submitted has so long for it."""
        with trio.move_on_after(self.submission_timeout_s()):
            await piece.all_left()
            return
        for seat in piece.seats:
            try:
                await self.happen(seat.agent_id, TimeOver())
            except IllegalEvent:
                continue

    def _folder(self, agent_id: AgentId) -> Path:
        return self.folders / str(agent_id)


def _agent(player: Player) -> Agent:
    """The player, who is one of ours."""
    assert isinstance(player, Agent)
    return player
