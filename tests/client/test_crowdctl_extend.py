"""crowdctl extend: what is sent, what is told, what is refused."""

import json
from pathlib import Path

import pytest

from crowdd.client.exit_codes import ExitCode
from crowdd.daemon.terms import Extended
from crowdd.protocol.names import RunState

from ..control.fakes import Desk


@pytest.fixture
def more(tmp_path: Path) -> Path:
    path = tmp_path / "more.jsonl"
    path.write_text('{"text": "one"}\n')
    return path


async def test_rows_limits_and_pay_are_sent_together_and_told_one_a_line(desk: Desk, more: Path) -> None:
    run = await desk.operator.a_run("digits")
    await desk.operator.at_work(run, "ann")
    told = await desk.crowdctl(
        "extend", "digits", "--rows", str(more), "--max-concurrent-units", "50", "--time", "3600",
        "--pay", "0.30", "--patience", "7200", "limits.grace_s=5", "--request-id", "mine",
    )  # fmt: skip
    assert told.output == (
        "Run digits is extended.\n"
        "  3 rows added\n"
        "  limits.grace_s: 1 -> 5\n"
        "  limits.max_num_concurrent_units: 1 -> 50\n"
        "  limits.assignment_duration_s: 1 -> 3600, for units taken from now on\n"
        "  pay.reward: 1 -> 0.30, for units that are not released yet\n"
        "  limits.no_submission_patience_s: 1 -> 7200\n"
        "  1 at work keep the time they have; --agents would give them more\n"
        "Next: crowdctl watch digits\n"
    )
    ((wish, content),) = desk.operator.wishes
    assert wish.rows is not None
    assert (wish.rows.name, content) == ("more.jsonl", more.read_bytes())
    assert (wish.request_id, wish.present) == ("mine", False)
    assert wish.settings["pay.reward"] == "0.30"


async def test_time_for_those_at_work_is_asked_for_and_told(desk: Desk) -> None:
    await desk.operator.a_run("digits")
    desk.operator.extended = Extended(present=4)
    told = await desk.crowdctl("extend", "digits", "--time", "3600", "--agents")
    assert "  4 at work have more time; a page shows it once it is loaded again\n" in told.output
    assert desk.operator.wishes[0][0].present


async def test_rows_behind_a_generator_are_told_to_be_so(desk: Desk, more: Path) -> None:
    await desk.operator.a_run("digits")
    desk.operator.extended = Extended(rows_after_code=True)
    told = await desk.crowdctl("extend", "digits", "--rows", str(more))
    assert "if that never ends, they are never reached" in told.output


async def test_what_is_so_already_or_was_done_before_is_said(desk: Desk) -> None:
    await desk.operator.a_run("digits")
    told = await desk.crowdctl("extend", "digits", "--agents")
    assert told.output == "Run digits is so already: nothing was changed.\n"
    desk.operator.extended = Extended(already=True)
    told = await desk.crowdctl("extend", "digits", "--agents")
    assert told.output == "This request had added its rows to run digits before: nothing was changed.\n"


async def test_every_problem_is_told(desk: Desk) -> None:
    await desk.operator.a_run("digits")
    told = await desk.crowdctl("extend", "digits", "nonsense=1")
    assert (told.exit_code, told.output) == (
        ExitCode.REFUSED,
        "crowdctl: Run 'digits' was not extended, nothing was changed: 2 problems.\n"
        "  - nonsense: unknown; did you mean 'limits'?\n"
        "  - more.jsonl:1: is not JSON\n"
        "  Correct them and extend again.\n",
    )


@pytest.mark.parametrize(
    ("state", "words"),
    [(RunState.COMPLETED, "has ended: it is completed"), (RunState.DRAINING, "is being stopped")],
)
async def test_a_run_that_takes_nobody_new_is_not_extended_and_told_what_to_do(
    desk: Desk, state: RunState, words: str
) -> None:
    run = await desk.operator.a_run("digits")
    await desk.operator.move(run.id, state)
    told = await desk.crowdctl("extend", "digits", "--pay", "1.00")
    assert (told.exit_code, told.output) == (
        ExitCode.REFUSED,
        f"crowdctl: Run 'digits' {words}, and cannot be extended.\n"
        "  Launch what is to be added as a run of its own.\n",
    )
    assert desk.operator.wishes == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Say what is to change"),
        (["pay"], "is no override"),
        (["--rows", "/nowhere/more.jsonl"], "No such file"),
    ],
)
async def test_wrong_usage_is_told_before_anything_is_sent(
    desk: Desk, arguments: list[str], words: str
) -> None:
    await desk.operator.a_run("digits")
    told = await desk.crowdctl("extend", "digits", *arguments)
    assert told.exit_code == ExitCode.USAGE
    assert words in told.output


async def test_a_file_of_another_kind_is_refused_by_its_name(desk: Desk, tmp_path: Path) -> None:
    await desk.operator.a_run("digits")
    path = tmp_path / "more.xlsx"
    path.write_bytes(b"PK")
    told = await desk.crowdctl("extend", "digits", "--rows", str(path))
    assert (told.exit_code, "rows come as .jsonl, .json, .csv" in told.output) == (ExitCode.REFUSED, True)


async def test_extensions_for_programs(desk: Desk) -> None:
    await desk.operator.a_run("digits")
    told = json.loads((await desk.crowdctl("extend", "digits", "--pay", "0.30", "--json")).output)
    assert told["extension"]["changes"] == [{"key": "pay.reward", "before": "1", "after": "0.30"}]
    assert told["label"] == "digits"
