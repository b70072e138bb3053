"""Many pages in several processes, and what they saw; what processes of ours cost meanwhile."""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import httpx
import trio
from tests.system.processes import Daemon

from crowdd.testing.http_doors import PageAddress

from .instrument.sample import cpu_s

ADDRESSES = 10  # of this machine, 127.0.0.2 and up: a router takes 2,000 sockets from one
REGISTERING_AT_ONCE = 16
REGISTER_S = 60.0
LOOK_S = 0.1  # between two looks at how soon an answer comes
BUSY_MAX = 0.7  # a process of pages that is busier than this may be what limits


@attrs.frozen
class Talked:
    """What all pages saw during one exercise."""

    processes: Sequence[dict[str, Any]]

    def of(self, name: str) -> list[float]:
        """All figures of this name, in order."""
        return sorted(figure for process in self.processes for figure in process[name])

    def sum(self, name: str) -> int:
        """A count, of all processes."""
        return int(sum(process[name] for process in self.processes))

    @property
    def lost(self) -> list[str]:
        """What went wrong for pages."""
        return [words for process in self.processes for words in process["lost"]]

    @property
    def per_s(self) -> float:
        """Messages that arrived, a second."""
        return float(sum(len(each["latencies_s"]) / each["measured_s"] for each in self.processes))

    def words_of_clients(self) -> str:
        """Whether the clients could be what limits."""
        busy = ", ".join(f"{process['busy']:.0%}" for process in self.processes)
        late = self.of("late_s")
        words = f"clients: {busy} of a core, their loops late by {ms(share(late, 0.99))} (p99)"
        if max(process["busy"] for process in self.processes) > BUSY_MAX:
            words += "; TOO BUSY, the figures may be theirs"
        return words


class CrowdOfPages:
    """Processes that hold pages. Made by `open_pages`."""

    def __init__(self, processes: Sequence[subprocess.Popen[bytes]]) -> None:
        self._processes = processes

    async def open(self, pages: Sequence[dict[str, Any]]) -> Talked:
        """Connect these pages, each process its share: partners may be in different ones."""
        count = len(self._processes)
        return await self._all([{"what": "open", "pages": pages[index::count]} for index in range(count)])

    async def do(self, what: str, **how: float | str) -> Talked:
        """Let all pages do an exercise of `page_process` at once."""
        return await self._all([{"what": what, **how} for _ in self._processes])

    async def _all(self, wishes: Sequence[dict[str, Any]]) -> Talked:
        told: list[dict[str, Any]] = []

        async def ask(process: subprocess.Popen[bytes], wish: dict[str, Any]) -> None:
            told.append(await trio.to_thread.run_sync(_ask, process, wish))

        async with trio.open_nursery() as nursery:
            for process, wish in zip(self._processes, wishes, strict=True):
                nursery.start_soon(ask, process, wish)
        return Talked(told)


@asynccontextmanager
async def open_pages(processes: int) -> AsyncGenerator[CrowdOfPages]:
    """Processes for pages; ended when the block is left."""
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.page_process"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(processes)
    ]
    try:
        yield CrowdOfPages(started)
    finally:
        for process in started:
            process.kill()
            process.communicate()


def _ask(process: subprocess.Popen[bytes], wish: dict[str, Any]) -> dict[str, Any]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(wish).encode() + b"\n")
    process.stdin.flush()
    told: dict[str, Any] = json.loads(process.stdout.readline())
    return told


# --- pages of crowdd


async def register(
    run_address: str, numbers: Iterable[int], at_once: int = REGISTERING_AT_ONCE
) -> list[dict[str, Any]]:
    """Let as many workers in; returns their pages, for `open`. From many addresses, as a crowd's would be."""
    pages: list[dict[str, Any]] = []
    async with trio.open_nursery() as nursery:
        numbered = iter(numbers)
        for turn in range(at_once):
            nursery.start_soon(_register_some, run_address, numbered, turn, pages)
    return sorted(pages, key=lambda page: int(page["number"]))


async def _register_some(
    run_address: str, numbers: Iterable[int], turn: int, pages: list[dict[str, Any]]
) -> None:
    address = f"127.0.0.{2 + turn % ADDRESSES}"
    transport = httpx.AsyncHTTPTransport(local_address=address)
    async with httpx.AsyncClient(transport=transport, trust_env=False, timeout=REGISTER_S) as client:
        for number in numbers:
            page = PageAddress(f"{run_address}?worker_id=worker-{number}&assignment_id=visit-{number}")
            told = await _register(client, page)
            from_address = f"127.0.0.{2 + number % ADDRESSES}"
            where = {"port": page.port, "host_header": page.host_header, "path": page.folder}
            where["from_address"] = from_address
            pages.append({"number": number, "agent": told["agent_id"], "where": where})


async def _register(client: httpx.AsyncClient, page: PageAddress) -> dict[str, Any]:
    headers = {"Host": page.host_header, "X-Crowdd-Client": "1"}
    body = {"provider_data": page.registration("")}
    while True:
        answer = await client.post(page.url("request_agent"), json=body, headers=headers)
        told: dict[str, Any] = answer.json()["data"]
        if told.get("agent_id"):
            return told
        assert answer.status_code in (429, 503), answer.text
        await trio.sleep(float(answer.headers.get("Retry-After", 1)))


# --- what it costs


@attrs.frozen
class Cost:
    """CPU seconds and resident memory of daemon and router at one moment."""

    daemon_cpu_s: float
    router_cpu_s: float
    daemon_bytes: int
    router_bytes: int


def cost_of(daemon: Daemon) -> Cost:
    """What its two processes have used so far, and hold now."""
    assert daemon.process is not None
    (router,) = daemon.router_pids()
    return Cost(cpu_s(daemon.process.pid), cpu_s(router), resident(daemon.process.pid), resident(router))


def resident(pid: int) -> int:
    """The memory that a process holds, in bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def watch_answers(ask: Callable[[], object], waits_s: list[float]) -> None:
    """Ask again and again, until cancelled, and note how long each answer took: a loop that stalls shows."""
    while True:
        began = trio.current_time()
        await trio.to_thread.run_sync(ask)
        waits_s.append(trio.current_time() - began)
        await trio.sleep(LOOK_S)


def share(ordered: Sequence[float], part: float) -> float:
    """The figure below which such a part of them lies."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def ms(seconds: float) -> str:
    """For people."""
    return f"{seconds * 1000:.1f} ms"


def kib(count: float) -> str:
    """For people."""
    return f"{count / 1024:.1f} KiB"


def middle(figures: Sequence[float]) -> float:
    """The median."""
    return statistics.median(figures)
