"""What staff asked for, in SQLite."""

from datetime import datetime

import attrs

from .. import rules
from ..errors import StaleWrite
from ..records import AuditRow
from ..sql import statements
from .ask import Db, keep, one, page, save
from .body import SqliteBody


class SqliteAuditing(SqliteBody):
    """What `Storage` says about what staff asked for."""

    async def begin_audit(
        self, uid: int, pid: int, who: str, what: str, subject: str, now: datetime
    ) -> AuditRow:
        row = AuditRow(0, rules.moment(now), uid, pid, who, what, subject)
        return await self._engine.write(_begin_audit, row)

    async def end_audit(
        self, audit_id: int, outcome: str, subject: str, before: str | None, after: str | None
    ) -> None:
        await self._engine.write(_end_audit, audit_id, outcome, subject, before, after)

    async def audit(self, subject: str | None = None, after: int = 0, limit: int = 1000) -> list[AuditRow]:
        return await self._engine.read_long(page, AuditRow, after, limit, subject=subject)


def _begin_audit(db: Db, row: AuditRow) -> AuditRow:
    return keep(db, row)


def _end_audit(
    db: Db, audit_id: int, outcome: str, subject: str, before: str | None, after: str | None
) -> None:
    row = rules.found(one(db, AuditRow, statements.AUDIT_ROW, id=audit_id), "audit row", audit_id)
    if row.outcome is not None:
        raise StaleWrite(f"audit row {audit_id} has its outcome")
    ended = attrs.evolve(row, outcome=outcome, subject=subject, before=before, after=after)
    save(db, statements.END_AUDIT, ended)
