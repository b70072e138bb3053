"""Verdicts on work, as the daemon tells of them."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class ReviewInfo:
    """The newest verdict on an agent's work."""

    status: str
    note: str | None
    who: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Reviewed:
    """What became of one agent's review; `refused` says why it was not judged so.

    `blocks`: the run's rule on soft rejects bars the worker from now on. `owed`: what the provider said
    instead of taking it; it is told again until it does.
    """

    agent_id: int
    status: str
    changed: bool
    refused: str | None
    blocks: bool
    owed: str | None
