"""Mephisto under the same workloads, where MEPHISTO_PYTHON names an interpreter that has it installed.

Usage: MEPHISTO_PYTHON=... python -m benchmarks.mephisto [NAME...] [--small]. Names: see WORKLOADS.
Rows beside Mephisto measure it in turn with us when the variable is set; else they show what is recorded.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import trio

from .crowd_of_pages import CrowdOfPages, open_pages, register, resident
from .instrument.row import Measure, Recorded
from .instrument.sample import Figure, Meter, Sample, cpu_s
from .load import open_load, visits

VARIABLE = "MEPHISTO_PYTHON"
PROGRAM = Path(__file__).with_name("mephisto_process.py")
AT_ONCE = 16
SETTLE_S = 1.0
FOR_S = 10.0  # how long round trips are counted
PER_S = 1_000.0  # of a page: it has no limit
_NAMED = "set it to a Python in which `pip install mephisto` was done; it needs node and npm, too"


class MephistoFailed(Exception):
    """It does not serve; says what it wrote last, or what pages were told."""


@attrs.frozen
class Mephisto:
    """One run of it that is served."""

    port: int
    pids: Sequence[int]
    launched: Sample


def interpreter() -> str | None:
    """Where Mephisto can be run, None when nobody said so."""
    return os.environ.get(VARIABLE) or None


@asynccontextmanager
async def open_mephisto(kind: str, units: int) -> AsyncGenerator[Mephisto]:
    """Launch a `static` or a `live` run; ended, and forgotten, when the block is left. MephistoFailed."""
    python = interpreter()
    if python is None:
        raise MephistoFailed(f"{VARIABLE} names no interpreter: {_NAMED}")
    with tempfile.TemporaryDirectory(prefix="crowdd-mephisto-") as folder:
        log, port = Path(folder) / "log", _free_port()
        words = [python, "-I", str(PROGRAM), kind, str(units), folder, str(port)]
        with log.open("wb") as written:
            process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=written)
        try:
            assert process.stdout is not None
            said = await trio.to_thread.run_sync(process.stdout.readline)
            if not said:
                raise MephistoFailed(log.read_text(errors="replace")[-2000:])
            told = json.loads(said)
            yield Mephisto(port, told["pids"], Sample(1, told["took_s"], told["cpu_s"]))
        finally:
            process.communicate()  # the end of its stdin ends it, and its router


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


# --- the workloads: each opens what it needs, and gives what measures once


@asynccontextmanager
async def open_launches(units: int) -> AsyncGenerator[Measure]:
    """A launch until each unit could be given to a worker, every time of a new process."""

    async def measure() -> Sample:
        async with open_mephisto("static", units) as mephisto:
            return mephisto.launched

    yield measure


@asynccontextmanager
async def open_visits(units: int, count: int, *, submit: bool) -> AsyncGenerator[Measure]:
    """Workers who register, and submit; its answers are not durable when they are told."""
    async with open_mephisto("static", units) as mephisto:
        port = mephisto.port
        async with open_load(port, f"127.0.0.1:{port}", "/", AT_ONCE) as load:
            yield visits(load, mephisto.pids, count, submit=submit)


@asynccontextmanager
async def open_round_trips(agents: int, for_s: float, at_once: int = 1) -> AsyncGenerator[Measure]:
    """Each agent has so many messages under way, and says the next when one is back; nothing is stored."""
    async with open_mephisto("live", agents) as mephisto, open_pages(1) as crowd:
        await _enter(mephisto, crowd, agents)
        yield partial(_round_trips, mephisto, crowd, for_s, at_once)


@asynccontextmanager
async def open_memory(agents: int) -> AsyncGenerator[Measure]:
    """What further live agents at work add to the memory of its two processes."""
    async with open_mephisto("live", agents) as mephisto, open_pages(1) as crowd:
        before = sum(map(resident, mephisto.pids))
        with Meter(mephisto.pids) as meter:
            await _enter(mephisto, crowd, agents)
        held = (sum(map(resident, mephisto.pids)) - before) / agents

        async def measure() -> Sample:
            await trio.lowlevel.checkpoint()
            return Sample(agents, meter.wall_s, meter.cpu_s, more={Figure.BYTES: held})

        yield measure


async def _enter(mephisto: Mephisto, crowd: CrowdOfPages, agents: int) -> None:
    pages = await register(f"http://127.0.0.1:{mephisto.port}/", range(agents), at_once=1)
    await crowd.open(pages)
    await crowd.do("rest", for_s=SETTLE_S)


async def _round_trips(mephisto: Mephisto, crowd: CrowdOfPages, for_s: float, at_once: int) -> Sample:
    before = sum(map(cpu_s, mephisto.pids))
    how = {"at_once": at_once, "per_s": PER_S, "warm_s": SETTLE_S, "for_s": for_s, "settle_s": SETTLE_S}
    talked = await crowd.do("flood", **how)
    if talked.lost:
        raise MephistoFailed(talked.lost[:3])
    each = (sum(map(cpu_s, mephisto.pids)) - before) / talked.sum("said")
    heard = talked.of("latencies_s")
    wall_s, busy = (talked.processes[0][name] for name in ("measured_s", "busy"))
    return Sample(len(heard), wall_s, each * len(heard), busy * wall_s, heard)


# --- beside a row of ours, or alone


@asynccontextmanager
async def mephisto_or(
    recorded: Recorded, measured: Callable[[], AbstractAsyncContextManager[Measure]]
) -> AsyncGenerator[Measure | Recorded]:
    """The baseline of a row: measured where that can be, else what is recorded."""
    if interpreter() is None:
        yield recorded
        return
    async with measured() as measure:
        yield measure


WORKLOADS: Mapping[str, Callable[[bool], AbstractAsyncContextManager[Measure]]] = {
    "launch": lambda small: open_launches(50 if small else 5_000),
    "registration": lambda small: _some_visits(small, submit=False),
    "static-cycle": lambda small: _some_visits(small, submit=True),
    "round-trip-16": lambda small: open_round_trips(4 if small else 16, 1.0 if small else FOR_S),
    "round-trip-64": lambda small: open_round_trips(8 if small else 64, 1.0 if small else FOR_S),
    "round-trip-saturated": lambda small: open_round_trips(8 if small else 256, 1.0 if small else FOR_S, 4),
    "memory": lambda small: open_memory(8 if small else 256),
}
"""By whether it is only to see that they work."""


def main(words: Sequence[str] | None = None) -> int:
    """Measure each that is named, and print its figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="|".join(WORKLOADS))
    parser.add_argument("--small", action="store_true", help="only see that it works")
    asked = parser.parse_args(words)
    if unknown := set(asked.names) - set(WORKLOADS):
        parser.error(f"no such workload: {', '.join(sorted(unknown))}")
    if interpreter() is None:
        parser.error(f"{VARIABLE} names no interpreter: {_NAMED}")
    for name in asked.names or WORKLOADS:
        print(f"{name}: launching", file=sys.stderr, flush=True)
        trio.run(_tell, name, WORKLOADS[name](asked.small))
    return 0


def _some_visits(small: bool, *, submit: bool) -> AbstractAsyncContextManager[Measure]:
    units, count = (80, 20) if small else (5_000, 200)
    return open_visits(units, count, submit=submit)


async def _tell(name: str, opened: AbstractAsyncContextManager[Measure]) -> None:
    async with opened as measure:
        figures: Mapping[Any, float] = (await measure()).figures()
    print(f"{name}: " + ", ".join(f"{figure} {value:,.6g}" for figure, value in figures.items()), flush=True)


if __name__ == "__main__":
    sys.exit(main())
