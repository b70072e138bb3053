"""Qualifications, who has them, and what was given and taken."""

from dataclasses import dataclass
from datetime import datetime

from .history import Change


@dataclass(frozen=True, kw_only=True)
class QualificationInfo:
    """A named property of workers, and how many have it."""

    name: str
    description: str | None
    created_at: datetime
    workers: int


@dataclass(frozen=True, kw_only=True)
class GrantChange(Change):
    """A change of one worker's value; without a worker, of the qualification itself."""

    worker_id: int | None
    worker_name: str | None


@dataclass(frozen=True, kw_only=True)
class QualificationDetails(QualificationInfo):
    """A qualification with its newest changes, oldest first."""

    history: tuple[GrantChange, ...]


@dataclass(frozen=True, kw_only=True)
class Holder:
    """A worker who has a qualification."""

    worker_id: int
    provider: str
    worker_name: str
    value: int
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Granted:
    """A worker's value before and after; None: they do not have it."""

    worker_id: int
    provider: str
    worker_name: str
    before: int | None
    after: int | None
