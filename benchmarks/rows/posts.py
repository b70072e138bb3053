"""Row: what a request of a page costs router and daemon, beside the router's server and a constant answer."""

import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import trio

from ..instrument.row import Row, Setting, Sides, at_most
from ..instrument.sample import Figure
from ..load import open_load, visits
from .static_runs import open_static_run

AT_ONCE = 64
VISITS, VISITS_SMALL = 300, 64
UNITS, UNITS_SMALL = 5_000, 300
CONSTANT = "benchmarks.rows.constant_answer"


@asynccontextmanager
async def open_sides(setting: Setting) -> AsyncGenerator[Sides]:
    """Each with a load of its own."""
    units, count = setting.size(UNITS, UNITS_SMALL), setting.size(VISITS, VISITS_SMALL)
    async with (
        open_static_run(setting.folder, units, AT_ONCE) as run,
        open_constant() as (port, pid),
        open_load(port, f"127.0.0.1:{port}", "/", AT_ONCE) as load,
    ):
        yield Sides(
            visits(run.load, run.servers.values(), count, submit=True, by_post=True),
            visits(load, [pid], count, submit=True, by_post=True),
            run.servers,
        )


@asynccontextmanager
async def open_constant(module: str = CONSTANT) -> AsyncGenerator[tuple[int, int]]:
    """A server of constant answers: its port and process id."""
    process = subprocess.Popen([sys.executable, "-m", module], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        yield int(await trio.to_thread.run_sync(process.stdout.readline)), process.pid
    finally:
        process.kill()
        process.communicate()


ROW = Row(
    "posts",
    f"POST register and submit, real storage, {AT_ONCE} at once: each request",
    "Starlette under the same server answering a constant",
    (at_most(Figure.CPU_US, 4),),
    open_sides,
)
