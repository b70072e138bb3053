"""Requesters, projects, tasks, runs and what they are made of, in memory."""

from collections.abc import Sequence
from datetime import datetime

import attrs

from ...protocol.names import AgentStatus, AssignmentId, QueueOrder, RunId, RunState, UnitId, UnitStatus
from .. import admission_rules, rules
from ..contract import NewAssignment, NewRun, RunCounts
from ..errors import Duplicate, InvalidRecord
from ..hand import Hand
from ..records import Assignment, Project, Requester, Task, TaskRun, Unit
from ..rows import fresh
from .body import MemoryBody, copies, note, page
from .tables import Tables


class MemoryRuns(MemoryBody):
    """What `Storage` says about runs, tasks, assignments and units."""

    async def create_requester(self, name: str, provider: str) -> Requester:
        async with self._write() as tables:
            return _add_requester(tables, name, provider)

    async def create_project(self, name: str) -> Project:
        async with self._write() as tables:
            return _add_project(tables, name)

    async def create_task(self, name: str, blueprint: str, project_id: int | None) -> Task:
        async with self._write() as tables:
            return _add_task(tables, name, blueprint, project_id)

    async def update_task(self, task_id: int, name: str, project_id: int | None) -> Task:
        async with self._write() as tables:
            task = rules.found(tables.tasks.get(task_id), "task", task_id)
            if tables.runs.having("task", task_id):
                raise InvalidRecord(f"task {task_id} has runs: it keeps its name and project")
            _check_task(tables, name, project_id, itself=task)
            return tables.tasks.put(task_id, attrs.evolve(task, name=name, project_id=project_id))

    async def create_run(self, new: NewRun, now: datetime, who: str) -> TaskRun:
        async with self._write() as tables:
            rules.check_run_names(new)
            existing = tables.runs.the("launch", new.launch_id)
            return fresh(existing) if existing else _add_run(tables, new, now, who)

    async def set_trouble(self, run_id: RunId, trouble: str | None) -> None:
        async with self._write() as tables:
            run = rules.found(tables.runs.get(run_id), "run", run_id)
            tables.runs.put(run_id, attrs.evolve(run, trouble=trouble))

    async def add_assignments(
        self, run_id: RunId, rows: Sequence[NewAssignment], done: bool, now: datetime
    ) -> list[AssignmentId]:
        async with self._write() as tables:
            return _add_assignments(tables, run_id, rows, done, now)

    async def launch_assignments(
        self, run_id: RunId, rows: Sequence[NewAssignment], done: bool, now: datetime
    ) -> list[Unit]:
        async with self._write() as tables:
            made = _add_assignments(tables, run_id, rows, done, now)
            hand = Hand("daemon", rules.RELEASED, rules.moment(now))
            units = [unit for number in made for unit in tables.units.having("assignment", number)]
            return [
                put_unit(tables, unit, attrs.evolve(unit, status=UnitStatus.LAUNCHED), hand) for unit in units
            ]

    async def launch_units(self, run_id: RunId, count: int, now: datetime) -> list[Unit]:
        async with self._write() as tables:
            rules.found(tables.runs.get(run_id), "run", run_id)
            hand = Hand("daemon", rules.RELEASED, rules.moment(now))
            first = [unit_id for unit_id, _ in zip(tables.waiting.all(run_id), range(count), strict=False)]
            return [_launch(tables, unit_id, hand) for unit_id in first]

    async def expire_units(self, run_id: RunId, now: datetime, who: str, why: str) -> list[Unit]:
        async with self._write() as tables:
            rules.found(tables.runs.get(run_id), "run", run_id)
            hand = Hand(who, why, rules.moment(now))
            free = [*tables.waiting.all(run_id), *tables.free.all(run_id)]
            return [_expire(tables, unit_id, hand) for unit_id in sorted(free)]

    async def requesters(self) -> list[Requester]:
        return copies((await self._read()).requesters)

    async def projects(self) -> list[Project]:
        return copies((await self._read()).projects)

    async def tasks(self) -> list[Task]:
        return copies((await self._read()).tasks)

    async def task(self, task_id: int) -> Task:
        tables = await self._read()
        return fresh(rules.found(tables.tasks.get(task_id), "task", task_id))

    async def runs(self, states: frozenset[RunState] | None = None) -> list[TaskRun]:
        tables = await self._read()
        return copies(run for run in tables.runs if states is None or run.state in states)

    async def run(self, run_id: RunId) -> TaskRun:
        tables = await self._read()
        return fresh(rules.found(tables.runs.get(run_id), "run", run_id))

    async def run_by_label(self, label: str) -> TaskRun:
        tables = await self._read()
        return fresh(rules.found(tables.runs.the("label", label), "run", label))

    async def counted_runs(
        self, states: frozenset[RunState] | None = None
    ) -> list[tuple[TaskRun, RunCounts]]:
        tables = await self._read()
        found = [run for run in tables.runs if states is None or run.state in states]
        return [(fresh(run), _counts(tables, run.id)) for run in found]

    async def counts(self, run_id: RunId) -> RunCounts:
        tables = await self._read()
        rules.found(tables.runs.get(run_id), "run", run_id)
        return _counts(tables, run_id)

    async def assignment(self, assignment_id: AssignmentId) -> Assignment:
        tables = await self._read()
        return fresh(rules.found(tables.assignments.get(assignment_id), "assignment", assignment_id))

    async def assignments(self, run_id: RunId, after: int = 0, limit: int = 1000) -> list[Assignment]:
        tables = await self._read()
        return page(tables.assignments.having("run", run_id), after, limit)

    async def unit(self, unit_id: UnitId) -> Unit:
        tables = await self._read()
        return fresh(rules.found(tables.units.get(unit_id), "unit", unit_id))

    async def units(
        self,
        run_id: RunId,
        statuses: frozenset[UnitStatus] | None = None,
        assignment_id: AssignmentId | None = None,
        after: int = 0,
        limit: int = 1000,
    ) -> list[Unit]:
        tables = await self._read()
        chosen = [
            unit
            for unit in tables.units.having("run", run_id)
            if statuses is None or unit.status in statuses
            if assignment_id is None or unit.assignment_id == assignment_id
        ]
        return page(chosen, after, limit)


def _add_requester(tables: Tables, name: str, provider: str) -> Requester:
    rules.check_name("requester", name)
    if tables.requesters.the("name", name):
        raise Duplicate(f"there is a requester {name!r}")
    number = tables.requesters.next_id()
    return tables.requesters.put(number, Requester(number, name, provider))


def _add_project(tables: Tables, name: str) -> Project:
    rules.check_project_name(name)
    if tables.projects.the("name", name):
        raise Duplicate(f"there is a project {name!r}")
    number = tables.projects.next_id()
    return tables.projects.put(number, Project(number, name))


def _add_task(tables: Tables, name: str, blueprint: str, project_id: int | None) -> Task:
    _check_task(tables, name, project_id)
    number = tables.tasks.next_id()
    return tables.tasks.put(number, Task(number, name, blueprint, project_id))


def _check_task(tables: Tables, name: str, project_id: int | None, itself: Task | None = None) -> None:
    rules.check_name("task", name)
    if project_id is not None and project_id not in tables.projects:
        raise InvalidRecord(f"no project {project_id}")
    if tables.tasks.the("name", name) not in (None, itself):
        raise Duplicate(f"there is a task {name!r}")


def _add_run(tables: Tables, new: NewRun, now: datetime, who: str) -> TaskRun:
    if tables.runs.the("label", new.label):
        raise Duplicate(f"there is a run with label {new.label!r}")
    run = rules.new_run(new, _task_of(tables, new), _requester_of(tables, new), rules.moment(now))
    number = RunId(tables.runs.next_id())
    run = tables.runs.put(number, attrs.evolve(run, id=number))
    tables.positions.put(number, 1)
    note(tables, Hand(who, "launched", run.created_at).run(None, run))
    return fresh(run)


def _requester_of(tables: Tables, new: NewRun) -> int:
    known = tables.requesters.the("name", new.requester_name)
    if known is None:
        return _add_requester(tables, new.requester_name, new.provider).id
    rules.check_requester_fits(known, new)
    return known.id


def _task_of(tables: Tables, new: NewRun) -> int:
    project_id = _project_of(tables, new.project_name)
    known = tables.tasks.the("name", new.task_name)
    if known is None:
        return _add_task(tables, new.task_name, new.blueprint, project_id).id
    rules.check_task_fits(known, new, project_id)
    return known.id


def _project_of(tables: Tables, name: str | None) -> int | None:
    if name is None:
        return None
    known = tables.projects.the("name", name)
    return known.id if known else _add_project(tables, name).id


def _add_assignments(
    tables: Tables, run_id: RunId, rows: Sequence[NewAssignment], done: bool, now: datetime
) -> list[AssignmentId]:
    run = rules.found(tables.runs.get(run_id), "run", run_id)
    rules.check_rows(run.rows_made, rows)
    hand = Hand("daemon", rules.ROW_ADDED, rules.moment(now))
    made = [_add_assignment(tables, run, new, hand) for new in rows]
    made_so_far = run.rows_made + len(rows)
    tables.runs.put(run_id, attrs.evolve(run, rows_made=made_so_far, rows_done=run.rows_done or done))
    return made


def _add_assignment(tables: Tables, run: TaskRun, new: NewAssignment, hand: Hand) -> AssignmentId:
    admission_rules.check_ranks(run.queue, new)
    number = AssignmentId(tables.assignments.next_id())
    assignment = Assignment(number, run.id, new.row, new.digest, new.shared, list(new.unit_data))
    tables.assignments.put(number, assignment)
    for index in range(len(new.unit_data)):
        rank = admission_rules.first_rank(run.queue, new, index)
        unit = rules.new_unit(run.id, number, index, next_position(tables, run.id), rank, new)
        unit = attrs.evolve(unit, id=UnitId(tables.units.next_id()))
        note(tables, hand.unit(None, tables.units.put(unit.id, unit)))
    return number


def _launch(tables: Tables, unit_id: UnitId, hand: Hand) -> Unit:
    unit = rules.found(tables.units.get(unit_id), "unit", unit_id)
    position = next_position(tables, unit.run_id)
    return put_unit(tables, unit, attrs.evolve(unit, status=UnitStatus.LAUNCHED, position=position), hand)


def _expire(tables: Tables, unit_id: UnitId, hand: Hand) -> Unit:
    unit = rules.found(tables.units.get(unit_id), "unit", unit_id)
    return put_unit(tables, unit, attrs.evolve(unit, status=UnitStatus.EXPIRED), hand)


def put_unit(tables: Tables, old: Unit, new: Unit, hand: Hand) -> Unit:
    """Stage a changed unit and its history."""
    note(tables, hand.unit(old, new))
    return tables.units.put(new.id, new)


def move_unit(tables: Tables, old: Unit, new: Unit, hand: Hand) -> Unit:
    """Stage a moved unit, its history, and what the move does to ranks."""
    run = rules.found(tables.runs.get(new.run_id), "run", new.run_id)
    if admission_rules.moves_rank(run.queue, old, new):
        new = (_regroup if run.queue is QueueOrder.GROUPED else _rerank)(tables, old, new)
    return put_unit(tables, old, new, hand)


def _rerank(tables: Tables, old: Unit, new: Unit) -> Unit:
    units = tables.units.having("assignment", new.assignment_id)
    left = [unit for unit in units if unit.status in admission_rules.LEFT]
    lowest = min(left, key=lambda unit: unit.rank, default=None)
    new, other = admission_rules.reranked(old, new, lowest, len(units))
    if other is not None:
        tables.units.put(other.id, other)
    return new


def _regroup(tables: Tables, old: Unit, new: Unit) -> Unit:
    units = tables.units.having("assignment", new.assignment_id)
    others = [unit for unit in units if unit.id != new.id]
    assigned = sum(unit.status is UnitStatus.ASSIGNED for unit in others)
    new, rank = admission_rules.regrouped(old, new, assigned)
    if rank is not None:
        for unit in others:
            if unit.status in admission_rules.LEFT:
                tables.units.put(unit.id, attrs.evolve(unit, rank=rank))
    return new


def next_position(tables: Tables, run_id: RunId) -> int:
    """A place at the end of the run's queue."""
    position = tables.positions.get(run_id) or 1
    tables.positions.put(run_id, position + 1)
    return position


def _counts(tables: Tables, run_id: RunId) -> RunCounts:
    counts = tables.counts
    return RunCounts(
        units={status: counts.units[run_id, "unit"][status] for status in UnitStatus},
        agents={status: counts.agents[run_id][status] for status in AgentStatus},
        screening={status: counts.units[run_id, "screening"][status] for status in UnitStatus},
        gold={status: counts.units[run_id, "gold"][status] for status in UnitStatus},
        onboarding={status: counts.onboarding[run_id][status] for status in AgentStatus},
    )
