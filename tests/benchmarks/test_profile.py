"""Profiles: stacks are read, shares are reckoned, a page is written; once with py-spy itself. 8 s in sum."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from benchmarks.instrument.record import circumstances
from benchmarks.instrument.row import Row
from benchmarks.instrument.sample import Sample
from benchmarks.profile import main
from benchmarks.profiling.page import page_of
from benchmarks.profiling.profile import Profile, ThreadProfile, threads_of
from benchmarks.profiling.sampler import MISSING, REFUSED, why_it_ended
from benchmarks.profiling.shares import Share, by_function, by_module, most_itself, most_with_calls
from benchmarks.profiling.stacks import Call, Stack, read_stacks
from benchmarks.profiling.threads import cpu_of_threads, spent_since

ROOT = Path(__file__).parent.parent.parent
RAW = """\
thread (7): MainThread;run (trio/_core/_run.py:2866);Desk.ask (crowdd/router/desk.py:11) 3
thread (7): MainThread;run (trio/_core/_run.py:2870);Desk.ask (crowdd/router/desk.py:12) 1
thread (9): storage-reader-1;__init__ (<attrs generated methods crowdd.storage.records.Agent>:3) 2
thread (8): storage-reader-0;<module> (/home/somebody/data/tasks/pairs/task.py:1) 5
py-spy> 1.00s behind in sampling
"""


def stack(*calls: str, times: int = 1) -> Stack:
    return Stack(7, "loop", tuple(Call(name, f"crowdd/{name}.py") for name in calls), times)


def share_of(shares: list[Share], name: str) -> tuple[float, float]:
    (found,) = [share for share in shares if share.name == name]
    return found.itself, found.with_calls


def profile_of(*threads: ThreadProfile) -> Profile:
    row = Row("a-row", "what is done", "beside what", (), lambda setting: pytest.fail("is not opened"))
    return Profile(row, Sample(100, 2.0, 1.0), threads, 500, False, 0.25)


def test_stacks_are_read_with_their_threads_and_counts() -> None:
    stacks = list(read_stacks(RAW))
    assert [(each.thread_id, each.thread, each.times) for each in stacks[:3]] == [
        (7, "MainThread", 3),
        (7, "MainThread", 1),
        (9, "storage-reader", 2),
    ]
    assert stacks[0].calls == (Call("run", "trio/_core/_run.py"), Call("Desk.ask", "crowdd/router/desk.py"))


def test_time_of_ours_is_told_by_module_and_that_of_libraries_by_package() -> None:
    modules = [each.calls[-1].module for each in read_stacks(RAW)]
    assert modules[0] == "crowdd.router.desk"
    assert modules[2] == "crowdd.storage.records"
    assert Call("wait", "trio/_core/_run.py").module == "trio"
    assert Call("wait", "threading.py").module == "threading"


def test_no_folder_of_the_machine_is_kept() -> None:
    assert list(read_stacks(RAW))[3].calls[0].file == "tasks/pairs/task.py"


def test_a_function_that_calls_itself_counts_once() -> None:
    shares = by_function([stack("a", "b", "b", times=3), stack("a", times=1)])
    assert share_of(shares, "b (crowdd/b.py)") == (0.75, 0.75)
    assert share_of(shares, "a (crowdd/a.py)") == (0.25, 1.0)


def test_lines_of_one_function_are_one_share() -> None:
    shares = by_module(each for each in read_stacks(RAW) if each.thread_id == 7)
    assert share_of(shares, "crowdd.router.desk") == (1.0, 1.0)


def test_what_every_stack_is_under_is_no_part_of_the_work() -> None:
    shares = by_function([stack("a", "b", times=2), stack("a", "c", times=1)])
    assert [share.name for share in most_with_calls(shares, 5)] == ["b (crowdd/b.py)", "c (crowdd/c.py)"]
    assert [share.name for share in most_itself(shares, 1)] == ["b (crowdd/b.py)"]


def test_threads_of_one_kind_are_told_together_and_unmet_ones_as_others() -> None:
    found = threads_of("daemon", {7: 0.5, 8: 0.1, 9: 0.1, 10: 0.3}, list(read_stacks(RAW)), 1000)
    assert {each.thread: round(each.cpu_us) for each in found} == {
        "MainThread": 500,
        "storage-reader": 200,
        "others": 300,
    }
    assert sum(each.times for each in found[1].stacks) == 7


def test_the_clock_of_a_thread_runs_while_it_works() -> None:
    before = cpu_of_threads(os.getpid())
    until = time.thread_time() + 0.05  # the system counts a thread that runs on only at its ticks
    while time.thread_time() < until:
        sum(range(10_000))
    spent = spent_since(before, cpu_of_threads(os.getpid()))
    assert spent[threading.get_native_id()] > 0


def test_a_page_names_commit_and_machine_and_turns_shares_into_time() -> None:
    loop = ThreadProfile("daemon", "loop", 80.0, [stack("a", "b", times=3), stack("a", times=1)])
    idle = ThreadProfile("daemon", "idle", 0.0, [])
    page = page_of(profile_of(loop, idle), circumstances())
    assert f"at {circumstances()['commit'][:7]}" in page
    assert "| daemon | loop | 80.0 | 100% |" in page
    assert "| `b (crowdd/b.py)` | 75.0% | 75.0% | 60.0 | 60.0 |" in page
    assert "## daemon: idle" not in page
    assert os.uname().nodename not in page
    assert str(Path.home()) not in page


@pytest.mark.parametrize(
    "said",
    [
        "Permission Denied: Try running again with elevated permissions by going 'sudo env ...'",
        "Error: Failed to suspend process\nReason: EPERM: Operation not permitted",
    ],
)
def test_who_may_not_trace_is_told_the_remedy(said: str) -> None:
    assert why_it_ended(said) == REFUSED


def test_what_py_spy_says_else_is_told_in_its_own_words() -> None:
    assert why_it_ended("Error: No such process\n") == "py-spy ended: Error: No such process"


def _command(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.profile", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.system
def test_a_small_profile_of_a_row_tells_daemon_and_router(tmp_path: Path) -> None:
    ran = _command("posts", "--small", "--folder", str(tmp_path))
    if REFUSED in ran.stderr:
        pytest.skip("this machine lets nobody look into processes")
    assert ran.returncode == 0, ran.stderr
    page = (tmp_path / "posts.md").read_text()
    assert "## daemon: MainThread" in page
    assert "## router: MainThread" in page
    assert "`crowdd.daemon." in page


@pytest.mark.system
def test_a_row_without_servers_is_refused_in_words(tmp_path: Path) -> None:
    ran = _command("codec", "--small", "--folder", str(tmp_path))
    assert ran.returncode == 2
    assert "codec has no server of ours" in ran.stderr
    assert list(tmp_path.iterdir()) == []


def test_who_has_no_py_spy_is_told_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["posts"]) == 2
    assert MISSING in capsys.readouterr().err
