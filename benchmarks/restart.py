"""256 live agents in pairs while the daemon is restarted, or killed: nothing lost, and how soon it answers.

Usage: python -m benchmarks.restart [--agents 256] [--rounds 5]. Exits with 1 when an update was lost or out
of order or came twice, or a page was told anything but that it is at work.
"""

import argparse
import math
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import trio
from tests.system.processes import Daemon

from .crowd_of_pages import CrowdOfPages, Talked, ms, open_pages, register, share
from .live import a_task

CLIENT_PROCESSES = 2
EVERY_S = 1.0
BEGIN_S = 120.0  # a slow machine lets 256 workers in within this time
BEFORE_S = 1.5  # they talk for so long before
AFTER_S = 2.0  # and for so long after all were answered
SETTLE_S = 3.0  # when nothing came for so long, nothing is on its way
RESTART_S = 0.1  # RestartSec of systemd/crowdd.service: we play its part
PING_AGE_MAX_S = 20.0  # a page that hears of nothing newer says that it is disconnected
FLOORS = 3
IMPORTS = "import gc; gc.disable(); import trio, crowdd.cli; from crowdd.daemon.service import serve_daemon"


@attrs.frozen
class Setting:
    """A daemon, and pages that talk in its run."""

    daemon: Daemon
    crowd: CrowdOfPages


async def suspend(daemon: Daemon) -> None:
    """As `crowdctl restart` does; returns when the process has ended."""
    assert daemon.process is not None
    await daemon.ask("restart")
    assert await trio.to_thread.run_sync(daemon.process.wait) == 75, daemon.log


async def kill(daemon: Daemon) -> None:
    """kill -9."""
    daemon.kill()
    await trio.lowlevel.checkpoint()


WAYS: Mapping[str, Callable[[Daemon], Awaitable[None]]] = {"restart": suspend, "kill -9": kill}


@asynccontextmanager
async def open_setting(agents: int) -> AsyncGenerator[Setting]:
    """So many agents at work in pairs, their pages connected; ended and removed when left."""
    with tempfile.TemporaryDirectory(prefix="crowdd-benchmark-") as folder:
        daemon = Daemon(Path(folder) / "data")
        try:
            await daemon.start("--log-level", "warning")
            label = await daemon.launch(a_task(Path(folder), agents // 2))
            address = str((await daemon.ask("show", label)).address)
            async with open_pages(CLIENT_PROCESSES) as crowd:
                await crowd.open(await register(address, range(agents)))
                await all_at_work(daemon, label, agents)
                yield Setting(daemon, crowd)
        finally:
            daemon.clean_up()


async def all_at_work(daemon: Daemon, label: str, agents: int) -> None:
    """Return when every pair has begun: who still waits for a partner says nothing that is measured."""
    with trio.fail_after(BEGIN_S):
        while (await daemon.ask("show", label)).agents.get("in task", 0) < agents:
            await trio.sleep(0.1)


@attrs.frozen
class Outage:
    """What all pages saw while the daemon went and came."""

    talked: Talked
    going_s: float
    """How long its process lived after it was told to go."""

    @property
    def first_s(self) -> list[float]:
        """How long after the daemon was told to go pages were answered by the next one."""
        return [self.going_s + wait for wait in self.talked.of("first_s")] or [math.inf]


async def go_through(setting: Setting, way: Callable[[Daemon], Awaitable[None]]) -> Outage:
    """Let the daemon go while pages talk; all ask something at once; the next is started as systemd does."""
    talked: list[Talked] = []
    gone = setting.daemon.data.parent / f"gone-{time.monotonic()}"

    async def talk() -> None:
        how = {"every_s": EVERY_S, "for_s": AFTER_S, "settle_s": SETTLE_S}
        talked.append(await setting.crowd.do("ask", gone=str(gone), **how))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(talk)
        await trio.sleep(BEFORE_S)
        told_at = time.monotonic()
        await way(setting.daemon)
        gone_at = time.monotonic()
        gone.with_suffix(".new").write_text(f"{gone_at}")
        gone.with_suffix(".new").rename(gone)
        await trio.sleep(RESTART_S)
        await setting.daemon.start("--log-level", "warning")
    return Outage(talked[0], gone_at - told_at)


def troubles(talked: Talked) -> list[str]:
    """Whatever a worker could have noticed, but for the pause."""
    found = list(talked.lost)
    said, came = talked.sum("said"), len(talked.of("latencies_s"))
    if said != came:
        found.append(f"{said} said, {came} arrived")
    oldest = max(talked.of("ping_age_s"), default=0.0)
    if oldest > PING_AGE_MAX_S / 2:
        found.append(f"a page heard that the daemon lived {oldest:.1f} s ago")
    return found


def floor_s() -> float:
    """What no restart can be faster than: RestartSec, and a process that imports what the daemon does."""
    times: list[float] = []
    for _ in range(FLOORS):
        began = time.monotonic()
        subprocess.run([sys.executable, "-c", IMPORTS], check=True)
        times.append(time.monotonic() - began)
    return RESTART_S + statistics.median(times)


def tell(name: str, outage: Outage, floor: float) -> None:
    """Print how soon pages were answered."""
    talked, first = outage.talked, outage.first_s
    heard = talked.of("first_heard_s") or [math.inf]
    p50, p99 = share(first, 0.5), share(first, 0.99)
    print(f"{name}: gone after {ms(outage.going_s)}, {len(troubles(talked))} troubles")
    print(
        f"  first answer p50 {ms(p50)}, p99 {ms(p99)}: {p50 / floor:.2f} and {p99 / floor:.2f} of the floor;"
        f" partner's words p50 {ms(share(heard, 0.5))}, p99 {ms(share(heard, 0.99))}"
    )
    said, came, again = talked.sum("said"), len(talked.of("latencies_s")), talked.sum("repeats")
    print(f"  {said} said, {came} arrived ({again} again over the wire, and dropped by the page)", flush=True)


def main() -> None:
    """Measure, print, and say by the exit status whether anybody noticed more than a pause."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--agents", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    sys.exit(0 if trio.run(_measure, asked.agents, asked.rounds) else 1)


async def _measure(agents: int, rounds: int) -> bool:
    found: list[str] = []
    async with open_setting(agents) as setting:
        for _ in range(rounds):
            floor = await trio.to_thread.run_sync(floor_s)
            print(f"floor: {ms(floor)} (imports, and {ms(RESTART_S)} of RestartSec)")
            for name, way in WAYS.items():
                outage = await go_through(setting, way)
                tell(name, outage, floor)
                print(f"  {outage.talked.words_of_clients()}")
                found += troubles(outage.talked)
    print(f"lost, repeated, out of order, or told to be away: {len(found)} {found[:3] or ''}")
    return not found


if __name__ == "__main__":
    main()
