"""The agents of a run who work on units, alone or in groups, as its stage knows them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import attrs
import trio

from ...protocol.names import AT_WORK_AGENT, AgentId, AgentStatus, PieceKind, UnitStatus, WireId
from ...storage.contract import Storage
from ...storage.records import Agent
from ..blueprints.contract import Blueprint
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

_HELD = frozenset({UnitStatus.ASSIGNED})


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
        if (await self.key_of(agent)).kind is PieceKind.UNIT:
            return [agent]
        units = await self.storage.units(self.run.id, _HELD, agent.assignment_id)
        seats = [unit.agent_id for unit in sorted(units, key=lambda unit: unit.id) if unit.unit_index >= 0]
        holders = [await self.storage.agent(holder) for holder in seats if holder is not None]
        return [holder for holder in holders if holder.status is not AgentStatus.WAITING]

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
