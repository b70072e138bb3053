"""Runs, how they stand, and what becomes of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class RouterInfo:
    """How the link to one router stands."""

    name: str
    url: str
    up: bool
    since: datetime | None
    addition: str
    outbox: dict[str, int]
    """What it told pages is submitted, and keeps for the daemon: `answers`, `metadata`, `bytes`."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a run is."""

    units: dict[str, int]
    agents: dict[str, int]
    units_total: int
    units_done: int
    agents_live: int
    rows_made: int
    rows_done: bool
    state: str
    trouble: str | None
    paused: bool
    deleting: bool
    live: bool
    address: str | None
    routers: tuple[RouterInfo, ...]


@dataclass(frozen=True, kw_only=True)
class RunInfo(Progress):
    """A run, as `runs` and `show` have it."""

    id: int
    label: str
    task: str
    blueprint: str
    provider: str
    architect: str
    sandbox: bool
    created_at: datetime
    ended_at: datetime | None


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


@dataclass(frozen=True, kw_only=True)
class Snapshot(Progress):
    """One line of `watch`; `per_minute` is None until it has been watched for a moment."""

    run: str
    id: int
    per_minute: float | None

    @property
    def is_open(self) -> bool:
        """Workers can come: a router serves its pages."""
        return self.address is not None and self.state != "launching" and any(r.up for r in self.routers)


@dataclass(frozen=True, kw_only=True)
class PausedRun(RunInfo):
    """A run after it was paused or resumed; `changed` is False when it was so already."""

    changed: bool


@dataclass(frozen=True, kw_only=True)
class SettingInfo:
    """A setting that is another now, in words."""

    key: str
    before: str | None
    after: str


@dataclass(frozen=True, kw_only=True)
class ExtensionInfo:
    """What was changed now.

    `already`: this request had added its rows before, and nothing was changed. `present`: so many who are at
    work have more time. `rows_after_code`: the rows come after those of rows() in task.py, if that ever ends.
    """

    changes: tuple[SettingInfo, ...]
    rows: int
    already: bool
    present: int
    rows_after_code: bool


@dataclass(frozen=True, kw_only=True)
class ExtendedRun(RunInfo):
    """A run after it was extended."""

    extension: ExtensionInfo


@dataclass(frozen=True, kw_only=True)
class Stock:
    """What goes with a run when it is deleted; `bytes` of its files, uploads among them."""

    id: int
    label: str
    state: str
    units: int
    submissions: int
    files: int
    bytes: int
