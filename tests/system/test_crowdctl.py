"""The main way through crowdctl, every step a process: launch, invite, watch, export, stop."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import trio

from .processes import Daemon, a_task

pytestmark = pytest.mark.system


async def crowdctl(daemon: Daemon, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run crowdctl to its end."""
    command = [sys.executable, "-m", "crowdd.client", *arguments]
    environment = {**os.environ, "CROWDD_SOCKET": str(daemon.data / "control")}
    return await trio.to_thread.run_sync(
        lambda: subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
    )


async def done(daemon: Daemon, *arguments: str) -> str:
    """What crowdctl printed; it must have gone well."""
    ended = await crowdctl(daemon, *arguments)
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout


async def bots(urls: list[str]) -> None:
    """Simulated workers, until there is nothing left for them."""
    command = [sys.executable, "-m", "crowdd.cli", "bots", "--think", "0.01", *urls]
    await trio.run_process(command, capture_stdout=True)


async def test_a_run_from_launch_to_export(daemon: Daemon, tmp_path: Path) -> None:
    await daemon.start()
    assert await done(daemon, "runs") == "No runs yet. Launch one: crowdctl launch DIR\n"

    launched = await done(daemon, "launch", str(a_task(tmp_path, 6)), "label=words", "pay.reward=0.25")
    assert launched.startswith("Run words (number 1) is launched.\n  Address  http://127.0.0.1:")
    assert json.loads(await done(daemon, "show", "words", "--json"))["config"]["pay"]["reward"] == "0.25"

    links = json.loads(await done(daemon, "links", "words", "--workers", "ann,bob", "--json"))
    await bots([link["url"] for link in links])
    assert (await done(daemon, "watch", "words")).endswith("completed  6/6 done  0 at work  routers 1/1 up\n")
    assert await done(daemon, "wait", "words") == "words: completed, 6/6 done\n"
    assert (await done(daemon, "units", "words", "--status", "completed")).count("completed") == 6
    agents = json.loads(await done(daemon, "agents", "words", "--json"))
    assert {agent["worker_name"] for agent in agents} <= {"ann", "bob"}
    known = json.loads(await done(daemon, "workers", "--json"))
    work = [json.loads(await done(daemon, "worker", f"inhouse:{each['name']}", "--json")) for each in known]
    assert sum(len(each["agents"]) for each in work) == len(agents)

    await done(daemon, "export", "words", "-o", str(tmp_path / "words.jsonl"))
    records = [json.loads(line) for line in (tmp_path / "words.jsonl").read_text().splitlines()]
    assert sorted(record["data"]["inputs"]["_truth"] for record in records) == list(range(6))
    await done(daemon, "export", "words", "-o", str(tmp_path / "words.csv"))
    assert (tmp_path / "words.csv").read_text().count("\n") == 7
    disk = json.loads(await done(daemon, "disk", "--json"))
    assert disk["database"] > 0
    assert [run["label"] for run in disk["runs"] if run["task"] > 0] == ["words"]
    assert await daemon.terminate() == 0


async def test_history_names_the_person_who_launched_and_stopped(daemon: Daemon, tmp_path: Path) -> None:
    await daemon.start()
    await done(daemon, "launch", str(a_task(tmp_path, 3)), "label=words")
    you = json.loads(await done(daemon, "status", "--json"))["you"]
    assert await done(daemon, "expire", "words") == "3 units expired.\n"
    await crowdctl(daemon, "wait", "words")
    await daemon.terminate()
    async with daemon.store() as storage:
        run = await storage.run_by_label("words")
        launched = (await storage.history(kind="run", subject_id=run.id))[0]
        expired = [
            entry for entry in await storage.history(kind="unit", run_id=run.id) if entry.after == "expired"
        ]
    assert (launched.who, {entry.who for entry in expired}) == (you, {you})


async def test_a_run_that_was_stopped_is_waited_for_with_exit_5(daemon: Daemon, tmp_path: Path) -> None:
    await daemon.start()
    await done(daemon, "launch", str(a_task(tmp_path, 3)), "label=words")
    assert "Run words" in await done(daemon, "stop", "words", "--now")
    ended = await crowdctl(daemon, "wait", "words")
    assert (ended.returncode, ended.stdout) == (5, "words: stopped, 0/3 done\n")


async def test_a_typo_is_answered_with_every_problem_and_the_nearest_name(
    daemon: Daemon, tmp_path: Path
) -> None:
    await daemon.start()
    ended = await crowdctl(daemon, "launch", str(a_task(tmp_path, 3)), "pay.rewrad=1", "limits.grace_s=x")
    assert ended.returncode == 1
    assert "did you mean 'reward'?" in ended.stderr
    assert "limits.grace_s: " in ended.stderr
    assert "Traceback" not in ended.stderr
    assert await done(daemon, "runs", "--json") == "[]\n"


async def test_control_c_leaves_a_watched_run_alone(daemon: Daemon, tmp_path: Path) -> None:
    await daemon.start()
    await done(daemon, "launch", str(a_task(tmp_path, 3)), "label=words")
    command = [
        sys.executable,
        "-m",
        "crowdd.client",
        "--socket",
        str(daemon.data / "control"),
        "watch",
        "words",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        assert watching.stderr is not None
        first = await trio.to_thread.run_sync(watching.stdout.readline)
        watching.send_signal(signal.SIGINT)
        assert await trio.to_thread.run_sync(watching.wait) == 130
        assert "Traceback" not in watching.stderr.read()
    assert "running  0/3 done" in first
    assert json.loads(await done(daemon, "show", "words", "--json"))["state"] == "running"


async def test_an_export_into_a_pipe_that_closes_early_is_quiet(daemon: Daemon, tmp_path: Path) -> None:
    await daemon.start()
    await done(daemon, "launch", str(a_task(tmp_path, 3)), "label=words")
    links = json.loads(await done(daemon, "links", "words", "--count", "1", "--json"))
    await bots([link["url"] for link in links])
    socket = daemon.data / "control"
    script = f"{sys.executable} -m crowdd.client --socket {socket} export words | true"
    ended = await trio.run_process(["sh", "-c", script], capture_stderr=True)
    assert ended.stderr == b""


async def test_what_a_task_raises_is_told_with_its_traceback(daemon: Daemon, tmp_path: Path) -> None:
    task = a_task(tmp_path, 1)
    (task / "data.jsonl").unlink()
    (task / "task.py").write_text(
        "def rows():\n    yield {'text': 'one'}\n    raise OSError('out of coffee')\n"
    )
    await daemon.start()
    await done(daemon, "launch", str(task), "label=words")
    await daemon.until("words", lambda shown: shown.trouble)
    assert "raised OSError: out of coffee" in await done(daemon, "errors", "words")
    whole = await done(daemon, "errors", "words", "--traceback")
    assert "task.py" in whole
    assert "raise OSError('out of coffee')" in whole
