"""The typed, blocking client of the control socket, and crowdctl. Needs click and the standard library."""

from .client import Client, connect
from .errors import (
    ClientError,
    ConnectionCut,
    DaemonUnreachable,
    LaunchRefused,
    NoSuchRun,
    Refused,
    TaskFolderRefused,
)
from .shapes import (
    AgentInfo,
    ErrorInfo,
    Link,
    LogPart,
    RunInfo,
    Snapshot,
    UnitInfo,
    WorkerDetails,
    WorkerInfo,
    WorkInfo,
)

__all__ = [
    "AgentInfo",
    "Client",
    "ClientError",
    "ConnectionCut",
    "DaemonUnreachable",
    "ErrorInfo",
    "LaunchRefused",
    "Link",
    "LogPart",
    "NoSuchRun",
    "Refused",
    "RunInfo",
    "Snapshot",
    "TaskFolderRefused",
    "UnitInfo",
    "WorkInfo",
    "WorkerDetails",
    "WorkerInfo",
    "connect",
]
