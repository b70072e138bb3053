"""Answers that came too late to count, and what is paid for them, as the daemon tells of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class LatePayment:
    """What staff decided to pay; `paid_at`: when the provider took it, None until it does."""

    cents: int
    note: str | None
    who: str
    at: datetime
    paid_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class LateInfo:
    """What a router had called submitted, and came when its unit was not to be had any more; `why` says so.

    Without an agent: the store was restored from a copy that is older than it.
    """

    id: int
    at: datetime
    kind: str
    """answer | metadata"""
    agent_id: int | None
    unit_id: int | None
    worker_id: int | None
    worker_name: str | None
    status: str | None
    pay_cents: int | None
    """What the unit is worth."""
    payment: LatePayment | None
    """What staff decided to pay for the answer; None: nothing."""
    why: str
    data: Any
    files: tuple[dict[str, Any], ...]


@dataclass(frozen=True, kw_only=True)
class LatePaid:
    """What became of one late answer that was to be paid; `refused` says why it is not paid so.

    `cents`: what is paid for it. `owed`: what the provider said instead of taking it; it is told again until
    it does.
    """

    id: int
    cents: int | None
    changed: bool
    refused: str | None
    owed: str | None
