"""What the rows of live work share: pairs of pages that talk, at a daemon of ours or at the bare relay."""

import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

import attrs
import trio
from tests.system.processes import Daemon

from crowdd.protocol.limits import SOCKET_PACKETS_BURST_MAX, SOCKET_PACKETS_PER_S_MAX

from ..crowd_of_pages import CrowdOfPages, Talked, open_pages, register
from ..instrument.row import Measure, Setting
from ..instrument.sample import Meter, Sample
from ..live import a_task, open_relay
from ..servers import servers_of

PAGE_PROCESSES = 2
AT_ONCE = 4  # messages that each page has under way where as much as goes is sent
WARM_S, WARM_SMALL_S = 1.0, 0.05
MEASURED_S, MEASURED_SMALL_S = 3.0, 0.25
SETTLE_S, SETTLE_SMALL_S = 1.0, 0.1
BESIDES = 40.0  # packets of a page that are no messages, with some room
PER_S = (SOCKET_PACKETS_BURST_MAX - BESIDES) / (WARM_S + MEASURED_S) + SOCKET_PACKETS_PER_S_MAX
"""So much a page that has rested may say for so long without being told that it floods."""


@attrs.frozen
class Pairs:
    """Pages that are connected, and the processes that carry what they say."""

    pages: CrowdOfPages
    count: int
    servers: Mapping[str, int]

    def talking(self, setting: Setting, at_once: int, rests: bool) -> Measure:
        """As much as goes, each page with so many messages under way. `rests`: routers count what it says."""

        async def measure() -> Sample:
            began = time.monotonic()
            with Meter(self.servers.values()) as meter:
                talked = await self.pages.do(
                    "flood",
                    at_once=at_once,
                    per_s=PER_S,
                    warm_s=setting.size(WARM_S, WARM_SMALL_S),
                    for_s=setting.size(MEASURED_S, MEASURED_SMALL_S),
                    settle_s=setting.size(SETTLE_S, SETTLE_SMALL_S),
                )
            assert not talked.lost, talked.lost[:3]
            if rests:
                due_s = (talked.sum("said") / self.count + BESIDES) / SOCKET_PACKETS_PER_S_MAX
                await trio.sleep(max(0.0, due_s - (time.monotonic() - began)))
            return _sample(talked, meter)

        return measure


def _sample(talked: Talked, meter: Meter) -> Sample:
    """What was carried before and after the measured time costs, too: CPU is for all that was said."""
    said = talked.sum("said")
    wall_s = said / talked.per_s
    load_s = wall_s * sum(process["busy"] for process in talked.processes)
    return Sample(said, wall_s, meter.cpu_s, load_s, talked.of("latencies_s"))


@asynccontextmanager
async def open_pairs(daemon: Daemon, setting: Setting, agents: int) -> AsyncGenerator[Pairs]:
    """So many live agents at this daemon, in pairs, their pages connected; all is ended with the block."""
    async with open_daemon_of(daemon), open_pages(PAGE_PROCESSES) as pages:
        label = await daemon.launch(a_task(setting.folder, agents // 2))
        address = str((await daemon.ask("show", label)).address)
        setting.tell(f"{agents} workers come")
        await pages.open(await register(address, range(agents)))
        yield Pairs(pages, agents, servers_of(daemon))


@asynccontextmanager
async def open_daemon_of(daemon: Daemon) -> AsyncGenerator[None]:
    """Start it; ended with its routers when the block is left."""
    try:
        await daemon.start("--log-level", "warning")
        yield
    finally:
        daemon.clean_up()


@asynccontextmanager
async def open_bare_pairs(agents: int) -> AsyncGenerator[Pairs]:
    """As many pages at the bare relay."""
    async with open_relay() as (port, pids), open_pages(PAGE_PROCESSES) as pages:
        where = {"port": port, "host_header": f"127.0.0.1:{port}"}
        await pages.open(
            [{"number": n, "agent": "", "where": {**where, "path": f"/{n}"}} for n in range(agents)]
        )
        yield Pairs(pages, agents, dict(zip(("router", "daemon"), pids, strict=True)))
