"""What was decided about workers and their work, in memory."""

from datetime import datetime

import attrs

from ...protocol.names import AgentId, RunId, UnitId, WorkerId
from .. import admission_rules, rules
from ..admission import NewDecision
from ..errors import InvalidRecord
from ..records import Decision
from ..rows import fresh
from .body import MemoryBody, page
from .tables import Tables


class MemoryDecisions(MemoryBody):
    """What `Storage` says about decisions."""

    async def record_decision(self, new: NewDecision, now: datetime) -> Decision:
        async with self._write() as tables:
            return fresh(record_decision(tables, new, rules.moment(now)))

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
        tables = await self._read()
        chosen = [
            each
            for each in tables.decisions
            if run_id in (None, each.run_id)
            and worker_id in (None, each.worker_id)
            and agent_id in (None, each.agent_id)
            and unit_id in (None, each.unit_id)
            and onboarding_id in (None, each.onboarding_id)
        ]
        return page(chosen, after, limit)


def record_decision(tables: Tables, new: NewDecision, at: datetime) -> Decision:
    """Stage a decision, or count it once more where it stands; let go of what nobody will ask for."""
    decision = admission_rules.new_decision(new, at)
    _check_references(tables, new)
    of_worker = sorted(
        tables.decisions.having("worker", (new.run_id, new.worker_id)), key=lambda each: each.id
    )
    again = admission_rules.decided_again(of_worker[-1], decision) if of_worker else None
    if again is not None:
        return tables.decisions.put(again.id, again)
    decision = attrs.evolve(decision, id=tables.decisions.next_id())
    alone = [each for each in [*of_worker, decision] if admission_rules.led_to_nothing(each)]
    if len(alone) > admission_rules.REFUSALS_KEPT and admission_rules.led_to_nothing(decision):
        tables.decisions.drop(alone[0].id)
    return tables.decisions.put(decision.id, decision)


def _check_references(tables: Tables, new: NewDecision) -> None:
    missing = (
        new.run_id not in tables.runs
        or (new.worker_id is not None and new.worker_id not in tables.workers)
        or (new.agent_id is not None and new.agent_id not in tables.agents)
        or (new.unit_id is not None and new.unit_id not in tables.units)
        or (new.onboarding_id is not None and new.onboarding_id not in tables.onboarding_agents)
    )
    if missing:
        raise InvalidRecord("a decision about what is not there")
