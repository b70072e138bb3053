"""Who sits in the seats of a piece: workers, units and folders, read once for user code."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import orjson

from ...protocol.names import AgentId, WireId
from ...storage.contract import Storage
from ...storage.records import Agent
from ..hooks.effects import GrantsOver
from ..hooks.views import AssignmentView, RunView, UnitView, WorkerView, worker_view
from .agent import Person, checked
from .piece import Piece


@attrs.frozen
class Caller:
    """Who calls a named function. What it sends is not part of the piece's journal."""

    number: AgentId
    worker: WorkerView
    unit: UnitView
    folder: Path
    _piece: Piece = attrs.field(repr=False)

    async def send(self, data: Mapping[str, Any]) -> None:
        """Send an update to the page that called, beside the answer. ValueError as `LiveAgent.send`."""
        self._piece.answer(self.number, checked(data))


@attrs.frozen
class People:
    """Reads who an agent is. `present` says whether a page is there."""

    storage: Storage
    run: RunView
    folder: Callable[[AgentId], Path]
    present: Callable[[WireId], bool]

    async def person(self, agent: Agent) -> Person:
        """The agent's worker, as they are now, and its unit."""
        facts = await self.storage.worker_facts(agent.run_id, agent.worker_id)
        unit = await self.storage.unit(agent.unit_id)
        assignment = await self.storage.assignment(agent.assignment_id)
        return Person(
            worker_view(facts.worker, self.run, GrantsOver(facts.grants, may_grant=False)),
            UnitView(AssignmentView(self.run, assignment), unit),
            self.folder(agent.id),
            partial(self.present, agent.wire_id),
            partial(self._final_data, agent.id),
        )

    async def _final_data(self, agent_id: AgentId) -> Any:
        return orjson.loads((await self.storage.submission(agent_id)).data)


def caller(piece: Piece, person: Person, agent_id: AgentId) -> Caller:
    """The person, as a named function is shown them."""
    return Caller(agent_id, person.worker, person.unit, person.folder, piece)
