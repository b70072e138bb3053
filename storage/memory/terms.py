"""What staff change about runs, in memory: pauses, terms and added rows, and runs that go for good."""

from collections.abc import Sequence
from datetime import datetime

import attrs

from ...protocol.names import PieceKind, RunId, UnitStatus
from .. import rules
from ..contract import ChangeRun
from ..errors import StaleWrite
from ..hand import Hand
from ..records import AddedRows, Agent, Assignment, TaskRun, Unit
from ..rows import fresh
from .body import MemoryBody, copies, note
from .live import drop_journal, drop_updates
from .tables import Tables


class MemoryTerms(MemoryBody):
    """What `Storage` says about changing and deleting runs."""

    async def set_paused(self, run_id: RunId, paused: bool, now: datetime, who: str, why: str) -> TaskRun:
        async with self._write() as tables:
            run = _run(tables, run_id)
            rules.check_unfinished(run)
            if run.paused is not paused:
                run = tables.runs.put(run_id, attrs.evolve(run, paused=paused))
                note(tables, Hand(who, why, rules.moment(now)).pause(run_id, paused))
            return fresh(run)

    async def change_run(self, change: ChangeRun, now: datetime, who: str, why: str) -> TaskRun:
        async with self._write() as tables:
            run = _run(tables, change.run_id)
            if change.rows is not None and tables.added_rows.the("request", change.rows.request_id):
                return fresh(run)
            rules.check_change(run, change)
            _change(tables, run, change, Hand(who, why, rules.moment(now)))
            return fresh(_run(tables, run.id))

    async def added_rows(self, run_id: RunId) -> list[AddedRows]:
        return copies((await self._read()).added_rows.having("run", run_id))

    async def begin_deletion(self, run_id: RunId, now: datetime, who: str) -> TaskRun:
        async with self._write() as tables:
            run = _run(tables, run_id)
            rules.check_ended(run)
            if not run.deleting:
                hand = Hand(who, rules.deletion_why(run), rules.moment(now))
                note(tables, hand.deletion(run_id, None, "deleting"))
                run = tables.runs.put(run_id, attrs.evolve(run, deleting=True))
            return fresh(run)

    async def delete_assignments(self, run_id: RunId, units_max: int) -> bool:
        async with self._write() as tables:
            rules.check_deleting(_run(tables, run_id))
            there = tables.assignments.having("run", run_id)
            chosen = _chosen(tables, there, max(units_max, 1))
            for assignment in chosen:
                _delete_assignment(tables, assignment)
            return len(chosen) < len(there)

    async def finish_deletion(self, run_id: RunId, now: datetime, who: str) -> None:
        async with self._write() as tables:
            run = _run(tables, run_id)
            rules.check_deleting(run)
            if tables.assignments.having("run", run_id):
                raise StaleWrite(f"run {run_id} still has assignments")
            _delete_rest(tables, run_id)
            hand = Hand(who, rules.deletion_why(run), rules.moment(now))
            note(tables, hand.deletion(run_id, "deleting", "deleted"))


def _change(tables: Tables, run: TaskRun, change: ChangeRun, hand: Hand) -> None:
    if change.rows is not None:
        added = rules.new_added_rows(run.id, change.rows, hand.at)
        number = tables.added_rows.next_id()
        tables.added_rows.put(number, attrs.evolve(added, id=number))
    if change.pay_cents is not None:
        for unit in tables.units.having("run", run.id):
            if unit.status is UnitStatus.CREATED:
                tables.units.put(unit.id, attrs.evolve(unit, pay_cents=change.pay_cents))
    tables.runs.put(run.id, rules.changed_run(run, change))
    note(tables, *(hand.config(run.id, before, after) for before, after in change.changes))


def _chosen(tables: Tables, there: Sequence[Assignment], units_max: int) -> list[Assignment]:
    chosen: list[Assignment] = []
    units = 0
    for assignment in sorted(there, key=lambda each: each.id):
        if units >= units_max or len(chosen) >= units_max:
            break
        chosen.append(assignment)
        units += len(tables.units.having("assignment", assignment.id))
    return chosen


def _delete_assignment(tables: Tables, assignment: Assignment) -> None:
    for agent in tables.agents.having("assignment", assignment.id):
        _delete_agent(tables, agent)
    for unit in tables.units.having("assignment", assignment.id):
        _delete_unit(tables, unit)
    drop_journal(tables, PieceKind.ASSIGNMENT, assignment.id)
    tables.assignments.drop(assignment.id)


def _delete_agent(tables: Tables, agent: Agent) -> None:
    tables.submissions.drop(agent.id)
    for late in tables.late.having("agent", agent.id):
        tables.late.drop(late.id)
    for metadata in tables.metadata.having("agent", agent.id):
        tables.metadata.drop(metadata.id)
    for review in tables.reviews.having("agent", agent.id):
        tables.reviews.drop(review.id)
    for error in tables.errors.having("run", agent.run_id):
        if error.agent_id == agent.id:
            tables.errors.drop(error.id)
    drop_updates(tables, False, agent.id)
    for owed in tables.owed.having("agent", agent.id):
        tables.owed.drop(owed.id)
    for decision in tables.decisions.having("agent", agent.id):
        tables.decisions.drop(decision.id)
    _forget(tables, "agent", agent.id)
    tables.worked.drop((agent.worker_id, agent.assignment_id))
    tables.agents.drop(agent.id)


def _delete_unit(tables: Tables, unit: Unit) -> None:
    drop_journal(tables, PieceKind.UNIT, unit.id)
    for decision in tables.decisions.having("unit", unit.id):
        tables.decisions.drop(decision.id)
    _forget(tables, "unit", unit.id)
    tables.units.drop(unit.id)


def _forget(tables: Tables, kind: str, subject_id: int) -> None:
    for entry in tables.history.having("subject", (kind, subject_id)):
        tables.history.drop(entry.id)


def _delete_rest(tables: Tables, run_id: RunId) -> None:
    for error in tables.errors.having("run", run_id):
        tables.errors.drop(error.id)
    for decision in tables.decisions.having("run", run_id):
        tables.decisions.drop(decision.id)
    for late in tables.late.having("run", run_id):
        tables.late.drop(late.id)
    for agent in tables.onboarding_agents.having("run", run_id):
        drop_updates(tables, True, agent.id)
        drop_journal(tables, PieceKind.ONBOARDING, agent.id)
        tables.onboarding_agents.drop(agent.id)
    for added in tables.added_rows.having("run", run_id):
        tables.added_rows.drop(added.id)
    for entry in tables.history.having("run", run_id):
        tables.history.drop(entry.id)
    for worker in list(tables.workers):
        tables.cursors.drop((worker.id, run_id))
    tables.positions.drop(run_id)
    tables.runs.drop(run_id)


def _run(tables: Tables, run_id: RunId) -> TaskRun:
    return rules.found(tables.runs.get(run_id), "run", run_id)
