"""Runs in SQLite, and how much of everything each has."""

from collections.abc import Mapping
from datetime import datetime

import attrs

from ...protocol.names import AgentStatus, RunId, RunState, UnitStatus
from .. import rules
from ..contract import NewRun, RunCounts
from ..errors import Duplicate
from ..hand import Hand
from ..records import TaskRun
from ..sql import statements
from .ask import Db, note, one, page, save, value
from .body import SqliteBody, the_run
from .tasks import requester_of, task_of


class SqliteRuns(SqliteBody):
    """What `Storage` says about runs."""

    async def create_run(self, new: NewRun, now: datetime, who: str) -> TaskRun:
        return await self._engine.write(_create_run, new, now, who)

    async def set_trouble(self, run_id: RunId, trouble: str | None) -> None:
        await self._engine.write(_set_trouble, run_id, trouble)

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


def _create_run(db: Db, new: NewRun, now: datetime, who: str) -> TaskRun:
    rules.check_run_names(new)
    existing = one(db, TaskRun, statements.RUN_OF_LAUNCH, launch_id=new.launch_id)
    if existing:
        return existing
    if one(db, TaskRun, statements.RUN_OF_LABEL, label=new.label):
        raise Duplicate(f"there is a run with label {new.label!r}")
    run = rules.new_run(new, task_of(db, new), requester_of(db, new), rules.moment(now))
    run = attrs.evolve(run, id=_next_number(db))
    save(db, statements.insert_as(TaskRun), run)
    note(db, Hand(who, "launched", run.created_at).run(None, run))
    return run


def _next_number(db: Db) -> RunId:
    """Higher than that of every run that there is or was: SQLite itself would give the last one again."""
    present = value(db, statements.RUN_NUMBER_MAX) or 0
    deleted = value(db, statements.DELETED_NUMBER_MAX) or 0
    return RunId(max(present, deleted) + 1)


def _set_trouble(db: Db, run_id: RunId, trouble: str | None) -> None:
    save(db, statements.SAVE_RUN, attrs.evolve(the_run(db, run_id), trouble=trouble))


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
