"""What staff change about runs, in SQLite: pauses, terms and added rows, and runs that go for good."""

from collections.abc import Sequence
from datetime import datetime

import attrs

from ...protocol.names import AgentStatus, RunId, UnitStatus
from .. import admission_rules, rules
from ..contract import ChangeRun
from ..errors import StaleWrite
from ..hand import Hand
from ..records import AddedRows, TaskRun
from ..sql import statements
from .ask import Db, add, count, do, every, note, one, save
from .body import SqliteBody, the_run


class SqliteTerms(SqliteBody):
    """What `Storage` says about changing and deleting runs."""

    async def set_paused(self, run_id: RunId, paused: bool, now: datetime, who: str, why: str) -> TaskRun:
        return await self._engine.write(_set_paused, run_id, paused, Hand(who, why, rules.moment(now)))

    async def change_run(self, change: ChangeRun, now: datetime, who: str, why: str) -> TaskRun:
        return await self._engine.write(_change_run, change, Hand(who, why, rules.moment(now)))

    async def added_rows(self, run_id: RunId) -> list[AddedRows]:
        return await self._engine.read_long(every, AddedRows, statements.ADDED_ROWS, run_id=run_id)

    async def begin_deletion(self, run_id: RunId, now: datetime, who: str) -> TaskRun:
        return await self._engine.write(_begin_deletion, run_id, rules.moment(now), who)

    async def delete_assignments(self, run_id: RunId, units_max: int) -> bool:
        return await self._engine.write(_delete_assignments, run_id, units_max)

    async def finish_deletion(self, run_id: RunId, now: datetime, who: str) -> None:
        await self._engine.write(_finish_deletion, run_id, rules.moment(now), who)


def _set_paused(db: Db, run_id: RunId, paused: bool, hand: Hand) -> TaskRun:
    run = the_run(db, run_id)
    rules.check_unfinished(run)
    if run.paused is paused:
        return run
    changed = attrs.evolve(run, paused=paused)
    save(db, statements.SAVE_TERMS, changed)
    note(db, hand.pause(run_id, paused))
    return changed


def _change_run(db: Db, change: ChangeRun, hand: Hand) -> TaskRun:
    run = the_run(db, change.run_id)
    rows = change.rows
    if rows is not None and _are_added(db, rows.request_id):
        return run
    rules.check_change(run, change)
    if rows is not None:
        add(db, rules.new_added_rows(run.id, rows, hand.at))
    if change.pay_cents is not None:
        do(db, statements.SET_PAY, run_id=run.id, pay_cents=change.pay_cents)
    changed = rules.changed_run(run, change)
    save(db, statements.SAVE_TERMS, changed)
    note(db, *(hand.config(run.id, before, after) for before, after in change.changes))
    return changed


def _are_added(db: Db, request_id: str) -> bool:
    return one(db, AddedRows, statements.ROWS_OF_REQUEST, request_id=request_id) is not None


def _begin_deletion(db: Db, run_id: RunId, at: datetime, who: str) -> TaskRun:
    run = the_run(db, run_id)
    rules.check_ended(run)
    if run.deleting:
        return run
    going = attrs.evolve(run, deleting=True)
    save(db, statements.SAVE_DELETING, going)
    note(db, Hand(who, rules.deletion_why(run), at).deletion(run_id, None, "deleting"))
    return going


def _delete_assignments(db: Db, run_id: RunId, units_max: int) -> bool:
    rules.check_deleting(the_run(db, run_id))
    found = _assignments(db, run_id, max(units_max, 1))
    units = 0
    for assignment_id in found:
        if units >= max(units_max, 1):
            return True
        units += _delete_assignment(db, run_id, assignment_id)
    return bool(_assignments(db, run_id, 1))


def _assignments(db: Db, run_id: RunId, limit: int) -> Sequence[int]:
    rows = db.execute(statements.ASSIGNMENTS_TO_DELETE, {"run_id": run_id, "limit": limit})
    return [number for (number,) in rows.fetchall()]


def _delete_assignment(db: Db, run_id: RunId, assignment_id: int) -> int:
    """Remove one assignment and what hangs on it; returns how many units that were."""
    key = {"assignment_id": assignment_id}
    units = 0
    for index, status, number in db.execute(statements.UNITS_BY_STATUS, key).fetchall():
        count(db, admission_rules.unit_kind(index), run_id, UnitStatus(status), -number)
        units += number
    for worker_id, number in db.execute(statements.UNITS_BY_WORKER, key).fetchall():
        do(db, statements.COUNT_IN_TASK, run_id=run_id, worker_id=worker_id, number=-number)
        do(db, statements.FORGET_IN_TASK, run_id=run_id, worker_id=worker_id)
    for status, number in db.execute(statements.AGENTS_BY_STATUS, key).fetchall():
        count(db, "agent", run_id, AgentStatus(status), -number)
    for statement in statements.DELETE_ASSIGNMENT:
        do(db, statement, **key)
    return units


def _finish_deletion(db: Db, run_id: RunId, at: datetime, who: str) -> None:
    run = the_run(db, run_id)
    rules.check_deleting(run)
    if _assignments(db, run_id, 1):
        raise StaleWrite(f"run {run_id} still has assignments")
    for statement in statements.DELETE_RUN:
        do(db, statement, run_id=run_id)
    note(db, Hand(who, rules.deletion_why(run), at).deletion(run_id, "deleting", "deleted"))
