"""What the daemon tells becomes frozen objects: the members that are documented, nothing coerced."""

import dataclasses
import importlib
import json
import pkgutil
from datetime import UTC, datetime
from typing import Any

import pytest

from crowdd.client import DaemonStatus, Event, NotUnderstood, shapes
from crowdd.client.reading import as_json, read

from ..control.document import DOCUMENT

PAIRS = {
    "RunInfo": "Run",
    "RunDetails": "RunDetails",
    "LaunchedRun": "Launched",
    "PausedRun": "PausedRun",
    "PauseInfo": "Pause",
    "Stock": "Stock",
    "DeletedRun": "Deleted",
    "SettingInfo": "Setting",
    "ExtensionInfo": "Extension",
    "ExtendedRun": "Extended",
    "RouterInfo": "Router",
    "Snapshot": "Snapshot",
    "UnitInfo": "Unit",
    "AgentInfo": "Agent",
    "WorkInfo": "Work",
    "ErrorInfo": "ErrorNote",
    "WorkerInfo": "Worker",
    "WorkerDetails": "WorkerDetails",
    "GrantInfo": "Grant",
    "Change": "Change",
    "RunDisk": "RunDisk",
    "DiskInfo": "Disk",
    "LogPart": "LogPart",
    "Link": "Link",
    "DaemonStatus": "Status",
    "Degradation": "Degraded",
    "Submission": "Record",
    "FileInfo": "File",
    "UpdateInfo": "Update",
    "Event": "Event",
    "PlanInfo": "Plan",
    "OptionInfo": "Option",
    "PlugInInfo": "PlugIn",
    "OptionsInfo": "Options",
    "RevokedLink": "RevokedLink",
    "OwedInfo": "Owed",
    "DebtInfo": "Debt",
    "LateInfo": "Late",
    "LatePaid": "LatePaid",
    "LatePayment": "LatePayment",
    "RoomInfo": "Room",
    "ReviewInfo": "Review",
    "Reviewed": "Reviewed",
    "QualificationInfo": "Qualification",
    "QualificationDetails": "QualificationDetails",
    "GrantChange": "GrantChange",
    "Holder": "Holder",
    "Granted": "Granted",
    "HeldUnit": "HeldUnit",
    "BlockInfo": "Block",
    "TrackRecord": "TrackRecord",
    "DecisionInfo": "Decision",
    "StoryEntry": "Story",
    "Why": "Why",
    "Work": "OwnData",
    "AuditEntry": "AuditRow",
    "Reloaded": "Reloaded",
    "Restarting": "Restart",
}
"""The client's class, and the schema of the document that it stands for."""


MODULES = [
    importlib.import_module(each.name)
    for each in pkgutil.iter_modules(shapes.__path__, f"{shapes.__name__}.")
]
CLASSES = {
    name: each for module in MODULES for name, each in vars(module).items() if dataclasses.is_dataclass(each)
}


@pytest.mark.parametrize(("name", "schema"), PAIRS.items())
def test_a_class_of_the_client_has_the_members_that_the_daemon_documents(name: str, schema: str) -> None:
    ours = {field.name for field in dataclasses.fields(CLASSES[name])}
    assert ours == DOCUMENT["components"]["schemas"][schema]["properties"].keys()


def test_every_class_of_the_client_stands_for_something_documented() -> None:
    assert CLASSES.keys() - {"Progress"} == PAIRS.keys()


RUN: dict[str, Any] = {
    "id": 3,
    "at": "2026-03-01T12:00:00+00:00",
    "who": "daemon",
    "kind": "run",
    "subject_id": 3,
    "run": None,
    "before": None,
    "after": "launching",
    "why": "",
}


def test_times_are_aware_and_all_goes_back_as_it_came() -> None:
    event = read(Event, RUN)
    assert event.at == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert json.loads(json.dumps(event, default=as_json)) == RUN


def test_what_a_newer_daemon_says_besides_is_passed_over() -> None:
    assert read(Event, {**RUN, "mood": "good"}).id == 3


def test_what_an_older_daemon_does_not_say_yet_has_its_default() -> None:
    older: dict[str, Any] = {
        "version": "0.1.0",
        "you": "staff:eve",
        "stopping": False,
        "epoch": 1,
        "runs": {},
    }
    assert read(DaemonStatus, older).role == ""


@pytest.mark.parametrize("change", [{"id": "3"}, {"id": True}, {"at": 5}, {"at": "noon"}, {"why": None}])
def test_nothing_is_coerced(change: dict[str, Any]) -> None:
    with pytest.raises(NotUnderstood, match="Event"):
        read(Event, {**RUN, **change})


def test_a_missing_member_is_an_error_of_the_client() -> None:
    with pytest.raises(NotUnderstood, match="makes no Event") as refused:
        read(Event, {"id": 3})
    assert "older" in refused.value.hint


def test_objects_cannot_be_changed() -> None:
    event = read(Event, RUN)
    with pytest.raises(dataclasses.FrozenInstanceError):
        event.id = 4  # type: ignore[misc]
