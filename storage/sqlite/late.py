"""Answers that came too late to count, in SQLite."""

import attrs

from ...protocol.names import RunId
from .. import rules
from ..records import LateAnswer
from ..sql import statements
from .ask import Db, add, page, value
from .body import SqliteBody, the_agent, the_run


class SqliteLate(SqliteBody):
    """What `Storage` says about late answers."""

    async def add_late(self, late: LateAnswer) -> bool:
        return await self._engine.write(_add_late, late)

    async def late_answers(self, run_id: RunId, after: int = 0, limit: int = 1000) -> list[LateAnswer]:
        return await self._engine.read_long(page, LateAnswer, after, limit, run_id=run_id)

    async def late_count(self, run_id: RunId) -> int:
        count: int = await self._engine.read_long(value, statements.LATE_COUNT, run_id=run_id)
        return count


def _add_late(db: Db, late: LateAnswer) -> bool:
    the_run(db, late.run_id)
    if late.agent_id is not None:
        the_agent(db, late.agent_id)
    known = {"run_id": late.run_id, "wire_id": late.wire_id, "digest": late.digest}
    if value(db, statements.LATE_KNOWN, **known) is not None:
        return False
    add(db, attrs.evolve(late, received_at=rules.moment(late.received_at)))
    return True
