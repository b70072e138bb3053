"""The Python client: the same daemon, typed, for programs; and what importing it costs."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
import trio

from crowdd.client import FileInfo, NoSuchRun, NoSuchThing, NotEnded, Refused, Snapshot
from crowdd.daemon.control import serve_control
from crowdd.protocol.names import RunState

from ..control.fakes import STAFF, Desk

FORBIDDEN = (
    "trio",
    "anyio",
    "attr",
    "attrs",
    "cattrs",
    "msgpack",
    "starlette",
    "hypercorn",
    "rich",
    "asyncio",
)
SLOW = ("http.client", "email", "ssl", "hashlib", "tarfile", "shutil", "crowdd.client.shapes.work")
"""What takes its time to be imported, and `crowdctl runs` does not need."""

EVERY_COMMAND = "from crowdd.client.crowdctl import main; assert all(main.commands.values())"


@pytest.mark.parametrize("loading", ["import crowdd.client", EVERY_COMMAND])
def test_importing_the_client_loads_no_daemon_and_nothing_heavy(loading: str) -> None:
    code = f"import sys, json; {loading}; print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
    ours = {"crowdd.daemon", "crowdd.protocol", "crowdd.storage", "crowdd.router", "crowdd.testing"}
    assert not ours & set(loaded)
    assert not {name.partition(".")[0] for name in loaded} & set(FORBIDDEN)


def test_a_whole_command_in_a_pipe_loads_nothing_heavy_and_no_other_command(tmp_path: Path) -> None:
    code = (
        "import sys, json\nfrom crowdd.client.crowdctl import main\n"
        f"try: main(['--socket', {str(tmp_path / 'none')!r}, 'runs'])\n"
        "except SystemExit as end: print(json.dumps([end.code, sorted(sys.modules)]))"
    )
    code_of_exit, loaded = json.loads(
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    )
    assert code_of_exit == 3
    assert not {name.partition(".")[0] for name in loaded} & set(FORBIDDEN)
    assert "crowdd.client.commands.launch" not in loaded
    assert not set(SLOW) & set(loaded)


async def test_a_run_is_launched_shown_and_stopped(desk: Desk, tmp_path: Path) -> None:
    task = tmp_path / "task"
    task.mkdir()
    (task / "task.toml").write_text("name = 'digits'\n")
    client = desk.client()
    run = await trio.to_thread.run_sync(client.launch, task, {"label": "mine"})
    shown = await trio.to_thread.run_sync(client.show, run.id)
    stopped = await trio.to_thread.run_sync(client.stop, "mine", True)
    assert (shown.label, shown.state, stopped.state) == ("mine", "running", "stopped")


async def test_lists_come_whole_over_many_pages(desk: Desk) -> None:
    await desk.operator.a_run("digits", units=1200)
    units = await trio.to_thread.run_sync(lambda: list(desk.client().units("digits")))
    assert len({unit.id for unit in units}) == 1200


async def test_submissions_are_records(desk: Desk) -> None:
    run = await desk.operator.a_run("digits", units=40)
    for number in range(40):
        await desk.operator.submitted(run, f"worker {number}", {"text": "x" * 3000, "n": number})
    found = await trio.to_thread.run_sync(lambda: list(desk.client().submissions("digits")))
    assert [submission.outputs["n"] for submission in found] == list(range(40))
    assert found[0].inputs == {"pixels": [0], "_truth": 0}


async def test_submissions_are_read_page_by_page_and_only_as_far_as_wanted(desk: Desk) -> None:
    run = await desk.operator.a_run("digits", units=250)
    for number in range(250):
        await desk.operator.submitted(run, f"worker {number}", number)
    found = await trio.to_thread.run_sync(lambda: list(desk.client().submissions("digits")))
    assert [submission.outputs for submission in found] == list(range(250))
    rest = await trio.to_thread.run_sync(
        lambda: list(desk.client().submissions("digits", after=found[200].agent_id))
    )
    assert rest == found[201:]


async def test_a_file_is_read_by_its_note_and_a_damaged_one_is_refused_by_name(
    desk: Desk, tmp_path: Path
) -> None:
    await desk.operator.a_run("digits")
    desk.operator.files = tmp_path
    content = b"picture" * 100_000
    digest = hashlib.sha256(content).hexdigest()
    (tmp_path / digest).write_bytes(content)
    note = FileInfo(
        sha256=digest, size=len(content), fieldname="p", originalname="p.png", mimetype="image/png"
    )
    client = desk.client()
    assert await trio.to_thread.run_sync(client.read_file, "digits", note) == content
    (tmp_path / digest).write_bytes(b"not the picture")
    with pytest.raises(Refused, match="is damaged on the daemon's disk"):
        await trio.to_thread.run_sync(client.read_file, "digits", note)
    with pytest.raises(NoSuchThing):
        await trio.to_thread.run_sync(client.read_file, "digits", "0" * 64)


async def test_several_runs_are_waited_for_together(desk: Desk) -> None:
    for label, state in (("one", RunState.COMPLETED), ("two", RunState.STOPPED)):
        await desk.operator.move((await desk.operator.a_run(label)).id, state)
    ends = await trio.to_thread.run_sync(lambda: desk.client().wait("one", "two"))
    assert [(end.run, end.state) for end in ends] == [("one", "completed"), ("two", "stopped")]


async def test_waiting_ends_with_its_time_and_says_for_whom(desk: Desk) -> None:
    await desk.operator.move((await desk.operator.a_run("done")).id, RunState.COMPLETED)
    await desk.operator.a_run("slow")
    with pytest.raises(NotEnded, match="slow") as late:
        await trio.to_thread.run_sync(lambda: desk.client().wait("done", "slow", timeout_s=0))
    assert late.value.runs == ["slow"]
    assert [end.state for end in late.value.snapshots] == ["completed", "running"]


async def test_refusals_are_exceptions_with_stable_codes(desk: Desk) -> None:
    client = desk.client()
    with pytest.raises(NoSuchRun):
        await trio.to_thread.run_sync(client.show, "nothing")
    await desk.operator.move((await desk.operator.a_run("digits")).id, RunState.FAILED)
    with pytest.raises(Refused) as refused:
        await trio.to_thread.run_sync(client.expire, "digits")
    assert refused.value.code == "run_ended"


async def test_a_label_cannot_break_out_of_its_path(desk: Desk) -> None:
    client = desk.client()
    for name in ("../status", "a/b", "a?b=c", "a#b", "ä ö", "%2e"):
        with pytest.raises(NoSuchRun):
            await trio.to_thread.run_sync(client.show, name)


async def test_wait_returns_when_the_run_has_ended(desk: Desk, nursery: trio.Nursery) -> None:
    run = await desk.operator.a_run("digits")
    ended: list[Snapshot] = []

    async def wait() -> None:
        ended.extend(await trio.to_thread.run_sync(lambda: desk.client().wait("digits")))

    async with trio.open_nursery() as waiting:
        waiting.start_soon(wait)
        while desk.operator.lives[run.id].watchers == 0:
            await trio.lowlevel.checkpoint()
        await desk.operator.move(run.id, RunState.COMPLETED)
    assert [snapshot.state for snapshot in ended] == ["completed"]


async def test_following_goes_on_when_the_daemon_restarts(desk: Desk, tmp_path: Path) -> None:
    run = await desk.operator.a_run("digits")
    path = tmp_path / "restarting"
    seen: list[str] = []
    said: list[str] = []

    def follow() -> None:
        for snapshot in Desk(desk.operator, path).client().follow("digits", on_away=said.append):
            seen.append(snapshot.state)

    async with trio.open_nursery() as following:
        async with trio.open_nursery() as first_life:
            await first_life.start(serve_control, desk.operator, path, STAFF)
            following.start_soon(trio.to_thread.run_sync, follow)
            while not seen:
                await trio.sleep(0.01)
            first_life.cancel_scope.cancel()
        while not said:
            await trio.sleep(0.01)
        await desk.operator.move(run.id, RunState.COMPLETED)
        async with trio.open_nursery() as second_life:
            await second_life.start(serve_control, desk.operator, path, STAFF)
            while seen[-1] != "completed":
                await trio.sleep(0.01)
            second_life.cancel_scope.cancel()
    assert seen == ["running", "completed"]
    assert said[0].startswith("The daemon is away. Waiting for it")
