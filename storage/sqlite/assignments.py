"""Assignments in SQLite: rows of data become them and their units."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import attrs

from ...protocol.names import AssignmentId, RunId, UnitStatus
from .. import admission_rules, rules
from ..contract import NewAssignment
from ..records import Assignment, TaskRun, Unit
from ..rows import dump_json, from_row
from ..sql import statements
from .ask import Db, add_values, count, do, page, save
from .body import SqliteBody, the_assignment, the_run
from .units import take_positions


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


class SqliteAssignments(SqliteBody):
    """What `Storage` says about assignments."""

    async def add_assignments(
        self, run_id: RunId, rows: Sequence[NewAssignment], done: bool, now: datetime
    ) -> list[AssignmentId]:
        return await self._engine.write(_add_assignments, run_id, rows, done, now)

    async def launch_assignments(
        self, run_id: RunId, rows: Sequence[NewAssignment], done: bool, now: datetime
    ) -> list[Unit]:
        return await self._engine.write(_launch_assignments, run_id, rows, done, now)

    async def assignment(self, assignment_id: AssignmentId) -> Assignment:
        return await self._engine.read(the_assignment, assignment_id)

    async def assignments(self, run_id: RunId, after: int = 0, limit: int = 1000) -> list[Assignment]:
        return await self._engine.read_long(page, Assignment, after, limit, run_id=run_id)


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
