"""10,000 idle live agents at one router and one daemon: connected, heartbeats answered, memory for each.

Usage: python -m benchmarks.idle [--agents 10000] [--seconds 60]. Exits with 1 when a page lost its connection
or a heartbeat stayed without an answer. Needs as many open files; says so when the system allows fewer.
"""

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

import trio
from tests.system.processes import PAGE, Daemon

from .crowd_of_pages import Cost, CrowdOfPages, Talked, cost_of, kib, ms, open_pages, register, watch_answers

CLIENT_PROCESSES = 2
HEARTBEAT_S = 6.0
SETTLE_S = 5.0  # for the last answers, on a machine that does other things as well
FILES_SPARE = 500  # what processes have open besides sockets
TASK_TOML = """
name = "idle"
[blueprint]
type = "live"
[provider]
type = "mock"
[limits]
assignment_duration_s = 36000
no_submission_patience_s = 0
"""
TASK_PY = """
async def run_unit(unit, agent):
    async for _ in agent.updates():
        pass
"""


def main() -> None:
    """Measure, print, and say by the exit status whether all stayed connected."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--agents", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    asked = parser.parse_args()
    allow_files(asked.agents + FILES_SPARE)
    sys.exit(0 if trio.run(_measure, asked.agents, asked.seconds) else 1)


def allow_files(count: int) -> None:
    """Have so many files open from now on, children as well; end with a word when the system says no."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        sys.exit(f"this needs {count} open files a process, and the system allows {hard}; see `ulimit -Hn`")
    if soft != resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count), hard))  # children inherit it


async def _measure(agents: int, seconds: float) -> bool:
    with tempfile.TemporaryDirectory(prefix="crowdd-benchmark-") as folder:
        daemon = Daemon(Path(folder) / "data")
        try:
            await daemon.start("--log-level", "warning")
            label = await daemon.launch(live_task(Path(folder), agents))
            await daemon.until(label, lambda shown: shown.units.get("launched") == agents)
            address = str((await daemon.ask("show", label)).address)
            before = cost_of(daemon)
            began = time.monotonic()
            pages = await register(address, range(agents))
            print(f"{agents} agents registered in {time.monotonic() - began:.0f} s", flush=True)
            registered = cost_of(daemon)
            _tell_memory("registered", before, registered, agents)
            async with open_pages(CLIENT_PROCESSES) as crowd:
                began = time.monotonic()
                opened = await crowd.open(pages)
                print(f"  connected in {time.monotonic() - began:.0f} s", flush=True)
                await crowd.do("rest", for_s=HEARTBEAT_S)
                rested = await _rest(daemon, crowd, agents, seconds)
                _tell_memory("connected", before, cost_of(daemon), agents)
                silent = await crowd.do("fall_silent", settle_s=SETTLE_S)
            lost = [*opened.lost, *rested.lost, *silent.lost]
            beats, answered = silent.sum("heartbeats"), silent.sum("answered")
            print(
                f"  {beats} heartbeats, {answered} answered; connections lost: {len(lost)} {lost[:3] or ''}"
            )
            return not lost and beats == answered
        finally:
            daemon.clean_up()


async def _rest(daemon: Daemon, crowd: CrowdOfPages, agents: int, seconds: float) -> Talked:
    waits_s: list[float] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch_answers, daemon.client.status, waits_s)
        begun = cost_of(daemon)
        talked = await crowd.do("rest", for_s=seconds)
        after = cost_of(daemon)
        nursery.cancel_scope.cancel()
    print(
        f"  CPU: daemon {(after.daemon_cpu_s - begun.daemon_cpu_s) / seconds:.0%},"
        f" router {(after.router_cpu_s - begun.router_cpu_s) / seconds:.0%} of a core"
    )
    print(f"  longest wait for an answer of the daemon: {ms(max(waits_s))}")
    print(f"  {talked.words_of_clients()}", flush=True)
    return talked


def _tell_memory(what: str, before: Cost, after: Cost, agents: int) -> None:
    print(
        f"  memory for each agent, {what}: daemon {kib((after.daemon_bytes - before.daemon_bytes) / agents)},"
        f" router {kib((after.router_bytes - before.router_bytes) / agents)}",
        flush=True,
    )


def live_task(folder: Path, units: int) -> Path:
    """A task whose units listen to their page and say nothing."""
    task = folder / "task"
    (task / "page").mkdir(parents=True)
    (task / "task.toml").write_text(TASK_TOML)
    (task / "task.py").write_text(TASK_PY)
    (task / "page" / "index.html").write_text(PAGE)
    (task / "data.jsonl").write_text("".join(f'{{"text": "unit {n}"}}\n' for n in range(units)))
    return task


if __name__ == "__main__":
    main()
