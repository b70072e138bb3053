"""256 live agents in pairs: page to page, memory, stalls; then as much as goes, beside a bare relay.

Usage: python -m benchmarks.live [--agents 256] [--seconds 120] [--rounds 3]. Exits with 1 when an update was
lost, repeated or out of order.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import httpx
import trio
from tests.system.processes import PAGE, Daemon

from .crowd_of_pages import (
    CrowdOfPages,
    Talked,
    cost_of,
    kib,
    middle,
    ms,
    open_pages,
    register,
    share,
    watch_answers,
)
from .instrument.sample import cpu_s

CLIENT_PROCESSES = 2
EVERY_S = 1.0
SETTLE_S = 3.0
WARM_S = 5.0
FLOOD_S = 15.0
AT_ONCE = 4  # messages that each page has under way when as much as goes is sent
TASK_TOML = """
name = "pairs"
[blueprint]
type = "group"
size_min = 2
size_max = 2
[provider]
type = "mock"
[limits]
assignment_duration_s = 36000
no_submission_patience_s = 0
"""
TASK_PY = """
async def run_assignment(assignment, group):
    async for agent, update in group.updates():
        await group.send(update, but=agent)
"""


@attrs.frozen
class Flooded:
    """One round of as much as goes."""

    per_s: float
    cpu_us: float
    """Of both server processes, for each message."""
    talked: Talked


def main() -> None:
    """Measure, print, and say by the exit status whether everything arrived once and in order."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--agents", type=int, default=256)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--rounds", type=int, default=3, help="of as much as goes, each beside a bare relay")
    asked = parser.parse_args()
    sys.exit(0 if trio.run(_measure, asked.agents, asked.seconds, asked.rounds) else 1)


async def _measure(agents: int, seconds: float, rounds: int) -> bool:
    with tempfile.TemporaryDirectory(prefix="crowdd-benchmark-") as folder:
        daemon = Daemon(Path(folder) / "data")
        try:
            await daemon.start("--log-level", "warning")
            label = await daemon.launch(a_task(Path(folder), agents // 2))
            address = str((await daemon.ask("show", label)).address)
            async with open_pages(CLIENT_PROCESSES) as crowd, open_pages(CLIENT_PROCESSES) as bare:
                before = cost_of(daemon)
                opened = await crowd.open(await register(address, range(agents)))
                talked = await _talk(daemon, crowd, address, agents, seconds, before)
                if rounds:
                    talked += await _floods(daemon, crowd, bare, agents, rounds)
            lost = [words for each in [opened, *talked] for words in each.lost]
            print(f"lost, repeated or out of order: {len(lost)} {lost[:3] or ''}")
            return not lost
        finally:
            daemon.clean_up()


async def _talk(
    daemon: Daemon, crowd: CrowdOfPages, address: str, agents: int, seconds: float, before: Any
) -> list[Talked]:
    print(f"{agents} agents in pairs, each says something every {EVERY_S:g} s for {seconds:g} s", flush=True)
    router_s: list[float] = []
    daemon_s: list[float] = []
    alive = f"{address.rstrip('/')}/is_alive"
    with httpx.Client(trust_env=False) as client:
        host = httpx.URL(address).netloc.decode()
        url = httpx.URL(alive).copy_with(host="127.0.0.1")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(watch_answers, daemon.client.status, daemon_s)
            nursery.start_soon(watch_answers, lambda: client.get(url, headers={"Host": host}), router_s)
            warm = await crowd.do("talk", every_s=EVERY_S, for_s=WARM_S, settle_s=SETTLE_S)
            begun = cost_of(daemon)
            talked = await crowd.do("talk", every_s=EVERY_S, for_s=seconds, settle_s=SETTLE_S)
            after = cost_of(daemon)
            nursery.cancel_scope.cancel()
    heard, kept = talked.of("latencies_s"), talked.of("kept_s")
    print(
        f"  {talked.sum('said')} said, {len(heard)} arrived at the partner's page, {len(kept)} called stored"
    )
    print(
        f"  page to page: p50 {ms(share(heard, 0.5))}, p99 {ms(share(heard, 0.99))}, longest {ms(heard[-1])}"
    )
    print(f"  said to stored: p50 {ms(share(kept, 0.5))}, p99 {ms(share(kept, 0.99))}")
    print(
        f"  CPU: daemon {(after.daemon_cpu_s - begun.daemon_cpu_s) / (seconds + SETTLE_S):.0%},"
        f" router {(after.router_cpu_s - begun.router_cpu_s) / (seconds + SETTLE_S):.0%} of a core"
    )
    print(
        f"  memory for each agent: daemon {kib((after.daemon_bytes - before.daemon_bytes) / agents)},"
        f" router {kib((after.router_bytes - before.router_bytes) / agents)}"
    )
    print(f"  longest wait for an answer: daemon {ms(max(daemon_s))}, router {ms(max(router_s))}")
    print(f"  {talked.words_of_clients()}", flush=True)
    return [warm, talked, *([] if talked.sum("said") == len(heard) else [_missing(talked)])]


def _missing(talked: Talked) -> Talked:
    return Talked([{"lost": [f"{talked.sum('said') - len(talked.of('latencies_s'))} did not arrive"]}])


async def _floods(
    daemon: Daemon, crowd: CrowdOfPages, bare: CrowdOfPages, agents: int, rounds: int
) -> list[Talked]:
    print(f"as much as goes, {AT_ONCE} messages of each page under way, {FLOOD_S:g} s a round", flush=True)
    assert daemon.process is not None
    ours, theirs = list[Flooded](), list[Flooded]()
    pids = [daemon.process.pid, *daemon.router_pids()]
    async with open_relay() as (port, relay_pids):
        where = {"port": port, "host_header": f"127.0.0.1:{port}"}
        pages = [{"number": n, "agent": "", "where": {**where, "path": f"/{n}"}} for n in range(agents)]
        await bare.open(pages)
        for _ in range(rounds):
            ours.append(await _flood(crowd, pids))
            theirs.append(await _flood(bare, relay_pids))
    for name, floods in (("crowdd", ours), ("bare relay", theirs)):
        each = ", ".join(f"{flood.per_s:.0f}" for flood in floods)
        cpu = middle([flood.cpu_us for flood in floods])
        print(f"  {name}: {each} messages a second; CPU {cpu:.0f} us for each, both processes together")
        print(f"    {floods[-1].talked.words_of_clients()}")
    ratio = middle([flood.per_s for flood in ours]) / middle([flood.per_s for flood in theirs])
    print(f"  crowdd carries {ratio:.2f} of what the bare relay carries")
    return [flood.talked for flood in ours]


async def _flood(crowd: CrowdOfPages, pids: list[int]) -> Flooded:
    before = sum(map(cpu_s, pids))
    talked = await crowd.do("flood", at_once=AT_ONCE, warm_s=WARM_S, for_s=FLOOD_S, settle_s=SETTLE_S)
    cpu = sum(map(cpu_s, pids)) - before
    # What was carried before and after the measured time costs, too: it is counted by what was said in all.
    return Flooded(talked.per_s, cpu / max(1, talked.sum("said")) * 1e6, talked)


@asynccontextmanager
async def open_relay() -> AsyncGenerator[tuple[int, list[int]]]:
    """The bare relay's two processes: its port, and their process ids."""
    command = [sys.executable, "-m", "benchmarks.bare_relay"]
    router = subprocess.Popen([*command, "router"], stdout=subprocess.PIPE)
    assert router.stdout is not None
    port = int(await trio.to_thread.run_sync(router.stdout.readline))
    daemon = subprocess.Popen([*command, "daemon", str(port)])
    await trio.to_thread.run_sync(router.stdout.readline)  # it is linked
    try:
        yield port, [router.pid, daemon.pid]
    finally:
        for process in (daemon, router):
            process.kill()
            process.wait()


def a_task(folder: Path, pairs: int) -> Path:
    """A task in which pairs talk."""
    task = folder / "task"
    (task / "page").mkdir(parents=True)
    (task / "task.toml").write_text(TASK_TOML)
    (task / "task.py").write_text(TASK_PY)
    (task / "page" / "index.html").write_text(PAGE)
    (task / "data.jsonl").write_text("".join(f'{{"text": "pair {n}"}}\n' for n in range(pairs)))
    return task


if __name__ == "__main__":
    main()
