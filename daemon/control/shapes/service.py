"""The daemon itself: what it holds, its disk and its log."""

from datetime import datetime
from typing import TypedDict


class RouterUpView(TypedDict):
    """Whether one router of a run is up."""

    name: str
    up: bool


class DegradedView(TypedDict):
    """Something that is missing: `what` for programs, `about` which one, `words` for people."""

    what: str
    about: str
    words: str
    since: datetime
    run_id: int | None


class HeldView(TypedDict):
    """What the daemon holds: `runs` by number; and what is missing."""

    stopping: bool
    epoch: int
    runs: dict[int, list[RouterUpView]]
    degraded: list[DegradedView]


class StatusView(HeldView):
    """What the daemon says of itself; `you` is the peer as history names it, `role` what it may do."""

    version: str
    you: str
    role: str


class ReloadedView(TypedDict):
    """How it went: each option by name, its values before and now, and who said the new one."""

    taken_up: list[str]
    needs_restart: list[str]
    warnings: list[str]


class RestartBody(TypedDict):
    """The epoch of the daemon that is meant: asking again restarts none twice."""

    epoch: int


class RestartView(TypedDict):
    """It goes away now; `restarts`: who started it starts it again. Pages keep calm for `for_s`."""

    epoch: int
    for_s: float
    restarts: bool


class RunDiskView(TypedDict):
    """What one run takes beside its records, in bytes."""

    id: int
    label: str
    state: str
    task: int
    files: int
    router: int


class DiskView(TypedDict):
    """The daemon's data folder, in bytes."""

    data: str
    database: int
    other: int
    free: int
    runs: list[RunDiskView]


class LogPartView(TypedDict):
    """A part of the daemon that logs, and from which level on."""

    part: str
    level: str
    meaning: str


class LogView(TypedDict):
    """All parts that log."""

    parts: list[LogPartView]


class LogBody(TypedDict):
    """Which part shall log from which level on, until the daemon ends."""

    part: str
    level: str
