"""What staff asked for, in memory."""

from datetime import datetime

import attrs

from .. import rules
from ..errors import StaleWrite
from ..records import AuditRow
from ..rows import fresh
from .body import MemoryBody, page


class MemoryAuditing(MemoryBody):
    """What `Storage` says about what staff asked for."""

    async def begin_audit(
        self, uid: int, pid: int, who: str, what: str, subject: str, now: datetime
    ) -> AuditRow:
        async with self._write() as tables:
            number = tables.audit.next_id()
            row = AuditRow(number, rules.moment(now), uid, pid, who, what, subject)
            return fresh(tables.audit.put(number, row))

    async def end_audit(
        self, audit_id: int, outcome: str, subject: str, before: str | None, after: str | None
    ) -> None:
        async with self._write() as tables:
            row = rules.found(tables.audit.get(audit_id), "audit row", audit_id)
            if row.outcome is not None:
                raise StaleWrite(f"audit row {audit_id} has its outcome")
            ended = attrs.evolve(row, outcome=outcome, subject=subject, before=before, after=after)
            tables.audit.put(audit_id, ended)

    async def audit(self, subject: str | None = None, after: int = 0, limit: int = 1000) -> list[AuditRow]:
        rows = (await self._read()).audit
        return page([row for row in rows if subject in (None, row.subject)], after, limit)
