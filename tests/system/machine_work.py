"""Work at a booted machine's runs, over a router that is a service of its own there."""

import shutil
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import trio

from crowdd.protocol.names import RunId
from crowdd.storage.opening import open_storage
from crowdd.testing.facts import StoreFacts, read_facts

from .machine import DAEMON, ROUTER_PORT, Machine
from .pages import Page, open_pages

TASKS = Path("/srv/tasks")
REMOTE = '[architect]\ntype = "remote"\nrouters = ["crowd"]\n'

_labels = count()


@pytest.fixture
async def launch(with_router: Machine, tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    """Launches a task over the router and gives links to it, as this machine reaches them."""
    with with_router.bridge() as port:

        async def launch(workers: int, task: Path, *settings: str) -> tuple[int, list[str]]:
            label = f"work-{next(_labels)}"
            there = TASKS / label
            for path in sorted(task.rglob("*")):
                if path.is_file():
                    with_router.write(there / path.relative_to(task), path.read_text())

            def tell() -> tuple[int, list[str]]:
                run = int(with_router.crowdctl("launch", str(there), f"label={label}", *settings)["id"])
                with_router.until("the router is up", lambda: _is_up(with_router, run))
                links = with_router.crowdctl("links", label, "--count", str(workers))
                return run, [str(each["url"]).replace(f":{ROUTER_PORT}/", f":{port}/") for each in links]

            return await trio.to_thread.run_sync(tell)

        yield launch


def _is_up(machine: Machine, run: int) -> bool:
    return [router["up"] for router in machine.crowdctl("show", str(run))["routers"]] == [True]


def done(machine: Machine, run: int, units: int) -> None:
    """Return when the daemon has so many units done."""
    machine.until(f"{units} done", lambda: machine.crowdctl("show", str(run))["units_done"] >= units)


@asynccontextmanager
async def at_work(links: list[str]) -> AsyncGenerator[list[Page]]:
    async with open_pages(links) as pages, trio.open_nursery() as nursery:
        for page in pages:
            assert (await page.register()).agent_id
            await nursery.start(page.listen)
        yield pages
        nursery.cancel_scope.cancel()


async def facts_of(machine: Machine, run: int, copy: Path) -> StoreFacts:
    """What the store says; the daemon is stopped for it."""
    await trio.to_thread.run_sync(machine.run, "systemctl", "stop", "crowdd.socket", DAEMON)
    shutil.copy(machine.root / "var/lib/crowdd/crowdd.db", copy)  # SQLite would not find it by this path
    async with open_storage(copy) as storage:
        return await read_facts(storage, RunId(run))
