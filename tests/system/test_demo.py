"""The one-shot forms, as a stranger starts them: without a terminal, in a process of their own."""

import json
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import trio

from ..process_table import started_with
from .processes import Daemon, a_task, texts

pytestmark = pytest.mark.system

CROWDD = [sys.executable, "-m", "crowdd.cli"]
ROOT = Path(__file__).parent.parent.parent
DEMO_S = 90  # the promise to strangers


def test_the_demo_ends_by_itself_with_every_unit_completed_and_its_accuracy(tmp_path: Path) -> None:
    demo = subprocess.run(
        [*CROWDD, "demo", "--data", str(tmp_path / "demo")],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEMO_S,
    )
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "120 of 120 units, completed" in demo.stdout
    assert "Accuracy against the known truth" in demo.stdout
    assert Daemon(tmp_path / "demo").router_pids() == []


def test_the_demo_of_a_remote_router_ends_by_itself_and_says_as_whom_both_ran() -> None:
    demo = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "demo_remote.py")],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEMO_S,
    )
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "120 of 120 units, completed" in demo.stdout
    assert "Accuracy against the known truth" in demo.stdout
    where = re.search(r"The daemon runs as user \d+ in (\S+)/daemon", demo.stdout)
    assert where is not None
    assert Daemon(Path(where[1])).router_pids() == []
    assert "cannot read" in demo.stdout or "both run as" in demo.stdout
    shutil.rmtree(where[1])


def test_simulated_workers_go_through_an_introduction_and_gold_units(tmp_path: Path) -> None:
    example, export = ROOT / "examples" / "digits-qualified", tmp_path / "answers.jsonl"
    crowd = ["--workers", "0", "--bots", "6"]
    run = subprocess.run(
        [*CROWDD, "run", str(example), "--data", str(tmp_path / "d"), *crowd, "--export", str(export)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEMO_S,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    rows = [json.loads(line)["data"]["inputs"] for line in export.read_text().splitlines()]
    known = {json.loads(line)["id"] for line in (example / "gold.jsonl").read_text().splitlines()}
    golds = [row["id"] for row in rows if row["id"] in known]
    assert golds
    assert len(rows) - len(golds) == 40
    log = (tmp_path / "d" / "crowdd.log").read_text()
    assert "is approved" in log
    assert "gold: right" in log


def test_a_one_shot_run_exports_one_answer_for_each_row(tmp_path: Path) -> None:
    task, export = a_task(tmp_path, 12), tmp_path / "answers.jsonl"
    subprocess.run(
        [*CROWDD, "run", str(task), "--data", str(tmp_path / "d"), "--bots", "3", "--export", str(export)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        timeout=DEMO_S,
    )
    records = [json.loads(line) for line in export.read_text().splitlines()]
    assert texts(records) == sorted(f"word {n}" for n in range(12))


async def test_a_one_shot_launches_nothing_in_a_daemon_that_is_not_its_own(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path / "d")
    await daemon.start()
    try:
        command = [*CROWDD, "run", str(a_task(tmp_path, 1)), "--data", str(daemon.data), "--workers", "0"]
        run = await trio.run_process(command, capture_stdout=True, capture_stderr=True, check=False)
        assert run.returncode == 1
        assert f"--socket {daemon.data}/control launch FOLDER" in run.stderr.decode()
        assert daemon.client.runs() == []
    finally:
        daemon.kill()


def test_answers_of_two_tasks_are_not_written_over_each_other(tmp_path: Path) -> None:
    export = tmp_path / "answers.jsonl"
    task = str(a_task(tmp_path, 2))
    run = subprocess.run(
        [*CROWDD, "run", task, task, "--export", str(export)], capture_output=True, text=True, timeout=30
    )
    assert run.returncode == 2
    assert "for one task" in run.stderr
    assert not export.exists()


@pytest.mark.parametrize("interruption", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_one_shot_leaves_no_process_and_keeps_what_was_done(
    tmp_path: Path, interruption: signal.Signals
) -> None:
    task, data = a_task(tmp_path, 5, "[limits]\ngrace_s = 0\n"), tmp_path / "d"
    command = [*CROWDD, "run", str(task), "--data", str(data)]
    run = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        assert run.stdout is not None
        assert any("0 of 5 units" in line for line in run.stdout)  # it follows the run by now
        run.send_signal(interruption)
        said, _ = run.communicate(timeout=DEMO_S)
    finally:
        run.kill()
    assert "is kept" in said
    assert Daemon(data).router_pids() == []
    assert (data / "crowdd.db").exists()


def test_a_one_shot_interrupted_while_its_daemon_starts_says_so_and_leaves_no_process(tmp_path: Path) -> None:
    data = tmp_path / "d"
    command = [*CROWDD, "run", str(a_task(tmp_path, 5)), "--data", str(data)]
    run = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        assert run.stdout is not None
        said = run.stdout.readline()  # where all is kept: the daemon is started next
        run.send_signal(signal.SIGINT)
        said += run.communicate(timeout=DEMO_S)[0]
    finally:
        run.kill()
    assert run.returncode == 130
    assert "Stopping. What was done is kept" in said
    assert started_with("serve", str(data)) == []


def test_a_one_shot_for_nobody_says_how_to_invite_somebody(tmp_path: Path) -> None:
    command = [*CROWDD, "run", str(a_task(tmp_path, 1)), "--workers", "0", "--data", str(tmp_path / "d")]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as run:
        try:
            assert run.stdout is not None
            told = next(line for line in run.stdout if line.startswith("Nobody is invited"))
            links = [sys.executable, "-m", "crowdd.client", *shlex.split(told.partition(":  ")[2])[1:]]
            made = subprocess.run(links, capture_output=True, text=True, timeout=30)
            run.send_signal(signal.SIGINT)
            run.communicate(timeout=DEMO_S)
        finally:
            run.kill()
    assert made.stdout.count("http://127.0.0.1:") == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["garbage"], "'garbage' is no link"),
        (["http://127.0.0.1:1/?link=x", "--player", "player.py"], "crowdd: player.py:1: ModuleNotFoundError"),
    ],
)
def test_what_simulated_workers_cannot_use_is_told_without_a_traceback(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    (tmp_path / "player.py").write_text("import nonsense_of_mine\n")
    command = [*CROWDD, "bots", *arguments]
    bots = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=30)
    assert bots.returncode in (1, 2)
    assert said in bots.stderr
    assert "Traceback" not in bots.stderr


@pytest.mark.parametrize("command", ["check", "run"])
def test_a_task_with_faults_is_not_run_and_every_fault_is_named(tmp_path: Path, command: str) -> None:
    task = a_task(tmp_path, 2, "[limits]\ngrace = 3\nallowed_concurent = 1\n")
    checked = subprocess.run([*CROWDD, command, str(task)], capture_output=True, text=True, timeout=30)
    assert checked.returncode == 1
    said = checked.stdout + checked.stderr
    assert "allowed_concurrent" in said
    assert "grace_s" in said
    assert "2 problems" in said


def test_a_whole_store_passes_its_check(tmp_path: Path) -> None:
    task, data = a_task(tmp_path, 4), tmp_path / "d"
    run = [*CROWDD, "run", str(task), "--data", str(data), "--bots", "2"]
    subprocess.run(run, stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=DEMO_S)
    checked = subprocess.run(
        [*CROWDD, "storage", "check", "--data", str(data)], capture_output=True, text=True, timeout=30
    )
    assert (checked.returncode, "everything holds" in checked.stdout) == (0, True)
