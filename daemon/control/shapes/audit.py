"""What staff asked for."""

from datetime import datetime
from typing import TypedDict


class AuditRowView(TypedDict):
    """One change that was asked for: by whom, as the kernel says, and how it went.

    `what` is the operation's id here, `subject` a run's label or other words; `outcome` is done, failed or
    "refused: CODE"; null while it is under way, or when the daemon ended before it was known.
    """

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


class AuditView(TypedDict):
    """A page of the audit; `next` is the `after` of the following one, or null."""

    audit: list[AuditRowView]
    next: int | None
