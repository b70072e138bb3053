"""Runs, as a list of them has each."""

from dataclasses import dataclass
from datetime import datetime


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
