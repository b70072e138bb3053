"""What staff asked for."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """One change that was asked for, by whom as the kernel says; `outcome` None: not known."""

    id: int
    at: datetime
    uid: int
    pid: int
    who: str
    what: str
    subject: str
    before: str | None
    after: str | None
    outcome: str | None
