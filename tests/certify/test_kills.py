"""`crowdd certify`: two thousand kills while work goes on, and every planted fault found."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from crowdd.certify_command import certify_as
from crowdd.testing.certify.disk_mutants import DISK_MUTANTS
from crowdd.testing.certify.findings import CampaignResult, Plan, Progress
from crowdd.testing.certify.kills import KEPT, STOOD_STILL
from crowdd.testing.certify.mutants import MUTANTS

from ..process_table import LOOK_S, files_of, first_of, words_of

pytestmark = pytest.mark.system

PARTS = 4  # of the two thousand cycles: each ends well before a test is taken for stuck
CYCLES, REAL = 2000, 50
PATIENCE_S = 120.0
SEEN_BY_POWER_CUTS = frozenset(DISK_MUTANTS)


async def certify(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-P", "-m", "crowdd.cli", "certify", *arguments]
    return await trio.run_process(command, check=False, capture_stdout=True, capture_stderr=True)


@pytest.mark.parametrize("part", range(PARTS))
async def test_p1_p2_p4_p6_two_thousand_kills_lose_and_double_nothing(part: int, tmp_path: Path) -> None:
    real = REAL * (part + 1) // PARTS - REAL * part // PARTS
    asked = ["--cycles", str(CYCLES // PARTS), "--real", str(real), "--seed", str(1000 * part + 1)]
    ended = await certify(*asked, "--report", str(tmp_path))
    certificate: dict[str, Any] = json.loads((tmp_path / "certificate.json").read_bytes())
    print((tmp_path / "certificate.md").read_text())
    (kills,) = certificate["campaigns"]
    assert [finding["words"] for finding in kills["violations"]] == []
    assert ended.returncode == 0, ended.stderr
    assert kills["cycles"] == CYCLES // PARTS
    done = kills["operations"]
    assert min(done[kind] for kind in ("register", "submit", "metadata", "onboard", "review", "launch")) > 0
    assert done[KEPT] > 0
    assert not any(STOOD_STILL.format(0) == note for note in kills["notes"])
    assert min(done[kind] for kind in ("live spoke", "live assured", "live saw")) > 0


@pytest.mark.parametrize("fault", [name for name in MUTANTS if name not in SEEN_BY_POWER_CUTS])
async def test_a_planted_fault_is_found_within_a_hundred_kills(fault: str) -> None:
    ended = await certify("--cycles", "100", "--real", "0", "--seed", "500", "--plant", fault)
    print(ended.stdout.decode())
    assert ended.returncode == 0, ended.stdout


async def test_a_fault_that_nobody_knows_is_refused_with_those_there_are() -> None:
    ended = await certify("--plant", "nothing at all")
    assert ended.returncode == 2
    assert b"ack before commit" in ended.stderr


@pytest.fixture(params=[signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def number(request: pytest.FixtureRequest) -> Iterator[signal.Signals]:
    """A signal that is not ignored, as Ctrl-C is by what a shell starts in the background."""
    before = signal.signal(request.param, signal.default_int_handler)
    yield request.param
    signal.signal(request.param, before)


async def test_a_certification_that_is_ended_leaves_nothing_running(number: signal.Signals) -> None:
    with TemporaryDirectory() as folder:  # a short path, for sockets are in it
        command = [sys.executable, "-P", "-m", "crowdd.cli", "certify", "--cycles", "5000", "--real", "5000"]
        environment = {**os.environ, "TMPDIR": folder}
        process = await trio.lowlevel.open_process(command, env=environment, stderr=subprocess.DEVNULL)
        try:
            with trio.fail_after(PATIENCE_S):
                await first_of(lambda: executed_in(folder))
                process.send_signal(number)
                assert await process.wait() == 130
                while at_work_in(folder):
                    await trio.sleep(LOOK_S)
        finally:
            process.kill()
            await process.wait()
            for left in at_work_in(folder):
                os.kill(left, signal.SIGKILL)


def executed_in(folder: str) -> list[int]:
    """Those that were started by exec: no zygote ends them when it is left alone."""
    return [pid for pid in at_work_in(folder) if {b"crowdd.cli", b"serve"} <= {*words_of(pid)}]


def at_work_in(folder: str) -> list[int]:
    """The processes with files of this folder open."""
    pids = map(int, filter(str.isdigit, os.listdir("/proc")))
    return [pid for pid in pids if any(name.startswith(f"{folder}/") for name in files_of(pid))]


async def test_signals_that_come_while_it_ends_change_nothing(number: signal.Signals, tmp_path: Path) -> None:
    ended: list[bool] = []

    async def campaign(plan: Plan, tell: Progress) -> CampaignResult:
        try:
            signal.raise_signal(number)
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                for again in (number, signal.SIGTERM, number):
                    signal.raise_signal(again)
                    await wait_all_tasks_blocked()
            ended.append(True)
        raise AssertionError

    assert await certify_as(Plan(tmp_path), [campaign]) is None
    assert ended == [True]
