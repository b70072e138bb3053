"""`crowdd certify`: two thousand kills while work goes on, and every planted fault found."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import trio

from crowdd.testing.certify.disk_mutants import DISK_MUTANTS
from crowdd.testing.certify.kills import KEPT
from crowdd.testing.certify.mutants import MUTANTS

pytestmark = pytest.mark.system

PARTS = 4  # of the two thousand cycles: each ends well before a test is taken for stuck
CYCLES, REAL = 2000, 50
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


async def test_an_interrupted_certification_leaves_nothing_running() -> None:
    command = [sys.executable, "-P", "-m", "crowdd.cli", "certify", "--cycles", "5000"]
    process = await trio.lowlevel.open_process(command, stderr=subprocess.PIPE)
    try:
        with trio.fail_after(60):
            while not (left := _of(process.pid)):
                await trio.sleep(0.05)
        process.send_signal(signal.SIGINT)
        with trio.fail_after(30):
            assert await process.wait() == 130
            while any(Path(f"/proc/{pid}").exists() for pid in left):
                await trio.sleep(0.05)
    finally:
        process.kill()
        await process.wait()


def _of(pid: int) -> list[int]:
    """The processes that descend from this one."""
    parents = {int(name): _parent(name) for name in os.listdir("/proc") if name.isdigit()}
    found: list[int] = []
    more = {pid}
    while more := {child for child, parent in parents.items() if parent in more}:
        found += more
    return found


def _parent(pid: str) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0
