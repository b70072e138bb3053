"""The contract of storage about runs, their assignments and units, and their tasks."""

import abc
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs

from ...protocol.names import AgentStatus, AssignmentId, QueueOrder, RunId, RunState, UnitId, UnitStatus
from ..records import Assignment, Project, Requester, Task, TaskRun, Unit


@attrs.frozen
class NewRun:
    """What a launch fixes about a run. Task, requester and project are found by name, or made."""

    task_name: str
    requester_name: str
    launch_id: str
    label: str
    blueprint: str
    provider: str
    architect: str
    sandbox: bool
    config: dict[str, Any]
    key: bytes = attrs.field(repr=False)
    project_name: str | None = None
    queue: QueueOrder = QueueOrder.FIFO


@attrs.frozen
class NewAssignment:
    """A row of the data that becomes an assignment with one unit per element of `unit_data`."""

    row: int
    digest: str
    shared: dict[str, Any]
    unit_data: Sequence[dict[str, Any]]
    pay_cents: int = 0
    ranks: Sequence[int] = ()
    """In a `ranked` run: of each unit, the lowest is given first; none: all 0. Elsewhere there are none."""


@attrs.frozen
class RunCounts:
    """How many units and agents of a run are in each status. Kept, not counted."""

    units: Mapping[UnitStatus, int]
    """Those made from rows; special units are counted apart."""
    agents: Mapping[AgentStatus, int]
    screening: Mapping[UnitStatus, int] = attrs.Factory(dict[UnitStatus, int])
    gold: Mapping[UnitStatus, int] = attrs.Factory(dict[UnitStatus, int])
    onboarding: Mapping[AgentStatus, int] = attrs.Factory(dict[AgentStatus, int])
    """Onboarding agents."""


class RunsContract(abc.ABC):
    """What `Storage` promises about runs, their assignments and units, and their tasks."""

    @abc.abstractmethod
    async def create_run(self, new: NewRun, now: datetime, who: str) -> TaskRun:
        """Store a run in state `launching`. The same `launch_id` again returns the run it made.

        Duplicate: the label is taken. InvalidRecord: a name is empty or the project is NO_PROJECT, or the
        task of this name has another blueprint or project, or the requester another provider.
        """

    @abc.abstractmethod
    async def set_trouble(self, run_id: RunId, trouble: str | None) -> None:
        """Note why a run cannot go on, or None that it can."""

    @abc.abstractmethod
    async def add_assignments(
        self, run_id: RunId, rows: Sequence[NewAssignment], done: bool, now: datetime
    ) -> list[AssignmentId]:
        """Add assignments with their units (`created`); sets `rows_made` to the last row + 1 and `rows_done`.

        StaleWrite when the first row is not `rows_made`; InvalidRecord for a gap or a row without units, or
        for ranks that are not one a unit or not wanted (the run is not `ranked`).
        An empty `rows` with `done` just sets `rows_done`.
        """

    @abc.abstractmethod
    async def launch_assignments(
        self, run_id: RunId, rows: Sequence[NewAssignment], done: bool, now: datetime
    ) -> list[Unit]:
        """As `add_assignments`, but their units are `launched` at once, and returned in their order.

        Half the work of releasing them afterwards. What waits to be released goes on waiting.
        """

    @abc.abstractmethod
    async def launch_units(self, run_id: RunId, count: int, now: datetime) -> list[Unit]:
        """Move up to `count` `created` units, in queue order, to `launched`; returns them.

        Each gets a place at the end of the queue, among those of its rank.
        """

    @abc.abstractmethod
    async def expire_units(self, run_id: RunId, now: datetime, who: str, why: str) -> list[Unit]:
        """Move every `created` and `launched` unit to `expired`, and return them; all others stay."""

    @abc.abstractmethod
    async def run(self, run_id: RunId) -> TaskRun: ...
    @abc.abstractmethod
    async def run_by_label(self, label: str) -> TaskRun: ...
    @abc.abstractmethod
    async def runs(self, states: frozenset[RunState] | None = None) -> list[TaskRun]: ...

    @abc.abstractmethod
    async def counted_runs(
        self, states: frozenset[RunState] | None = None
    ) -> list[tuple[TaskRun, RunCounts]]:
        """As `runs`, each with its `counts`, all of one moment and as one read."""

    @abc.abstractmethod
    async def counts(self, run_id: RunId) -> RunCounts:
        """Cost does not depend on the run's size."""

    @abc.abstractmethod
    async def assignment(self, assignment_id: AssignmentId) -> Assignment: ...
    @abc.abstractmethod
    async def assignments(self, run_id: RunId, after: int = 0, limit: int = 1000) -> list[Assignment]: ...
    @abc.abstractmethod
    async def unit(self, unit_id: UnitId) -> Unit: ...
    @abc.abstractmethod
    async def units(
        self,
        run_id: RunId,
        statuses: frozenset[UnitStatus] | None = None,
        assignment_id: AssignmentId | None = None,
        after: int = 0,
        limit: int = 1000,
    ) -> list[Unit]: ...

    @abc.abstractmethod
    async def create_requester(self, name: str, provider: str) -> Requester:
        """Duplicate, InvalidRecord."""

    @abc.abstractmethod
    async def create_project(self, name: str) -> Project:
        """Duplicate, InvalidRecord (empty or NO_PROJECT)."""

    @abc.abstractmethod
    async def create_task(self, name: str, blueprint: str, project_id: int | None) -> Task:
        """Duplicate, InvalidRecord."""

    @abc.abstractmethod
    async def update_task(self, task_id: int, name: str, project_id: int | None) -> Task:
        """Rename or move a task: only before its first run (InvalidRecord)."""

    @abc.abstractmethod
    async def requesters(self) -> list[Requester]: ...
    @abc.abstractmethod
    async def projects(self) -> list[Project]: ...
    @abc.abstractmethod
    async def tasks(self) -> list[Task]: ...
    @abc.abstractmethod
    async def task(self, task_id: int) -> Task: ...
