"""Units in SQLite: their places in the queue, and what each move of one changes besides."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import attrs

from ...protocol.names import AssignmentId, QueueOrder, RunId, UnitId, UnitStatus
from .. import admission_rules, rules
from ..hand import Hand
from ..records import HistoryEntry, Unit
from ..sql import statements
from .ask import Db, do, every, note, note_each, one, page, recount, save, value
from .body import SqliteBody, the_run, the_unit


class SqliteUnits(SqliteBody):
    """What `Storage` says about units."""

    async def launch_units(self, run_id: RunId, count: int, now: datetime) -> list[Unit]:
        return await self._engine.write(_launch_units, run_id, count, now)

    async def expire_units(self, run_id: RunId, now: datetime, who: str, why: str) -> list[Unit]:
        return await self._engine.write(_expire_units, run_id, now, who, why)

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


def take_positions(db: Db, run_id: RunId, number: int) -> int:
    """So many places at the end of the run's queue; returns the first."""
    first: int = db.execute(statements.TAKE_POSITIONS, {"run_id": run_id, "number": number}).fetchall()[0][0]
    return first


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
