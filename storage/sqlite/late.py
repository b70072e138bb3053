"""Answers that came too late to count, in SQLite."""

from datetime import datetime

from ...protocol.names import AgentId, RunId
from .. import late_rules, rules
from ..records import LateAnswer
from ..sql import statements
from ..writes import LatePaid, OweLate
from .ask import Db, add, every, one, page, save, value
from .body import SqliteBody, the_agent, the_run, the_unit


class SqliteLate(SqliteBody):
    """What `Storage` says about late answers."""

    async def add_late(self, late: LateAnswer) -> bool:
        return await self._engine.write(_add_late, late)

    async def late_answer(self, late_id: int) -> LateAnswer:
        return await self._engine.read(_the_late, late_id)

    async def late_of_agent(self, agent_id: AgentId) -> list[LateAnswer]:
        return await self._engine.read(of_agent, agent_id)

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
    add(db, late_rules.new_late(late, rules.moment(late.received_at)))
    return True


def owe_late(db: Db, write: OweLate, at: datetime) -> None:
    """A late answer is to be paid."""
    late = _the_late(db, write.id)
    agent = the_agent(db, AgentId(late_rules.its_agent(late)))
    unit, others = the_unit(db, agent.unit_id), of_agent(db, agent.id)
    save(db, statements.SAVE_LATE, late_rules.owed_late(late, write, agent, unit, others, at))


def late_paid(db: Db, write: LatePaid, at: datetime) -> None:
    """A late answer was paid."""
    save(db, statements.SAVE_LATE, late_rules.paid_late(_the_late(db, write.id), at))


def of_agent(db: Db, agent_id: AgentId) -> list[LateAnswer]:
    """All late answers of an agent, in order."""
    return every(db, LateAnswer, statements.LATE_OF_AGENT, agent_id=agent_id)


def _the_late(db: Db, late_id: int) -> LateAnswer:
    return rules.found(one(db, LateAnswer, statements.LATE, id=late_id), "late answer", late_id)
