"""The longest stall of the daemon's loop with 10,000 live agents: they come, expire, and survive a restart.

Usage: python -m benchmarks.stalls [--agents 10000] [--seconds 30]. Exits with 1 when a turn of the loop took
more than 50 ms of its thread's CPU. By the clock it may be longer: it waits for other threads and processes.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio
from tests.system.processes import Daemon

from crowdd.client import Client

from .crowd_of_pages import CrowdOfPages, ms, open_pages, register
from .crowds import released
from .idle import CLIENT_PROCESSES, FILES_SPARE, allow_files, live_task
from .instrument.sample import cpu_s
from .watched_daemon import FILE, TOLD_S

BOUND_S = 0.05
STOPPED_S = 600.0  # a stop is answered when all are told, and the disk may be busy
PROGRAM = "benchmarks.watched_daemon"
SETTLE_S = 2.0
QUIET = ("--log-level", "warning")
REST_SHARE = 0.1  # of a core: a daemon that uses less has nothing left to take up
REST_LOOK_S = 3.0
LOOK_S = 0.2  # between two looks whether a run has ended


class Phases:
    """What the daemon's loop did in each phase."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.longest_s = 0.0
        """Of all phases, in CPU time of the loop's thread."""

    @asynccontextmanager
    async def phase(self, name: str) -> AsyncGenerator[None]:
        """What happens in the block is told at its end."""
        began = time.monotonic()
        yield
        await trio.sleep(SETTLE_S)
        turns = [turn for turn in self._turns() if turn["at"] >= began]
        self.longest_s = max([self.longest_s, *(turn["cpu_s"] for turn in turns)])
        print(f"{name} ({time.monotonic() - began:.0f} s): {_words_of(turns)}", flush=True)

    def _turns(self) -> list[dict[str, Any]]:
        lines = self._file.read_text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]  # the last may be being written


def _words_of(turns: Sequence[dict[str, Any]]) -> str:
    if not turns:
        return f"no turn above {ms(TOLD_S)}"
    most = max(turns, key=lambda turn: float(turn["cpu_s"]))
    told = (
        f"longest turn {ms(most['cpu_s'])} of CPU in {most['steps']} steps",
        f"the longest of them {ms(most['longest_s'])} in {most['whose']}",
        f"searching for garbage {ms(most['gc_s'])}",
        f"by the clock {ms(max(turn['wall_s'] for turn in turns))}",
        "most of it in " + ", ".join(f"{name} {ms(took_s)}" for name, took_s in most["most"]),
    )
    return ", ".join(told)


def main(words: Sequence[str] | None = None) -> int:
    """Measure and print; 1 when a turn was longer than it may be."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--agents", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=30.0, help="how long they rest")
    asked = parser.parse_args(words)
    allow_files(asked.agents + FILES_SPARE)
    return 0 if trio.run(_measure, asked.agents, asked.seconds) else 1


async def _measure(agents: int, seconds: float) -> bool:
    with tempfile.TemporaryDirectory(prefix="crowdd-benchmark-") as folder:
        turns = Path(folder) / "turns"
        turns.touch()
        os.environ[FILE] = str(turns)
        daemon, phases = Daemon(Path(folder) / "data", PROGRAM), Phases(turns)
        task = live_task(Path(folder), agents)
        try:
            await daemon.start(*QUIET)
            async with _agents(daemon, phases, task, agents) as (label, crowd):
                async with phases.phase("at rest"):
                    await crowd.do("rest", for_s=seconds)
                async with phases.phase("asked by staff"):
                    await _ask(daemon, label)
                async with phases.phase("going for a restart"):
                    await daemon.ask("restart")
                    await daemon.ended()
                async with phases.phase("back again"):
                    await daemon.start(*QUIET)
                    await _at_rest(daemon)
                async with phases.phase("all expire at once"):
                    await _expire(daemon, label)
            async with _agents(daemon, phases, task, agents), phases.phase("shutdown"):
                await daemon.terminate()
        finally:
            daemon.clean_up()
    print(f"longest turn of the loop: {ms(phases.longest_s)} of CPU, at most {ms(BOUND_S)}")
    return phases.longest_s <= BOUND_S


async def _expire(daemon: Daemon, label: str) -> None:
    patient = Client(daemon.data / "control", timeout_s=STOPPED_S)
    await trio.to_thread.run_sync(patient.stop, label, True)
    while not (await daemon.ask("show", label)).ended_at:
        await trio.sleep(LOOK_S)


async def _ask(daemon: Daemon, label: str) -> None:
    """What staff look at: of the run with all its agents, a page of them after the other."""
    for method in ("status", "runs"):
        await daemon.ask(method)
    await daemon.ask("show", label)
    patient = Client(daemon.data / "control", timeout_s=STOPPED_S)
    await trio.to_thread.run_sync(_look_through, patient, label)


def _look_through(client: Client, label: str) -> int:
    return sum(1 for _ in client.agents(label)) + sum(1 for _ in client.units(label))


async def _at_rest(daemon: Daemon) -> None:
    """Return once the daemon has taken up what it held, by what it uses."""
    assert daemon.process is not None
    share = 1.0
    while share > REST_SHARE:
        before_s = cpu_s(daemon.process.pid)
        await trio.sleep(REST_LOOK_S)
        share = (cpu_s(daemon.process.pid) - before_s) / REST_LOOK_S


@asynccontextmanager
async def _agents(
    daemon: Daemon, phases: Phases, task: Path, agents: int
) -> AsyncGenerator[tuple[str, CrowdOfPages]]:
    """A run of its own whose agents are all at work, connected."""
    async with phases.phase("launching"):
        label = await daemon.launch(task)
        address = await released(daemon, label, agents)
    async with open_pages(CLIENT_PROCESSES) as crowd:
        async with phases.phase("registering"):
            pages = await register(address, range(agents))
        async with phases.phase("connecting"):
            await crowd.open(pages)
        yield label, crowd


if __name__ == "__main__":
    sys.exit(main())
