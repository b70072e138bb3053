"""Answers that came too late to count, in memory."""

from datetime import datetime

import attrs

from ...protocol.names import AgentId, RunId
from .. import late_rules, rules
from ..records import LateAnswer
from ..rows import fresh
from ..writes import LatePaid, OweLate
from .body import MemoryBody, copies, page
from .tables import Tables


class MemoryLate(MemoryBody):
    """What `Storage` says about late answers."""

    async def add_late(self, late: LateAnswer) -> bool:
        async with self._write() as tables:
            rules.found(tables.runs.get(late.run_id), "run", late.run_id)
            if late.agent_id is not None:
                rules.found(tables.agents.get(late.agent_id), "agent", late.agent_id)
            if tables.late.the("said", (late.run_id, late.wire_id, late.digest)):
                return False
            number = tables.late.next_id()
            new = late_rules.new_late(late, rules.moment(late.received_at))
            tables.late.put(number, attrs.evolve(new, id=number))
            return True

    async def late_answer(self, late_id: int) -> LateAnswer:
        return fresh(_late(await self._read(), late_id))

    async def late_of_agent(self, agent_id: AgentId) -> list[LateAnswer]:
        return copies(of_agent(await self._read(), agent_id))

    async def late_answers(self, run_id: RunId, after: int = 0, limit: int = 1000) -> list[LateAnswer]:
        return page((await self._read()).late.having("run", run_id), after, limit)

    async def late_count(self, run_id: RunId) -> int:
        return len((await self._read()).late.having("run", run_id))


def owe_late(tables: Tables, write: OweLate, at: datetime) -> None:
    """Stage that a late answer is to be paid."""
    late = _late(tables, write.id)
    agent_id = AgentId(late_rules.its_agent(late))
    agent = rules.found(tables.agents.get(agent_id), "agent", agent_id)
    unit = rules.found(tables.units.get(agent.unit_id), "unit", agent.unit_id)
    others = of_agent(tables, agent.id)
    tables.late.put(late.id, late_rules.owed_late(late, write, agent, unit, others, at))


def late_paid(tables: Tables, write: LatePaid, at: datetime) -> None:
    """Stage that a late answer was paid."""
    tables.late.put(write.id, late_rules.paid_late(_late(tables, write.id), at))


def of_agent(tables: Tables, agent_id: AgentId) -> list[LateAnswer]:
    """All late answers of an agent, in order."""
    return sorted(tables.late.having("agent", agent_id), key=lambda late: late.id)


def _late(tables: Tables, late_id: int) -> LateAnswer:
    return rules.found(tables.late.get(late_id), "late answer", late_id)
