"""The contract of storage about what staff asked for, and how it went."""

import abc
from datetime import datetime

from ..records import AuditRow


class AuditingContract(abc.ABC):
    """What `Storage` promises about what staff asked for."""

    @abc.abstractmethod
    async def begin_audit(
        self, uid: int, pid: int, who: str, what: str, subject: str, now: datetime
    ) -> AuditRow:
        """Write down what is about to be carried out; its outcome is not known yet."""

    @abc.abstractmethod
    async def end_audit(
        self, audit_id: int, outcome: str, subject: str, before: str | None, after: str | None
    ) -> None:
        """Write down how it went. StaleWrite: that is known already. NotFound."""

    @abc.abstractmethod
    async def audit(self, subject: str | None = None, after: int = 0, limit: int = 1000) -> list[AuditRow]:
        """All that staff asked for, or what was about this subject."""
