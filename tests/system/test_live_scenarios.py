"""X10, X11, X14 and X16 of live work with a real daemon and router; on the virtual clock: tests/daemon."""

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest
import trio

from crowdd.testing.doors import SocketLost
from crowdd.testing.http_doors import HttpDoors, PageAddress

from ..daemon.live_pages import live_page
from ..daemon.virtual import VirtualPage
from .processes import READY_S, Daemon
from .test_live import a_live_task

pytestmark = pytest.mark.system

ECHO = """
async def run_unit(unit, agent):
    async for update in agent.updates():
        await agent.send({"echo": update["text"]})
"""
TASK = 'name = "echo"\n[blueprint]\ntype = "live"\n[blueprint.drop_out]\ngrace_s = 2\n'


@asynccontextmanager
async def pages(
    daemon: Daemon, folder: Path, count: int, task: str = TASK
) -> AsyncGenerator[list[VirtualPage]]:
    """So many workers at work, each with a page that has no connection yet."""
    await daemon.start()
    label = await daemon.launch(a_live_task(folder, ECHO, task, rows=count))
    links = await daemon.links(label, count)
    async with httpx.AsyncClient(timeout=30) as client:
        opened = [VirtualPage(HttpDoors(client, PageAddress(link))) for link in links]  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]: the same doors
        for page in opened:
            assert (await page.register()).agent_id
        yield opened


async def test_x10_a_burst_arrives_in_order_both_ways_across_a_drop(daemon: Daemon, tmp_path: Path) -> None:
    async with pages(daemon, tmp_path, 1, TASK.replace("= 2", "= 60")) as (page,):
        async with live_page(page) as live:
            for n in range(60):
                await live.send({"text": n})
            before = await live.until(1)
            stream, sent, seen = live.stream, live.sent, len(before)
        await trio.sleep(5)  # what the scenario says
        async with live_page(page, seen) as live:
            live.stream, live.sent = stream, 0
            for n in range(100):  # also what was not confirmed
                await live.send({"text": n})
            after = await live.until(100 - seen)
        assert [update["echo"] for update in [*before, *after]] == list(range(100))
        assert sent == 60


async def test_x11_an_update_that_is_too_large_costs_only_its_page(daemon: Daemon, tmp_path: Path) -> None:
    async with pages(daemon, tmp_path, 2) as (anna, bert), live_page(bert) as other:
        async with live_page(anna) as large:
            with suppress(SocketLost):  # the router hangs up on it
                await large.send({"text": "x" * 5_000_000})
            await other.send({"text": "hello"})
            assert await other.until(1) == [{"echo": "hello"}]
        async with live_page(anna) as large:
            await large.send({"text": "small"})
            assert await large.until(1) == [{"echo": "small"}]


@pytest.mark.parametrize("off_s", [86_400.0, -86_400.0])
async def test_x14_a_page_whose_clock_is_a_day_off_is_told_that_the_daemon_lives(
    daemon: Daemon, tmp_path: Path, off_s: float
) -> None:
    async with pages(daemon, tmp_path, 1) as (page,), live_page(page) as live:
        its_clock = time.time() + off_s
        await live.say("heartbeat", {}, client_timestamp=its_clock)
        with trio.fail_after(READY_S):
            while not (beats := [p for p in live.heard if p["packet_type"] == "heartbeat"]):
                await trio.sleep(0.02)
        assert abs(its_clock - beats[0]["data"]["last_mephisto_ping"] / 1000) < 20


async def test_x16_a_closed_tab_is_noticed_and_its_unit_is_free_again(daemon: Daemon, tmp_path: Path) -> None:
    async with pages(daemon, tmp_path, 1) as (page,):
        async with live_page(page) as live:
            await live.send({"text": "here"})
            await live.until(1)
        shown = await daemon.until("echo", lambda shown: shown.agents.get("disconnect") == 1)
        assert shown.units == {"launched": 1}
