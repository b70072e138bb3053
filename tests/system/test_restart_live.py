"""256 live agents while the daemon restarts or dies. What it measures is told, not judged."""

import sys
from pathlib import Path

import pytest
import trio

pytestmark = pytest.mark.system

ROOT = Path(__file__).parent.parent.parent
MEASURE = [sys.executable, "-m", "benchmarks.restart", "--rounds", "1"]


async def test_256_live_agents_notice_no_restart_and_no_kill_but_a_pause() -> None:
    ended = await trio.run_process(MEASURE, cwd=ROOT, check=False, capture_stdout=True, capture_stderr=True)
    told = (ended.stdout + ended.stderr).decode()
    print(told)
    assert ended.returncode == 0, told
