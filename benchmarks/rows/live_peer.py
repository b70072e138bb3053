"""Rows of live work beside Mephisto. What ours says is stored, what Mephisto's says is not.

It is measured in turn with us where MEPHISTO_PYTHON names an interpreter that has it. Else its figures are
those recorded on two cores of this kind: with a message of each agent under way 312 round trips a second for
16 agents and 1,248 for 64, p50 51 ms; as much as goes, 5,600 a second; 75 KiB for an agent.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from itertools import count

from tests.system.processes import Daemon

from ..crowd_of_pages import cost_of, open_pages, register
from ..instrument.row import Bound, Recorded, Row, Setting, Sides, at_least, at_most
from ..instrument.sample import Figure, Meter, Sample
from ..live import a_task
from ..mephisto import mephisto_or, open_memory, open_round_trips
from ..servers import servers_of
from .pairs import (
    AT_ONCE,
    MEASURED_S,
    MEASURED_SMALL_S,
    PAGE_PROCESSES,
    open_daemon_of,
    open_pairs,
)

P50_US = 51_000.0
SATURATED = 256
COMING, COMING_SMALL = 256, 8
ROUNDS_MAX = 6  # with the warm-up: each time others come
AGENTS_SMALL = 8
MEPHISTO_SATURATED = Recorded({Figure.PER_S: 5_600.0})
MEPHISTO_MEMORY = Recorded({Figure.BYTES: 75.0 * 1024})


@asynccontextmanager
async def _open_round_trips(
    agents: int, at_once: int, recorded: Recorded, setting: Setting
) -> AsyncGenerator[Sides]:
    count = setting.size(agents, AGENTS_SMALL)
    for_s = setting.size(MEASURED_S, MEASURED_SMALL_S)
    async with (
        open_pairs(Daemon(setting.folder / "data"), setting, count) as pairs,
        mephisto_or(recorded, partial(open_round_trips, count, for_s, at_once)) as mephisto,
    ):
        yield Sides(pairs.talking(setting, at_once, rests=not setting.small), mephisto, pairs.servers)


@asynccontextmanager
async def _open_memory(setting: Setting) -> AsyncGenerator[Sides]:
    """Others come each time, are at work in pairs, and stay."""
    each, numbers = setting.size(COMING, COMING_SMALL), count()
    daemon = Daemon(setting.folder / "data")
    async with (
        open_daemon_of(daemon),
        open_pages(PAGE_PROCESSES) as pages,
        mephisto_or(MEPHISTO_MEMORY, partial(open_memory, each)) as mephisto,
    ):
        label = await daemon.launch(a_task(setting.folder, each * ROUNDS_MAX // 2))
        address = str((await daemon.ask("show", label)).address)
        servers = servers_of(daemon)

        async def measure() -> Sample:
            begun = next(numbers) * each
            before = cost_of(daemon)
            with Meter(servers.values()) as meter:
                await pages.open(await register(address, range(begun, begun + each)))
            after = cost_of(daemon)
            grown = after.daemon_bytes + after.router_bytes - before.daemon_bytes - before.router_bytes
            return Sample(each, meter.wall_s, meter.cpu_s, more={Figure.BYTES: max(1.0, grown / each)})

        yield Sides(measure, mephisto, servers)


def _round_trip(agents: int, per_s: float, times: float, share: float) -> Row:
    recorded = Recorded({Figure.PER_S: per_s, Figure.P50_US: P50_US})
    bounds: tuple[Bound, ...] = (at_least(Figure.PER_S, times), at_most(Figure.P50_US, share))
    return Row(
        f"round-trip-{agents}",
        f"live round trip, {agents} agents, one message of each under way; ours stored",
        f"Mephisto, {per_s:,.0f} a second, p50 51 ms",
        bounds,
        partial(_open_round_trips, agents, 1, recorded),
        turns=1,
    )


ROUND_TRIP_16 = _round_trip(16, 312.0, 8, 1 / 8)
ROUND_TRIP_64 = _round_trip(64, 1_248.0, 3, 1 / 3)
SATURATED_ROW = Row(
    "round-trip-saturated",
    f"live round trip, {SATURATED} agents, {AT_ONCE} messages of each under way; ours stored",
    "Mephisto, 5,600 a second, nothing stored",
    (at_least(Figure.PER_S, 1.0),),
    partial(_open_round_trips, SATURATED, AT_ONCE, MEPHISTO_SATURATED),
    turns=1,
)
MEMORY = Row(
    "memory-per-agent",
    f"memory of a live agent, daemon and router together, {COMING} more each time",
    "Mephisto, 75 KiB and a thread",
    (at_most(Figure.BYTES, 0.7),),
    _open_memory,
    turns=1,
)
