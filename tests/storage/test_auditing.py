"""What staff asked for, on every body."""

import pytest

from crowdd.storage.contract import Storage
from crowdd.storage.errors import NotFound, StaleWrite
from crowdd.storage.records import AuditRow

from .world import LATER, NOW

ADA = (1000, 4321, "staff:ada")


async def test_sec13_what_is_asked_is_written_down_before_its_outcome_is_known(storage: Storage) -> None:
    row = await storage.begin_audit(*ADA, "stop_run", "digits", NOW)
    assert row == AuditRow(1, NOW, 1000, 4321, "staff:ada", "stop_run", "digits")
    assert await storage.audit() == [row]


async def test_sec13_the_outcome_is_written_once(storage: Storage) -> None:
    row = await storage.begin_audit(*ADA, "launch_run", "", NOW)
    await storage.end_audit(row.id, "done", "digits", None, "run 1, launching")
    with pytest.raises(StaleWrite):
        await storage.end_audit(row.id, "failed", "digits", None, None)
    [ended] = await storage.audit()
    assert (ended.subject, ended.before, ended.after, ended.outcome) == (
        "digits",
        None,
        "run 1, launching",
        "done",
    )


async def test_an_outcome_of_nothing_is_not_found(storage: Storage) -> None:
    with pytest.raises(NotFound):
        await storage.end_audit(7, "done", "", None, None)


async def test_sec13_rows_are_found_by_subject_and_read_in_pages(storage: Storage) -> None:
    for subject in ("a", "b", "a"):
        await storage.begin_audit(*ADA, "pause_run", subject, LATER)
    assert [row.id for row in await storage.audit("a")] == [1, 3]
    assert [row.id for row in await storage.audit(after=1, limit=1)] == [2]
