"""What hooks are shown: snapshots of worker, unit, assignment, agent, run and task, with their relations.

Data is a copy of its own: what a hook does to it changes nothing. Only `worker.grant`, `worker.revoke` and,
of finished work, `agent.approve` and the like do, and only if the hook returns.
"""

import copy
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs
import orjson

from ...protocol.names import AgentId, AgentStatus, AssignmentId, RunId, UnitId, UnitStatus, WorkerId
from ...protocol.packets import FileNote
from ...storage.records import (
    GOLD_UNIT_INDEX,
    SCREENING_UNIT_INDEX,
    Agent,
    Assignment,
    Submission,
    Unit,
    Worker,
)
from ..verdict import Verdict
from .effects import GrantsOver
from .judging import Judging


@attrs.frozen
class TaskView:
    """What runs share."""

    name: str


@attrs.frozen
class RunView:
    """The run that asks."""

    id: RunId
    label: str
    task: TaskView


@attrs.frozen
class WorkerView:
    """A person, with their qualifications as they are at this moment."""

    id: WorkerId
    name: str
    provider: str
    run: RunView
    _grants: GrantsOver = attrs.field(repr=False, eq=False)

    def value(self, qualification: str) -> int | None:
        """The worker's value of the qualification; None when they have none."""
        return self._grants.value(qualification)

    def has(self, qualification: str) -> bool:
        """Whether the worker has the qualification, whatever its value."""
        return self._grants.value(qualification) is not None

    @property
    def qualifications(self) -> Mapping[str, int]:
        """All values by name."""
        return self._grants.all()

    def grant(self, qualification: str, value: int = 1) -> None:
        """Give the worker this value; stored only if the hook returns, with what it was asked for."""
        self._grants.set(qualification, value)

    def revoke(self, qualification: str) -> None:
        """Take the qualification away, if the worker has it."""
        self._grants.set(qualification, None)


@attrs.frozen
class AssignmentView:
    """One piece of work."""

    run: RunView
    _assignment: Assignment = attrs.field(repr=False)

    @property
    def id(self) -> AssignmentId:
        """Its number."""
        return self._assignment.id

    @property
    def row(self) -> int:
        """Which row of the data it is, from 0; -1 for screening and gold."""
        return self._assignment.row

    @property
    def data(self) -> dict[str, Any]:
        """What all its units share, what begins with "_" as well."""
        return copy.deepcopy(self._assignment.shared)

    def data_of_unit(self, index: int) -> dict[str, Any]:
        """What its units share, and over it what the unit with this index has of its own."""
        own = self._assignment.unit_data
        return {**self.data, **(copy.deepcopy(own[index]) if 0 <= index < len(own) else {})}


@attrs.frozen
class UnitView:
    """One worker's part of an assignment."""

    assignment: AssignmentView
    _unit: Unit = attrs.field(repr=False)

    @property
    def id(self) -> UnitId:
        """Its number."""
        return self._unit.id

    @property
    def index(self) -> int:
        """Its place in the assignment, from 0; -1 is a screening, -2 a gold unit, -3 an onboarding."""
        return self._unit.unit_index

    @property
    def is_screening(self) -> bool:
        """Whether it was made to screen its worker."""
        return self._unit.unit_index == SCREENING_UNIT_INDEX

    @property
    def is_gold(self) -> bool:
        """Whether it was made to test its worker."""
        return self._unit.unit_index == GOLD_UNIT_INDEX

    @property
    def run(self) -> RunView:
        """Its run."""
        return self.assignment.run

    @property
    def task(self) -> TaskView:
        """Its run's task."""
        return self.assignment.run.task

    @property
    def data(self) -> dict[str, Any]:
        """Its row: what all units of the assignment share, and its own; what begins with "_" as well."""
        return self.assignment.data_of_unit(self.index)


@attrs.frozen
class AgentView:
    """A worker on a unit."""

    worker: WorkerView
    unit: UnitView
    _agent: Agent = attrs.field(repr=False)
    _submission: Submission | None = attrs.field(default=None, repr=False)
    _judging: Judging | None = attrs.field(default=None, repr=False, eq=False)

    @property
    def id(self) -> AgentId:
        """Its number, as `crowdctl agents` shows it."""
        return self._agent.id

    @property
    def status(self) -> AgentStatus:
        """How it stands."""
        return self._agent.status

    @property
    def assignment(self) -> AssignmentView:
        """Its unit's assignment."""
        return self.unit.assignment

    @property
    def run(self) -> RunView:
        """Its run."""
        return self.unit.run

    @property
    def task(self) -> TaskView:
        """Its run's task."""
        return self.unit.task

    @property
    def started_at(self) -> datetime:
        """When the worker got the unit."""
        return self._agent.created_at

    @property
    def ended_at(self) -> datetime | None:
        """When it was over; None while they work."""
        return self._agent.ended_at

    @property
    def data(self) -> Any:
        """What was submitted; None before that."""
        return None if self._submission is None else orjson.loads(self._submission.data)

    @property
    def files(self) -> list[FileNote]:
        """What was uploaded with it."""
        return [] if self._submission is None else [*self._submission.files]

    def approve(self, note: str | None = None) -> None:
        """Pay the work. Only in `on_unit_submitted`, once; carried out if the hook returns."""
        self._judge(Verdict.APPROVE, note)

    def soft_reject(self, note: str | None = None) -> None:
        """Pay the work, and mark it as below the bar; as `approve`."""
        self._judge(Verdict.SOFT_REJECT, note)

    def reject(self, reason: str) -> None:
        """Do not pay the work; the worker reads the reason. As `approve`."""
        self._judge(Verdict.REJECT, reason)

    def _judge(self, verdict: Verdict, note: str | None) -> None:
        if self._judging is None:
            raise TypeError("there is no answer to judge yet: judge in on_unit_submitted")
        self._judging.say(verdict, note)


ONBOARDING_INDEX = -3


def onboarding_view(run: RunView, page: Mapping[str, Any]) -> UnitView:
    """What stands for the unit during an onboarding: the data of its page. It has no number."""
    shared = copy.deepcopy(dict(page))
    assignment = Assignment(AssignmentId(0), run.id, row=-1, digest="", shared=shared, unit_data=[])
    unit = Unit(
        UnitId(0),
        run.id,
        assignment.id,
        ONBOARDING_INDEX,
        UnitStatus.ASSIGNED,
        position=0,
        agent_id=None,
        worker_id=None,
        pay_cents=0,
    )
    return UnitView(AssignmentView(run, assignment), unit)


def worker_view(worker: Worker, run: RunView, grants: GrantsOver) -> WorkerView:
    """A worker as one call of a hook sees them."""
    return WorkerView(worker.id, worker.name, worker.provider, run, grants)
