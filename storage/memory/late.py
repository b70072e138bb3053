"""Answers that came too late to count, in memory."""

import attrs

from ...protocol.names import RunId
from .. import rules
from ..records import LateAnswer
from .body import MemoryBody, page


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
            tables.late.put(number, attrs.evolve(late, id=number, received_at=rules.moment(late.received_at)))
            return True

    async def late_answers(self, run_id: RunId, after: int = 0, limit: int = 1000) -> list[LateAnswer]:
        return page((await self._read()).late.having("run", run_id), after, limit)

    async def late_count(self, run_id: RunId) -> int:
        return len((await self._read()).late.having("run", run_id))
