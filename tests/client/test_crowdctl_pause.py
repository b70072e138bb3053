"""crowdctl pause and resume, and how a paused run is shown."""

import json

import pytest

from crowdd.client.exit_codes import ExitCode
from crowdd.client.terminal import local_time
from crowdd.protocol.names import RunState

from ..control.fakes import NOW, Desk

TIME = local_time(NOW)


async def test_a_run_is_paused_and_told_who_is_at_work_and_how_it_goes_on(desk: Desk) -> None:
    run = await desk.operator.a_run("digits")
    await desk.operator.at_work(run, "ann")
    assert (await desk.crowdctl("pause", "digits", "--why", "lunch")).output == (
        "Run digits is paused: nobody new gets a unit.\n1 at work may finish.\nNext: crowdctl resume digits\n"
    )
    assert (await desk.operator.storage.run(run.id)).paused
    assert (await desk.crowdctl("resume", "digits")).output == (
        "Run digits goes on: workers are let in again.\nNext: crowdctl watch digits\n"
    )
    assert not (await desk.operator.storage.run(run.id)).paused
    entries = await desk.operator.storage.history("pause", run.id)
    assert [entry.why for entry in entries] == ["lunch", "resumed by staff"]


async def test_what_is_so_already_is_said(desk: Desk) -> None:
    await desk.operator.a_run("digits")
    assert (await desk.crowdctl("resume", "digits")).output == "Run digits was not paused.\n"
    await desk.crowdctl("pause", "digits")
    again = await desk.crowdctl("pause", "digits")
    assert again.output.startswith("Run digits is paused already: nobody new gets a unit.\n")
    assert again.exit_code == ExitCode.OK


async def test_a_paused_run_is_shown_as_paused_everywhere(desk: Desk) -> None:
    run = await desk.operator.a_run("digits")
    you = json.loads((await desk.crowdctl("status", "--json")).output)["you"]
    await desk.crowdctl("pause", "digits", "--why", "lunch")
    assert "running (paused)" in (await desk.crowdctl("runs")).output
    assert "running (paused)" in (await desk.crowdctl("status")).output
    shown = (await desk.crowdctl("show", "digits")).output
    assert f"since {TIME} by {you}: lunch; crowdctl resume digits\n" in shown
    await desk.operator.storage.set_trouble(run.id, "no coffee")
    assert "running (paused, trouble)" in (await desk.crowdctl("runs")).output


async def test_watch_tells_of_a_pause_at_once(desk: Desk) -> None:
    run = await desk.operator.a_run("digits")
    await desk.crowdctl("pause", "digits")
    await desk.operator.move(run.id, RunState.STOPPED)
    last = json.loads((await desk.crowdctl("watch", "digits", "--json")).output.splitlines()[-1])
    assert (last["paused"], last["state"]) == (True, "stopped")


@pytest.mark.parametrize("command", ["pause", "resume"])
async def test_a_run_that_ends_or_has_ended_is_neither_paused_nor_resumed(desk: Desk, command: str) -> None:
    run = await desk.operator.a_run("digits")
    await desk.operator.move(run.id, RunState.DRAINING)
    stopping = await desk.crowdctl(command, "digits")
    assert (stopping.exit_code, stopping.output) == (
        ExitCode.REFUSED,
        "crowdctl: Run 'digits' is being stopped: it takes nobody new.\n",
    )
    await desk.operator.move(run.id, RunState.STOPPED)
    assert "has ended" in (await desk.crowdctl(command, "digits")).output
    assert (await desk.crowdctl(command, "nothing")).exit_code == ExitCode.NO_SUCH_RUN


async def test_a_reason_of_more_than_a_line_is_refused(desk: Desk) -> None:
    await desk.operator.a_run("digits")
    assert "`why` must be one line" in (await desk.crowdctl("pause", "digits", "--why", "a\nb")).output
    assert not (await desk.operator.storage.run_by_label("digits")).paused


async def test_pauses_for_programs(desk: Desk) -> None:
    await desk.operator.a_run("digits")
    info = json.loads((await desk.crowdctl("pause", "digits", "--json")).output)
    assert (info["paused"], info["changed"], info["label"]) == (True, True, "digits")
