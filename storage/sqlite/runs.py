"""Requesters, projects, tasks, runs and what they are made of, in SQLite."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs

from ...protocol.names import AgentStatus, AssignmentId, QueueOrder, RunId, RunState, UnitId, UnitStatus
from .. import admission_rules, rules
from ..contract import NewAssignment, NewRun, RunCounts
from ..errors import Duplicate, InvalidRecord
from ..hand import Hand
from ..records import Assignment, HistoryEntry, Project, Requester, Task, TaskRun, Unit
from ..rows import dump_json, from_row
from ..sql import statements
from .ask import Db, add, add_values, count, do, every, note, note_each, one, page, recount, save, value
from .body import SqliteBody, the_assignment, the_run, the_unit


@attrs.frozen
class _Made:
    """What new rows became."""

    assignments: list[AssignmentId]
    units: Sequence[Sequence[Any]]
    """The values of each, in the order of their assignments; the numbers are the database's."""

    @property
    def bounds(self) -> dict[str, AssignmentId]:
        """The first and the last assignment: there are some."""
        return {"first": self.assignments[0], "last": self.assignments[-1]}


class SqliteRuns(SqliteBody):
    """What `Storage` says about runs, tasks, assignments and units."""

    async def create_requester(self, name: str, provider: str) -> Requester:
        return await self._engine.write(_add_requester, name, provider)

    async def create_project(self, name: str) -> Project:
        return await self._engine.write(_add_project, name)

    async def create_task(self, name: str, blueprint: str, project_id: int | None) -> Task:
        return await self._engine.write(_add_task, name, blueprint, project_id)

    async def update_task(self, task_id: int, name: str, project_id: int | None) -> Task:
        return await self._engine.write(_update_task, task_id, name, project_id)

    async def create_run(self, new: NewRun, now: datetime, who: str) -> TaskRun:
        return await self._engine.write(_create_run, new, now, who)

    async def set_trouble(self, run_id: RunId, trouble: str | None) -> None:
        await self._engine.write(_set_trouble, run_id, trouble)

    async def add_assignments(
        self, run_id: RunId, rows: Sequence[NewAssignment], done: bool, now: datetime
    ) -> list[AssignmentId]:
        return await self._engine.write(_add_assignments, run_id, rows, done, now)

    async def launch_assignments(
        self, run_id: RunId, rows: Sequence[NewAssignment], done: bool, now: datetime
    ) -> list[Unit]:
        return await self._engine.write(_launch_assignments, run_id, rows, done, now)

    async def launch_units(self, run_id: RunId, count: int, now: datetime) -> list[Unit]:
        return await self._engine.write(_launch_units, run_id, count, now)

    async def expire_units(self, run_id: RunId, now: datetime, who: str, why: str) -> list[Unit]:
        return await self._engine.write(_expire_units, run_id, now, who, why)

    async def requesters(self) -> list[Requester]:
        return await self._engine.read_long(every, Requester, statements.select(Requester, "ORDER BY id"))

    async def projects(self) -> list[Project]:
        return await self._engine.read_long(every, Project, statements.select(Project, "ORDER BY id"))

    async def tasks(self) -> list[Task]:
        return await self._engine.read_long(every, Task, statements.select(Task, "ORDER BY id"))

    async def task(self, task_id: int) -> Task:
        return await self._engine.read(_the_task, task_id)

    async def runs(self, states: frozenset[RunState] | None = None) -> list[TaskRun]:
        return await self._engine.read_long(page, TaskRun, 0, rules.VALUE_MAX, states)

    async def counted_runs(
        self, states: frozenset[RunState] | None = None
    ) -> list[tuple[TaskRun, RunCounts]]:
        return await self._engine.read_long(_counted_runs, states)

    async def run(self, run_id: RunId) -> TaskRun:
        return await self._engine.read(the_run, run_id)

    async def run_by_label(self, label: str) -> TaskRun:
        run = await self._engine.read(one, TaskRun, statements.RUN_OF_LABEL, label=label)
        return rules.found(run, "run", label)

    async def counts(self, run_id: RunId) -> RunCounts:
        return await self._engine.read(_counts, run_id)

    async def assignment(self, assignment_id: AssignmentId) -> Assignment:
        return await self._engine.read(the_assignment, assignment_id)

    async def assignments(self, run_id: RunId, after: int = 0, limit: int = 1000) -> list[Assignment]:
        return await self._engine.read_long(page, Assignment, after, limit, run_id=run_id)

    async def unit(self, unit_id: UnitId) -> Unit:
        return await self._engine.read(the_unit, unit_id)

    async def units(
        self,
        run_id: RunId,
        statuses: frozenset[UnitStatus] | None = None,
        assignment_id: AssignmentId | None = None,
        after: int = 0,
        limit: int = 1000,
    ) -> list[Unit]:
        return await self._engine.read_long(
            page, Unit, after, limit, statuses, run_id=run_id, assignment_id=assignment_id
        )


def _add_requester(db: Db, name: str, provider: str) -> Requester:
    rules.check_name("requester", name)
    if one(db, Requester, statements.REQUESTER_OF_NAME, name=name):
        raise Duplicate(f"there is a requester {name!r}")
    requester = Requester(0, name, provider)
    return attrs.evolve(requester, id=add(db, requester))


def _add_project(db: Db, name: str) -> Project:
    rules.check_project_name(name)
    if one(db, Project, statements.PROJECT_OF_NAME, name=name):
        raise Duplicate(f"there is a project {name!r}")
    project = Project(0, name)
    return attrs.evolve(project, id=add(db, project))


def _add_task(db: Db, name: str, blueprint: str, project_id: int | None) -> Task:
    _check_task(db, name, project_id)
    task = Task(0, name, blueprint, project_id)
    return attrs.evolve(task, id=add(db, task))


def _update_task(db: Db, task_id: int, name: str, project_id: int | None) -> Task:
    task = _the_task(db, task_id)
    if value(db, statements.ANY_RUN_OF_TASK, task_id=task_id) is not None:
        raise InvalidRecord(f"task {task_id} has runs: it keeps its name and project")
    _check_task(db, name, project_id, itself=task)
    changed = attrs.evolve(task, name=name, project_id=project_id)
    save(db, statements.SAVE_TASK, changed)
    return changed


def _check_task(db: Db, name: str, project_id: int | None, itself: Task | None = None) -> None:
    rules.check_name("task", name)
    if project_id is not None and one(db, Project, statements.PROJECT, id=project_id) is None:
        raise InvalidRecord(f"no project {project_id}")
    if one(db, Task, statements.TASK_OF_NAME, name=name) not in (None, itself):
        raise Duplicate(f"there is a task {name!r}")


def _the_task(db: Db, task_id: int) -> Task:
    return rules.found(one(db, Task, statements.TASK, id=task_id), "task", task_id)


def _create_run(db: Db, new: NewRun, now: datetime, who: str) -> TaskRun:
    rules.check_run_names(new)
    existing = one(db, TaskRun, statements.RUN_OF_LAUNCH, launch_id=new.launch_id)
    if existing:
        return existing
    if one(db, TaskRun, statements.RUN_OF_LABEL, label=new.label):
        raise Duplicate(f"there is a run with label {new.label!r}")
    run = rules.new_run(new, _task_of(db, new), _requester_of(db, new), rules.moment(now))
    run = attrs.evolve(run, id=_next_number(db))
    save(db, statements.insert_as(TaskRun), run)
    note(db, Hand(who, "launched", run.created_at).run(None, run))
    return run


def _next_number(db: Db) -> RunId:
    """Higher than that of every run that there is or was: SQLite itself would give the last one again."""
    present = value(db, statements.RUN_NUMBER_MAX) or 0
    deleted = value(db, statements.DELETED_NUMBER_MAX) or 0
    return RunId(max(present, deleted) + 1)


def _requester_of(db: Db, new: NewRun) -> int:
    known = one(db, Requester, statements.REQUESTER_OF_NAME, name=new.requester_name)
    if known is None:
        return _add_requester(db, new.requester_name, new.provider).id
    rules.check_requester_fits(known, new)
    return known.id


def _task_of(db: Db, new: NewRun) -> int:
    project_id = _project_of(db, new.project_name)
    known = one(db, Task, statements.TASK_OF_NAME, name=new.task_name)
    if known is None:
        return _add_task(db, new.task_name, new.blueprint, project_id).id
    rules.check_task_fits(known, new, project_id)
    return known.id


def _project_of(db: Db, name: str | None) -> int | None:
    if name is None:
        return None
    known = one(db, Project, statements.PROJECT_OF_NAME, name=name)
    return known.id if known else _add_project(db, name).id


def _set_trouble(db: Db, run_id: RunId, trouble: str | None) -> None:
    save(db, statements.SAVE_RUN, attrs.evolve(the_run(db, run_id), trouble=trouble))


def _add_assignments(
    db: Db, run_id: RunId, rows: Sequence[NewAssignment], done: bool, now: datetime
) -> list[AssignmentId]:
    return _add_rows(db, run_id, rows, done, now, UnitStatus.CREATED).assignments


def _launch_assignments(
    db: Db, run_id: RunId, rows: Sequence[NewAssignment], done: bool, now: datetime
) -> list[Unit]:
    made = _add_rows(db, run_id, rows, done, now, UnitStatus.LAUNCHED)
    if not made.assignments:
        return []
    _note_rows(db, made, now, rules.RELEASED, UnitStatus.CREATED, UnitStatus.LAUNCHED)
    numbers = db.execute(statements.UNIT_NUMBERS, made.bounds)
    return [from_row(Unit, (*number, *values)) for number, values in zip(numbers, made.units, strict=True)]


def _note_rows(
    db: Db,
    made: _Made,
    now: datetime,
    why: str,
    before: UnitStatus | None,
    after: UnitStatus,
) -> None:
    """Append to the history what became of all units of new assignments."""
    hand = {"at": rules.moment(now), "who": "daemon", "why": why}
    do(db, statements.NOTE_MADE_UNITS, before=before, after=after, **made.bounds, **hand)


def _add_rows(
    db: Db, run_id: RunId, rows: Sequence[NewAssignment], done: bool, now: datetime, status: UnitStatus
) -> _Made:
    """The assignments of new rows, their units, which begin in this status, and that the run has them."""
    run = the_run(db, run_id)
    rules.check_rows(run.rows_made, rows)
    number = sum(len(new.unit_data) for new in rows)
    made = _make_units(db, run, rows, take_positions(db, run_id, number), status)
    if made.assignments:
        count(db, "unit", run_id, status, number)
        _note_rows(db, made, now, rules.ROW_ADDED, None, UnitStatus.CREATED)
    run = attrs.evolve(run, rows_made=run.rows_made + len(rows), rows_done=run.rows_done or done)
    save(db, statements.SAVE_RUN, run)
    return made


def _make_units(
    db: Db, run: TaskRun, rows: Sequence[NewAssignment], position: int, status: UnitStatus
) -> _Made:
    """The assignments of new rows, and their units, whose places begin at `position`."""
    for new in rows:
        admission_rules.check_ranks(run.queue, new)
    add_values(db, Assignment, [_assignment_values(run, new) for new in rows])
    made = _numbers_from(db, run)
    of_units = [
        (number, index, new.pay_cents, admission_rules.first_rank(run.queue, new, index))
        for number, new in zip(made, rows, strict=True)
        for index in range(len(new.unit_data))
    ]
    units = [
        (run.id, number, index, status.value, place, None, None, pay_cents, rank)
        for place, (number, index, pay_cents, rank) in enumerate(of_units, position)
    ]
    add_values(db, Unit, units)
    return _Made(made, units)


def _assignment_values(run: TaskRun, new: NewAssignment) -> Sequence[Any]:
    """Those of its `Assignment`, which need not be made for it."""
    return run.id, new.row, new.digest, dump_json(new.shared), dump_json(new.unit_data)


def _numbers_from(db: Db, run: TaskRun) -> list[AssignmentId]:
    """Of the assignments of rows that `rows_made` does not count yet, in their order."""
    found = db.execute(statements.ASSIGNMENTS_FROM, {"run_id": run.id, "row": run.rows_made})
    return [AssignmentId(number) for (number,) in found]


def _launch_units(db: Db, run_id: RunId, number: int, now: datetime) -> list[Unit]:
    the_run(db, run_id)
    waiting = db.execute(statements.WAITING_UNITS, {"run_id": run_id, "limit": max(number, 0)}).fetchall()
    if not waiting:
        return []
    first = take_positions(db, run_id, len(waiting))
    launched = every(db, Unit, statements.LAUNCH_UNITS, run_id=run_id, first=first, limit=len(waiting))
    launched.sort(key=lambda unit: unit.position)
    hand = Hand("daemon", rules.RELEASED, rules.moment(now))
    entry = hand.entry("unit", launched[0].id, run_id, UnitStatus.CREATED.value, UnitStatus.LAUNCHED.value)
    note_each(db, entry, (unit.id for unit in launched))
    recount(db, "unit", run_id, UnitStatus.CREATED, UnitStatus.LAUNCHED, len(launched))
    return launched


def _expire_units(db: Db, run_id: RunId, now: datetime, who: str, why: str) -> list[Unit]:
    the_run(db, run_id)
    free = every(db, Unit, statements.UNITS_TO_EXPIRE, run_id=run_id)
    expired = [attrs.evolve(unit, status=UnitStatus.EXPIRED) for unit in free]
    _save_free_units(db, free, expired, Hand(who, why, rules.moment(now)))
    return expired


def _save_free_units(db: Db, olds: Sequence[Unit], news: Sequence[Unit], hand: Hand) -> None:
    """Write units that moved and were nobody's, their history, and the run's counts."""
    save(db, statements.SAVE_UNIT, *news)
    note(db, *(hand.unit(old, new) for old, new in zip(olds, news, strict=True)))
    moves = Counter(
        (admission_rules.unit_kind(old.unit_index), old.run_id, old.status, new.status)
        for old, new in zip(olds, news, strict=True)
    )
    for (kind, run_id, before, after), number in moves.items():
        recount(db, kind, run_id, before, after, number)


def save_unit(
    db: Db, queue: QueueOrder, old: Unit, new: Unit, hand: Hand, also: Sequence[HistoryEntry] = ()
) -> Unit:
    """Write a moved unit, its history, the run's counts, and what the move does to ranks; returns it.

    `also`: what the history is told after it.
    """
    if admission_rules.moves_rank(queue, old, new):
        new = (_regroup if queue is QueueOrder.GROUPED else _rerank)(db, old, new)
    save(db, statements.SAVE_UNIT, new)
    note(db, hand.unit(old, new), *also)
    recount(db, admission_rules.unit_kind(new.unit_index), new.run_id, old.status, new.status)
    _count_for_worker(db, old, new)
    return new


def _count_for_worker(db: Db, old: Unit, new: Unit) -> None:
    """Keep how many units of the task a worker holds or has done."""
    before, after = rules.worker_counted_for(old), rules.worker_counted_for(new)
    if before == after:
        return
    for worker_id, number in ((before, -1), (after, 1)):
        if worker_id is not None:
            do(db, statements.COUNT_IN_TASK, run_id=new.run_id, worker_id=worker_id, number=number)


def _rerank(db: Db, old: Unit, new: Unit) -> Unit:
    lowest = one(db, Unit, statements.LOWEST_LEFT, assignment_id=new.assignment_id)
    units = 0  # matters only where none is left
    if lowest is None:
        units = value(db, statements.UNITS_OF_ASSIGNMENT_COUNT, assignment_id=new.assignment_id)
    new, other = admission_rules.reranked(old, new, lowest, units)
    if other is not None:
        save(db, statements.SAVE_UNIT, other)
    return new


def _regroup(db: Db, old: Unit, new: Unit) -> Unit:
    others = {"assignment_id": new.assignment_id, "id": new.id}
    new, rank = admission_rules.regrouped(old, new, value(db, statements.OTHERS_ASSIGNED, **others))
    if rank is not None:
        do(db, statements.RANK_OTHERS_LEFT, rank=rank, **others)
    return new


def take_positions(db: Db, run_id: RunId, number: int) -> int:
    """So many places at the end of the run's queue; returns the first."""
    first: int = db.execute(statements.TAKE_POSITIONS, {"run_id": run_id, "number": number}).fetchall()[0][0]
    return first


def _counts(db: Db, run_id: RunId) -> RunCounts:
    the_run(db, run_id)
    rows = db.execute(statements.COUNTS, {"run_id": run_id})
    return _run_counts({(kind, status): number for kind, status, number in rows})


def _counted_runs(db: Db, states: frozenset[RunState] | None) -> list[tuple[TaskRun, RunCounts]]:
    runs = page(db, TaskRun, 0, rules.VALUE_MAX, states)
    kept: dict[RunId, dict[tuple[str, str], int]] = {run.id: {} for run in runs}
    bounds = {"first": min(kept, default=0), "last": max(kept, default=0)}
    for run_id, kind, status, number in db.execute(statements.COUNTS_OF_RUNS, bounds):
        if run_id in kept:  # else it lies between them and is in another state
            kept[run_id][kind, status] = number
    return [(run, _run_counts(kept[run.id])) for run in runs]


def _run_counts(kept: Mapping[tuple[str, str], int]) -> RunCounts:
    """`kept` by kind and status; what is not among it is none."""
    return RunCounts(
        units={status: kept.get(("unit", status.value), 0) for status in UnitStatus},
        agents={status: kept.get(("agent", status.value), 0) for status in AgentStatus},
        screening={status: kept.get(("screening", status.value), 0) for status in UnitStatus},
        gold={status: kept.get(("gold", status.value), 0) for status in UnitStatus},
        onboarding={status: kept.get(("onboarding", status.value), 0) for status in AgentStatus},
    )
