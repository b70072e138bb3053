"""The driver of a process of workers, and one measurement with it."""

import json
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import trio

from .instrument.row import Measure
from .instrument.sample import Meter, Sample

WITHIN_S = 300.0  # a server that never answers one of its workers must not hold the others up for ever


class Load:
    """A process of workers at one address. Made by `open_load`."""

    def __init__(self, process: "subprocess.Popen[bytes]", **where: Any) -> None:
        self._process = process
        self._where = where
        self._first = 0

    async def wish(self, **wish: Any) -> dict[str, Any]:
        """Let it do something of `load_process`; what it saw. RuntimeError: a worker is refused or waits."""
        told: dict[str, Any] | None = None
        with trio.move_on_after(WITHIN_S):
            asked = json.dumps(wish).encode()
            told = await trio.to_thread.run_sync(self._ask, asked, abandon_on_cancel=True)
        if told is None:
            raise RuntimeError(f"the load went wrong: not all was answered within {WITHIN_S:g} s")
        if told["wrong"]:
            raise RuntimeError(f"the load went wrong: {told['wrong']}")
        return told

    async def open(self) -> int:
        """Have all connections open, also those that the server ended since; how many that are."""
        return int((await self.wish(what="open", **self._where))["opened"])

    async def visit(self, count: int, submit: bool) -> dict[str, Any]:
        """Let so many new workers come, as many at the same time as there are connections."""
        told = await self.wish(what="visits", first=self._first, count=count, submit=submit)
        self._first += count
        assert told["visits"] == count, told
        return told

    def _ask(self, wish: bytes) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(wish + b"\n")
        self._process.stdin.flush()
        told: dict[str, Any] = json.loads(self._process.stdout.readline())
        return told


@asynccontextmanager
async def open_load(port: int, host_header: str, folder: str, connections: int) -> AsyncGenerator[Load]:
    """A process with so many connections; ended when the block is left."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.load_process"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        yield Load(process, port=port, host_header=host_header, folder=folder, connections=connections)
    finally:
        process.kill()
        process.communicate()


def visits(load: Load, pids: Iterable[int], count: int, *, submit: bool, by_post: bool = False) -> Measure:
    """Each time so many further visits; an operation is a visit, or `by_post` one request of it."""
    servers = tuple(pids)

    async def measure() -> Sample:
        await load.open()
        with Meter(servers) as meter:
            told = await load.visit(count, submit)
        operations = told["posts"] if by_post else told["visits"]
        return meter.sample(operations, load_s=told["cpu_s"], waits_s=told["waits_s"])

    return measure
