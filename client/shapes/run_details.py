"""One run with all that belongs to it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .runs import RunInfo


@dataclass(frozen=True, kw_only=True)
class PauseInfo:
    """Since when a run is paused, by whom, and why."""

    at: datetime
    who: str
    why: str


@dataclass(frozen=True, kw_only=True)
class OwedInfo:
    """What the crowd provider is still to be told, and what it said at the last of so many tries."""

    call: str
    agent_id: int | None
    worker_id: int | None
    since: datetime
    tries: int
    error: str | None


@dataclass(frozen=True, kw_only=True)
class RoomInfo:
    """A group in which workers wait for others: so many are here, away or simulated, of `size` seats.

    The first has waited for `waited_s`; something becomes of it in `left_s` at the latest.
    """

    assignment_id: int
    here: int
    away: int
    simulated: int
    size: int
    waited_s: float
    left_s: float | None


@dataclass(frozen=True, kw_only=True)
class RunDetails(RunInfo):
    """A run with its resolved config."""

    owed: tuple[OwedInfo, ...]
    rooms: tuple[RoomInfo, ...]
    last_submission_at: datetime | None
    pause: PauseInfo | None
    late: int
    """How many answers came too late to count."""
    counters: dict[str, int]
    """What was handled, refused and failed since the run was taken up, by name."""
    config: dict[str, Any]
