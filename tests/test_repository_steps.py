"""The runner of steps behind `make test` and .ci/run: fails when a step fails, and leaves nothing running."""

import os
import select
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def run_steps(*arguments: str) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [sys.executable, ROOT / "scripts" / "steps.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def has_ended(pid: int) -> bool:
    """Wait a moment for a process that is none of our children."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], 5)[0])
    finally:
        os.close(handle)


def test_steps_that_all_succeed_succeed_together() -> None:
    assert run_steps("one: true", "two: true").returncode == 0


def test_one_failed_step_fails_the_whole_though_later_ones_succeed() -> None:
    ran = run_steps("--keep-going", "one: false", "two: echo two was run")
    assert ran.returncode == 1
    assert "two was run" in ran.stdout


def test_what_follows_a_failed_step_is_not_run_and_said_so() -> None:
    ran = run_steps("one: exit 3", "two: echo two was run")
    assert ran.returncode == 1
    assert "\ntwo was run" not in ran.stdout
    assert ran.stdout.splitlines()[-2].endswith("not run")


def test_a_command_that_fails_half_way_fails_its_step() -> None:
    assert run_steps("one: false; true").returncode == 1


def test_a_step_out_of_time_is_ended_with_all_it_started(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    ran = run_steps(f"slow [0.02]: sleep 100 & echo $! > {pid_file}; wait")
    assert ran.returncode == 1
    assert "FAILED (over 1 s)" in ran.stdout
    assert has_ended(int(pid_file.read_text()))


def test_the_table_names_every_step_with_its_time() -> None:
    lines = run_steps("first: true", "second: true").stdout.splitlines()[-3:]
    assert [line.split()[0] for line in lines] == ["first", "second", "together"]
    assert all(line.split()[2] == "s" for line in lines)
