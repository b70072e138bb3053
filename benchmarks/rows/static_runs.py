"""What the rows over HTTP share: a daemon and its router with one static run, real storage, real sockets."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
from tests.system.processes import Daemon

from crowdd.testing.http_doors import PageAddress

from ..crowds import released, static_task
from ..load import Load, open_load
from ..servers import servers_of


@attrs.frozen
class StaticRun:
    """A run whose units are free, and a load at its address."""

    daemon: Daemon
    load: Load
    servers: Mapping[str, int]
    """The processes that do the work."""


@asynccontextmanager
async def open_daemon(folder: Path) -> AsyncGenerator[Daemon]:
    """A daemon on a store of its own; ended with its routers when the block is left."""
    daemon = Daemon(folder / "data")
    try:
        await daemon.start("--log-level", "warning")
        yield daemon
    finally:
        daemon.clean_up()


@asynccontextmanager
async def open_static_run(folder: Path, units: int, at_once: int) -> AsyncGenerator[StaticRun]:
    """A run of so many units, with so many connections of workers to its router."""
    async with open_daemon(folder) as daemon:
        label = await daemon.launch(static_task(folder, units))
        page = PageAddress(await released(daemon, label, units))
        async with open_load(page.port, page.host_header, page.folder, at_once) as load:
            yield StaticRun(daemon, load, servers_of(daemon))
