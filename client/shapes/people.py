"""Workers, how they did, and blocks."""

from dataclasses import dataclass
from datetime import datetime

from .history import Change


@dataclass(frozen=True, kw_only=True)
class WorkerInfo:
    """A person, known through one provider."""

    id: int
    provider: str
    name: str
    blocked: bool
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class GrantInfo:
    """A worker's value of a qualification."""

    qualification: str
    value: int
    at: datetime


@dataclass(frozen=True, kw_only=True)
class TrackRecord:
    """How a worker did so far, over all runs, in seconds; the truth is a row's `_truth`."""

    submitted: int
    approved: int
    soft_rejected: int
    rejected: int
    time_spent_s: float
    truth_known: int
    truth_agreed: int


@dataclass(frozen=True, kw_only=True)
class WorkerDetails(WorkerInfo):
    """A worker with grants, the history of blocks and grants, and how they did so far."""

    record: TrackRecord
    grants: tuple[GrantInfo, ...]
    history: tuple[Change, ...]


@dataclass(frozen=True, kw_only=True)
class HeldUnit:
    """A unit that somebody is working on."""

    run: str
    unit_id: int
    agent_id: int | None


@dataclass(frozen=True, kw_only=True)
class BlockInfo(WorkerInfo):
    """A worker after a block or its end; `holds` is what they have in hand, and keep.

    `owed`: what the provider said instead of taking it; it is told again until it does.
    """

    changed: bool
    holds: tuple[HeldUnit, ...]
    owed: str | None
