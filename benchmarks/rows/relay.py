"""Rows: live updates page → router → daemon → router → page, beside the bare relay, which stores nothing."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial

from tests.system.processes import Daemon

from ..instrument.row import Bound, Row, Setting, Sides, at_least, at_most
from ..instrument.sample import Figure
from .pairs import AT_ONCE, open_bare_pairs, open_pairs

AGENTS_SMALL = 8
MEMORY, STORED = "benchmarks.memory_daemon", "crowdd.cli"  # what is run as the daemon
BARE = "bare relay: trio-websocket on both hops, no codec, a frame a packet, nothing stored"


@asynccontextmanager
async def _open(agents: int, module: str, setting: Setting) -> AsyncGenerator[Sides]:
    count = setting.size(agents, AGENTS_SMALL)
    async with (
        open_pairs(Daemon(setting.folder / "data", module), setting, count) as ours,
        open_bare_pairs(count) as bare,
    ):
        yield Sides(
            ours.talking(setting, AT_ONCE, rests=not setting.small),
            bare.talking(setting, AT_ONCE, rests=False),
            ours.servers,
        )


def _row(name: str, agents: int, module: str, storage: str, bounds: tuple[Bound, ...]) -> Row:
    return Row(
        name,
        f"relay of live updates, {agents} agents in pairs, {AT_ONCE} messages of each under way, {storage}",
        BARE,
        bounds,
        partial(_open, agents, module),
    )


_OF_MEMORY = (at_most(Figure.CPU_US, 0.7), at_least(Figure.PER_S, 1.3))
_OF_STORED = (at_least(Figure.PER_S, 0.8),)
MEMORY_64 = _row("relay-memory-64", 64, MEMORY, "memory body of storage", _OF_MEMORY)
MEMORY_256 = _row("relay-memory-256", 256, MEMORY, "memory body of storage", _OF_MEMORY)
STORED_64 = _row("relay-64", 64, STORED, "SQLite FULL", _OF_STORED)
STORED_256 = _row("relay-256", 256, STORED, "SQLite FULL", _OF_STORED)
