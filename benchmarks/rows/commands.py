"""Row: `crowdctl runs` as a user waits for it, beside a bare click client on the same socket."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from crowdd.storage.opening import open_storage

from ..instrument.row import Measure, Row, Setting, Sides, at_most
from ..instrument.sample import Figure, Sample
from ..stores import make_known
from .static_runs import open_daemon

RUNS = 20  # that are listed
CALLS, CALLS_SMALL = 5, 1
BARE = Path(__file__).with_name("bare_client.py")


@asynccontextmanager
async def open_sides(setting: Setting) -> AsyncGenerator[Sides]:
    """A daemon that has ended runs to tell of."""
    await _furnish(setting.folder / "data")
    calls = setting.size(CALLS, CALLS_SMALL)
    async with open_daemon(setting.folder) as daemon:
        socket = str(daemon.data / "control")
        crowdctl = Path(sys.executable).with_name("crowdctl")
        yield Sides(
            _side([str(crowdctl), "--socket", socket, "runs"], calls),
            _side([sys.executable, str(BARE), "--socket", socket], calls),
        )


async def _furnish(data: Path) -> None:
    data.mkdir()
    async with open_storage(data / "crowdd.db") as storage:
        for number in range(RUNS):
            await make_known(storage, f"task-{number}", [f"worker-{number}"])


def _side(command: Sequence[str], calls: int) -> Measure:
    async def measure() -> Sample:
        before, began = _children_cpu_s(), time.perf_counter()
        for _ in range(calls):
            said = await trio.to_thread.run_sync(_call, command)
            assert b"task-0" in said, said
        return Sample(calls, time.perf_counter() - began, _children_cpu_s() - before)

    return measure


def _call(command: Sequence[str]) -> bytes:
    kept = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}  # who installs a command has its modules compiled
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, env=kept).stdout


def _children_cpu_s() -> float:
    """Of the processes that were waited for; the daemon is none of them."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


ROW = Row(
    "crowdctl-runs",
    "crowdctl runs",
    "a bare click client on the same socket",
    (at_most(Figure.TIME_US, 2), at_most(Figure.CPU_US, 2)),
    open_sides,
)
