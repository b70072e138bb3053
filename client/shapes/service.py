"""The daemon itself, its disk and its log."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Degradation:
    """Something that is missing: `what` for programs, `about` which one, `words` for people."""

    what: str
    about: str
    words: str
    since: datetime
    run_id: int | None


@dataclass(frozen=True, kw_only=True)
class DaemonStatus:
    """What the daemon says of itself. `you` is you as history names you, with a role; `runs` by number."""

    version: str
    you: str
    role: str = ""
    stopping: bool
    epoch: int
    runs: dict[str, Any]
    degraded: tuple[Degradation, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Reloaded:
    """How a reload went: each option by name, its values before and now, and who said the new one."""

    taken_up: tuple[str, ...]
    needs_restart: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Restarting:
    """The daemon of this epoch goes away; `restarts`: it is started again. Pages keep calm for `for_s`."""

    epoch: int
    for_s: float
    restarts: bool


@dataclass(frozen=True, kw_only=True)
class RunDisk:
    """What one run takes beside its records, in bytes."""

    id: int
    label: str
    state: str
    task: int
    files: int
    router: int


@dataclass(frozen=True, kw_only=True)
class DiskInfo:
    """The daemon's data folder, in bytes."""

    data: str
    database: int
    other: int
    free: int
    runs: tuple[RunDisk, ...]


@dataclass(frozen=True, kw_only=True)
class LogPart:
    """A part of the daemon that logs, and from which level on."""

    part: str
    level: str
    meaning: str
