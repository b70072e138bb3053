"""What was decided about workers and their work, in SQLite."""

from datetime import datetime

from ...protocol.names import AgentId, RunId, UnitId, WorkerId
from .. import admission_rules, rules
from ..admission import NewDecision
from ..records import Decision
from ..sql import statements
from .ask import Db, do, hold, keep, one, page, save
from .body import SqliteBody


class SqliteDecisions(SqliteBody):
    """What `Storage` says about decisions."""

    async def record_decision(self, new: NewDecision, now: datetime) -> Decision:
        return await self._engine.write(_record_decision, new, now)

    async def decisions(
        self,
        run_id: RunId | None = None,
        worker_id: WorkerId | None = None,
        agent_id: AgentId | None = None,
        unit_id: UnitId | None = None,
        onboarding_id: AgentId | None = None,
        after: int = 0,
        limit: int = 1000,
    ) -> list[Decision]:
        return await self._engine.read_long(
            page,
            Decision,
            after,
            limit,
            run_id=run_id,
            worker_id=worker_id,
            agent_id=agent_id,
            unit_id=unit_id,
            onboarding_id=onboarding_id,
        )


def record_decision(db: Db, new: NewDecision, at: datetime) -> Decision:
    """Store a decision, or count it once more where it stands; let go of what nobody will ask for."""
    decision = admission_rules.new_decision(new, at)
    newest = one(db, Decision, statements.NEWEST_DECISION, run_id=new.run_id, worker_id=new.worker_id)
    again = None if newest is None else admission_rules.decided_again(newest, decision)
    if again is not None:
        save(db, statements.COUNT_DECISION, again)
        return again
    decision = keep(db, decision)
    if admission_rules.led_to_nothing(decision):
        do(
            db,
            statements.DROP_OLD_DECISION,
            run_id=new.run_id,
            worker_id=new.worker_id,
            kept=admission_rules.REFUSALS_KEPT,
        )
    return decision


def record_first_decision(db: Db, new: NewDecision, at: datetime) -> None:
    """Store a decision about an agent that is new: none like it can be there."""
    hold(db, admission_rules.new_decision(new, at))


def _record_decision(db: Db, new: NewDecision, now: datetime) -> Decision:
    return record_decision(db, new, rules.moment(now))
