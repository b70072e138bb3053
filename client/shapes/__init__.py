"""What the daemon tells, as frozen objects. Each module is imported when one of its names is first asked for:

    from . import shapes
    shapes.RunInfo

A dataclass takes up to a millisecond to be made, and a command of crowdctl needs a few of them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .audit import AuditEntry
    from .changed_runs import (
        DeletedRun,
        ExtendedRun,
        ExtensionInfo,
        LaunchedRun,
        PausedRun,
        SettingInfo,
        Stock,
    )
    from .history import Change, DecisionInfo, Event, StoryEntry, Why
    from .late import LateInfo, LatePaid, LatePayment
    from .links import Link, RevokedLink
    from .people import BlockInfo, GrantInfo, HeldUnit, TrackRecord, WorkerDetails, WorkerInfo
    from .plans import OptionInfo, OptionsInfo, PlanInfo, PlugInInfo
    from .progress import Snapshot
    from .qualifications import GrantChange, Granted, Holder, QualificationDetails, QualificationInfo
    from .reviews import Reviewed, ReviewInfo
    from .run_details import OwedInfo, PauseInfo, RoomInfo, RunDetails
    from .runs import Progress, RouterInfo, RunInfo
    from .service import DaemonStatus, Degradation, DiskInfo, LogPart, Reloaded, Restarting, RunDisk
    from .work import (
        AgentInfo,
        DebtInfo,
        ErrorInfo,
        FileInfo,
        Submission,
        UnitInfo,
        UpdateInfo,
        Work,
        WorkInfo,
    )

__all__ = [
    "AgentInfo",
    "AuditEntry",
    "BlockInfo",
    "Change",
    "DaemonStatus",
    "DebtInfo",
    "DecisionInfo",
    "Degradation",
    "DeletedRun",
    "DiskInfo",
    "ErrorInfo",
    "Event",
    "ExtendedRun",
    "ExtensionInfo",
    "FileInfo",
    "GrantChange",
    "GrantInfo",
    "Granted",
    "HeldUnit",
    "Holder",
    "LateInfo",
    "LatePaid",
    "LatePayment",
    "LaunchedRun",
    "Link",
    "LogPart",
    "OptionInfo",
    "OptionsInfo",
    "OwedInfo",
    "PauseInfo",
    "PausedRun",
    "PlanInfo",
    "PlugInInfo",
    "Progress",
    "QualificationDetails",
    "QualificationInfo",
    "Reloaded",
    "Restarting",
    "ReviewInfo",
    "Reviewed",
    "RevokedLink",
    "RoomInfo",
    "RouterInfo",
    "RunDetails",
    "RunDisk",
    "RunInfo",
    "SettingInfo",
    "Snapshot",
    "Stock",
    "StoryEntry",
    "Submission",
    "TrackRecord",
    "UnitInfo",
    "UpdateInfo",
    "Why",
    "Work",
    "WorkInfo",
    "WorkerDetails",
    "WorkerInfo",
]

_HOMES = {
    "AgentInfo": "work",
    "AuditEntry": "audit",
    "BlockInfo": "people",
    "Change": "history",
    "DaemonStatus": "service",
    "DebtInfo": "work",
    "DecisionInfo": "history",
    "Degradation": "service",
    "DeletedRun": "changed_runs",
    "DiskInfo": "service",
    "ErrorInfo": "work",
    "Event": "history",
    "ExtendedRun": "changed_runs",
    "ExtensionInfo": "changed_runs",
    "FileInfo": "work",
    "GrantChange": "qualifications",
    "GrantInfo": "people",
    "Granted": "qualifications",
    "HeldUnit": "people",
    "Holder": "qualifications",
    "LateInfo": "late",
    "LatePaid": "late",
    "LatePayment": "late",
    "LaunchedRun": "changed_runs",
    "Link": "links",
    "LogPart": "service",
    "OptionInfo": "plans",
    "OptionsInfo": "plans",
    "OwedInfo": "run_details",
    "PauseInfo": "run_details",
    "PausedRun": "changed_runs",
    "PlanInfo": "plans",
    "PlugInInfo": "plans",
    "Progress": "runs",
    "QualificationDetails": "qualifications",
    "QualificationInfo": "qualifications",
    "Reloaded": "service",
    "Restarting": "service",
    "ReviewInfo": "reviews",
    "Reviewed": "reviews",
    "RevokedLink": "links",
    "RoomInfo": "run_details",
    "RouterInfo": "runs",
    "RunDetails": "run_details",
    "RunDisk": "service",
    "RunInfo": "runs",
    "SettingInfo": "changed_runs",
    "Snapshot": "progress",
    "Stock": "changed_runs",
    "StoryEntry": "history",
    "Submission": "work",
    "TrackRecord": "people",
    "UnitInfo": "work",
    "UpdateInfo": "work",
    "Why": "history",
    "Work": "work",
    "WorkInfo": "work",
    "WorkerDetails": "people",
    "WorkerInfo": "people",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    shape = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = shape  # is not asked for again
    return shape
