"""The typed, blocking client of the control socket, and crowdctl. Needs click and the standard library."""

from .client import Client, connect
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
from .shapes.audit import AuditEntry
from .shapes.history import Event
from .shapes.links import Link
from .shapes.people import WorkerDetails, WorkerInfo
from .shapes.runs import RunDetails, RunInfo, Snapshot
from .shapes.service import DaemonStatus, Degradation, LogPart
from .shapes.work import AgentInfo, ErrorInfo, FileInfo, Submission, UnitInfo, UpdateInfo, WorkInfo
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
