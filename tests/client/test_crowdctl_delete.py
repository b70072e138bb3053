"""crowdctl delete: asks first, on a terminal; in a script only with --yes."""

import json
import os
import pty
import sys

import pytest
import trio

from crowdd.client.exit_codes import ExitCode
from crowdd.protocol.names import RunState
from crowdd.storage.errors import NotFound

from ..control.fakes import Desk


async def an_ended_run(desk: Desk) -> None:
    run = await desk.operator.a_run("digits")
    await desk.operator.submitted(run, "ann", {"digit": 3})
    await desk.operator.move(run.id, RunState.STOPPED)


async def is_there(desk: Desk) -> bool:
    try:
        await desk.operator.storage.run_by_label("digits")
    except NotFound:
        return False
    return True


async def on_a_terminal(desk: Desk, typed: bytes) -> tuple[int, str]:
    """The command as a process whose input and output are a terminal; its exit code and all it printed."""

    def run() -> tuple[int, str]:
        pid, terminal = pty.fork()
        if pid == 0:
            socket = str(desk.socket)
            command = [sys.executable, "-m", "crowdd.client", "--socket", socket, "delete", "digits"]
            os.execv(sys.executable, command)
        os.write(terminal, typed)
        told = b""
        try:
            while piece := os.read(terminal, 4096):
                told += piece
        except OSError:  # so a terminal ends whose program has ended
            pass
        os.close(terminal)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), told.decode().replace("\r\n", "\n")

    return await trio.to_thread.run_sync(run)


async def test_with_yes_it_goes_and_what_went_is_told(desk: Desk) -> None:
    await an_ended_run(desk)
    told = await desk.crowdctl("delete", "digits", "--yes")
    assert told.output == "Run digits is deleted: 3 units, 1 answer, 4 files (2.5 MB).\n"
    assert not await is_there(desk)


async def test_what_could_not_be_removed_elsewhere_is_told(desk: Desk) -> None:
    await an_ended_run(desk)
    desk.operator.left = ["Router crowd could not be told: it is away.", "Nor could router spare."]
    told = await desk.crowdctl("delete", "digits", "--yes")
    assert told.output.splitlines()[1:] == desk.operator.left


async def test_in_a_script_it_is_refused_without_yes(desk: Desk) -> None:
    await an_ended_run(desk)
    told = await desk.crowdctl("delete", "digits")
    assert told.exit_code == ExitCode.USAGE
    assert "whether 3 units, 1 answer, 4 files (2.5 MB) of run digits may go: say --yes." in told.output
    assert await is_there(desk)


async def test_on_a_terminal_it_says_what_goes_and_asks(desk: Desk) -> None:
    await an_ended_run(desk)
    status, told = await on_a_terminal(desk, b"n\n")
    assert status == ExitCode.REFUSED
    assert "Run digits (number 1, stopped) would be deleted for good:\n" in told
    assert "  Answers  1\n" in told
    assert "If its answers are needed, export them first: crowdctl export digits -o digits.jsonl\n" in told
    assert "Delete run digits? [y/N]" in told
    assert "Nothing was deleted.\n" in told
    assert await is_there(desk)
    status, told = await on_a_terminal(desk, b"y\n")
    assert (status, "Run digits is deleted" in told) == (ExitCode.OK, True)
    assert not await is_there(desk)


async def test_a_run_that_goes_on_is_not_deleted(desk: Desk) -> None:
    await desk.operator.a_run("digits")
    told = await desk.crowdctl("delete", "digits", "--yes")
    assert (told.exit_code, told.output) == (
        ExitCode.REFUSED,
        "crowdctl: Run 'digits' has not ended: it is running. Nothing was deleted.\n"
        "  Stop it first: crowdctl stop digits\n",
    )
    assert (await desk.crowdctl("delete", "nothing", "--yes")).exit_code == ExitCode.NO_SUCH_RUN


async def test_a_run_whose_provider_is_owed_something_is_not_deleted(desk: Desk) -> None:
    run = await desk.operator.a_run("digits")
    await desk.operator.submitted(run, "ann", {})
    await desk.operator.move(run.id, RunState.COMPLETED)
    (await desk.operator.provider_of(run.id)).fail_next["block"] = 1
    await desk.crowdctl("block", "ann", "--reason", "spam")
    told = await desk.crowdctl("delete", "digits", "--yes")
    assert (told.exit_code, told.output) == (
        ExitCode.REFUSED,
        "crowdctl: The provider of run 'digits' is still to be told of 1 decision.\n"
        "  Nothing was deleted. `crowdctl show digits` says what keeps it; delete the run after that.\n",
    )
    assert await is_there(desk)


async def test_one_that_is_stuck_says_why_is_shown_as_going_and_is_deleted_again(desk: Desk) -> None:
    await an_ended_run(desk)
    desk.operator.stuck = "data/tasks/12: Permission denied"
    told = await desk.crowdctl("delete", "digits", "--yes")
    assert (told.exit_code, told.output) == (
        ExitCode.REFUSED,
        "crowdctl: Run 'digits' is going, but not all of it could be removed: "
        "data/tasks/12: Permission denied.\n"
        "  Mend that and delete it again; else the next start of the daemon tries again.\n",
    )
    assert "stopped (deleting)" in (await desk.crowdctl("runs")).output
    exported = await desk.crowdctl("export", "digits")
    assert exported.exit_code != ExitCode.OK
    desk.operator.stuck = ""
    assert (await desk.crowdctl("delete", "digits", "--yes")).exit_code == ExitCode.OK


@pytest.mark.parametrize("name", ["digits"])
async def test_deletions_for_programs(desk: Desk, name: str) -> None:
    await an_ended_run(desk)
    told = json.loads((await desk.crowdctl("delete", name, "--yes", "--json")).output)
    assert told == {
        "id": 1, "label": "digits", "state": "stopped", "units": 3, "submissions": 1, "files": 4,
        "bytes": 2_500_000, "left": [],
    }  # fmt: skip
