"""The typed, blocking client of the control socket, and crowdctl. Needs click and the standard library.

Each name but the errors is imported when it is first asked for: crowdctl needs a few of them at a time.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .errors import (
    ClientError,
    ConnectionCut,
    DaemonUnreachable,
    ExtensionRefused,
    LaunchRefused,
    LaunchUnknown,
    NoSuchRun,
    NoSuchThing,
    NotEnded,
    NotUnderstood,
    Refused,
    ReloadRefused,
    TaskFolderRefused,
)

if TYPE_CHECKING:
    from .client import Client, connect
    from .shapes import (
        AgentInfo,
        AuditEntry,
        DaemonStatus,
        Degradation,
        ErrorInfo,
        Event,
        FileInfo,
        Link,
        LogPart,
        RunDetails,
        RunInfo,
        Snapshot,
        Submission,
        UnitInfo,
        UpdateInfo,
        WorkerDetails,
        WorkerInfo,
        WorkInfo,
    )
    from .task import Task

__all__ = [
    "AgentInfo",
    "AuditEntry",
    "Client",
    "ClientError",
    "ConnectionCut",
    "DaemonStatus",
    "DaemonUnreachable",
    "Degradation",
    "ErrorInfo",
    "Event",
    "ExtensionRefused",
    "FileInfo",
    "LaunchRefused",
    "LaunchUnknown",
    "Link",
    "LogPart",
    "NoSuchRun",
    "NoSuchThing",
    "NotEnded",
    "NotUnderstood",
    "Refused",
    "ReloadRefused",
    "RunDetails",
    "RunInfo",
    "Snapshot",
    "Submission",
    "Task",
    "TaskFolderRefused",
    "UnitInfo",
    "UpdateInfo",
    "WorkInfo",
    "WorkerDetails",
    "WorkerInfo",
    "connect",
]

_HOMES = {"Client": "client", "connect": "client", "Task": "task"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES.get(name, 'shapes')}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
