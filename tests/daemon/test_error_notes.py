"""Errors of hooks and plug-ins are kept with their run, with a limit and their tracebacks."""

import os
from pathlib import Path

import trio
from trio.testing import MockClock

from crowdd.daemon.error_notes import ERROR_NOTES_MAX, TRACEBACK_CHARACTERS_MAX, ErrorNotes, error_data
from crowdd.daemon.house import House
from crowdd.daemon.user_code import UserCodeFailed
from crowdd.storage.memory import MemoryStorage

from .conftest import a_run
from .virtual import open_virtual


def raised() -> UserCodeFailed:
    failed = UserCodeFailed("rows raised KeyError: 'TEA'")
    try:
        os.environ["TEA"]
    except KeyError as exc:
        failed.__cause__ = exc
    return failed


def test_an_error_says_what_was_done_what_was_said_and_where() -> None:
    data = error_data("launching rows", raised())
    assert (data["error_type"], data["message"]) == (
        "UserCodeFailed",
        "launching rows: rows raised KeyError: 'TEA'",
    )
    assert 'os.environ["TEA"]' in data["stack"]


def test_an_error_of_tasks_is_named_by_its_cause() -> None:
    group = ExceptionGroup("nursery", [ExceptionGroup("inner", [ValueError()])])
    assert error_data("holding the run", group)["message"] == "holding the run: ValueError"


def test_an_error_that_is_no_valid_text_can_be_stored() -> None:
    assert error_data("launching rows", ValueError("\udc80"))["message"] == "launching rows: \\udc80"


def test_a_long_traceback_keeps_its_end() -> None:
    data = error_data("launching rows", ValueError("x" * 20_000 + "end"))
    assert len(data["stack"]) == TRACEBACK_CHARACTERS_MAX
    assert data["stack"].endswith("end\n")


async def test_what_fails_again_and_again_does_not_fill_the_disk(house: House) -> None:
    assert isinstance(house.storage, MemoryStorage)
    run = await a_run(house)
    notes = ErrorNotes(run.id, house.storage, house.wall)
    for _ in range(ERROR_NOTES_MAX + 5):
        await notes.note("plug-in", "verifying a worker", ValueError("no"))
    assert len(await house.storage.errors(run.id, limit=ERROR_NOTES_MAX + 5)) == ERROR_NOTES_MAX


async def test_a_provider_that_fails_is_seen_in_the_errors_of_its_run(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(provider="mock", provider__failing='["mark_done"]')
        page = await virtual.at_work(run, "ann")
        await page.submit({})
        (error,) = await virtual.storage.errors(run.id)
        (agent,) = await virtual.storage.agents(run.id)
        assert (error.source, error.agent_id) == ("plug-in", agent.id)
        assert error.data["message"].startswith("marking work as done: ")


async def test_code_that_broke_while_the_daemon_was_away_is_seen_with_its_traceback(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch()
        (kept,) = (path.parent for path in tmp_path.glob("data/tasks/*/task.toml"))
        (kept / "task.py").write_text("raise RuntimeError('out of coffee')\n")
        virtual.daemon.kill(down_s=1)
        await trio.sleep(2)
        (error,) = await virtual.storage.errors(run.id)
        assert "out of coffee" in error.data["message"]
        assert "task.py" in error.data["stack"]
