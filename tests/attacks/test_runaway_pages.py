"""SEC9: live work of pages that say more than anybody reads, and of a router that sends without end: what the
daemon keeps of it is bounded, what it confirmed is stored, and what is refused is not confirmed."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio
from tests.daemon.live_pages import ECHO, LivePage, live_page
from tests.daemon.virtual import Virtual, VirtualPage, open_virtual
from trio.testing import MockClock

from crowdd.daemon.live import hearing, hold
from crowdd.daemon.live.hearing import weight
from crowdd.protocol.limits import LINK_HELD_BYTES_MAX
from crowdd.storage.records import JournalEntry, TaskRun
from crowdd.testing.verdicts import Verdict

OPENING_S = 60.0


@asynccontextmanager
async def echoing(virtual: Virtual) -> AsyncGenerator[tuple[TaskRun, VirtualPage, LivePage]]:
    """A page at work whose code says what it hears."""
    run = await virtual.launch(units=1, code=ECHO, blueprint__type="echo")
    page = await virtual.at_work(run, "anna")
    async with live_page(page) as live:
        yield run, page, live


@asynccontextmanager
async def while_a_piece_is_opened(
    virtual: Virtual, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[tuple[TaskRun, LivePage]]:
    """A page whose piece takes long to be read: what it says is held."""
    read = virtual.storage.journal

    async def slowly(*args: Any, **page: Any) -> list[JournalEntry]:
        await trio.sleep(OPENING_S)
        return await read(*args, **page)

    monkeypatch.setattr(virtual.storage, "journal", slowly)
    async with echoing(virtual) as (run, _, live):
        yield run, live


async def until(true: Callable[[], bool]) -> None:
    with trio.fail_after(OPENING_S / 2):
        while not true():
            await trio.sleep(0.05)


async def test_sec9_a_router_of_which_too_much_is_held_is_cut_off_and_named(
    autojump_clock: MockClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hold, "HOLD_BYTES_MAX", 2_500)
    async with (
        open_virtual(tmp_path) as virtual,
        while_a_piece_is_opened(virtual, monkeypatch) as (run, live),
    ):
        for _ in range(3):
            await live.send({"text": "x" * 1_000})
        live_run = await virtual.until_live(run.id)
        await until(lambda: "more than 2500 bytes" in live_run.routers()[0].addition)


async def test_sec9_a_router_that_was_cut_off_loses_nothing_and_is_heard_again_once_there_is_room(
    autojump_clock: MockClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hold, "HOLD_BYTES_MAX", 2_500)
    async with open_virtual(tmp_path) as virtual, while_a_piece_is_opened(virtual, monkeypatch) as (_, live):
        for _ in range(6):
            await live.send({"text": "x" * 1_000})
            await trio.sleep(1)
        assert [update["count"] for update in await live.until(6)] == [1, 2, 3, 4, 5, 6]


def test_sec9_no_router_in_its_right_mind_sends_as_much_as_is_held_of_it() -> None:
    unconfirmed_max = LINK_HELD_BYTES_MAX // 2
    assert unconfirmed_max * 2 <= hold.HOLD_BYTES_MAX


SAID_BYTES = weight({"text": "x" * 1_000, "update_id": "stream1.1"})
LIMITS = [("HEARD_MAX", 3), ("HEARD_BYTES_MAX", 3 * SAID_BYTES - 100)]


@pytest.mark.parametrize(("name", "limit"), LIMITS)
async def test_sec9_so_much_of_an_agent_is_stored_and_what_comes_then_is_not_confirmed(
    autojump_clock: MockClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, limit: int
) -> None:
    monkeypatch.setattr(hearing, name, limit)
    async with open_virtual(tmp_path) as virtual, echoing(virtual) as (run, _, live):
        for _ in range(5):
            await live.send({"text": "x" * 1_000})
        assert len(await live.until(3)) == 3
        await trio.sleep(10)
        assert (confirmed(live), len(live.updates())) == (3, 3)
        [agent] = await virtual.storage.agents(run.id)
        assert len(await virtual.storage.live_updates(False, agent.id, outgoing=False)) == 3


@pytest.mark.parametrize(("name", "limit"), LIMITS)
async def test_sec9_who_said_too_much_said_it_after_a_restart_as_well(
    autojump_clock: MockClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, limit: int
) -> None:
    monkeypatch.setattr(hearing, name, limit)
    async with open_virtual(tmp_path) as virtual, echoing(virtual) as (_, _, live):
        for _ in range(3):
            await live.send({"text": "x" * 1_000})
        await live.until(3)
        virtual.daemon.kill(down_s=1)
        await trio.sleep(10)
        await live.send({"text": "x" * 1_000})
        await trio.sleep(10)
        assert confirmed(live) == 3


async def test_sec9_what_was_said_too_much_does_not_keep_its_worker_from_submitting(
    autojump_clock: MockClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "HEARD_MAX", 0)
    async with open_virtual(tmp_path) as virtual, echoing(virtual) as (_, page, live):
        await live.send({"text": "too much"})
        assert (await page.submit({"done": True})).verdict is Verdict.OK


def confirmed(live: LivePage) -> int:
    """Up to where the page was told that what it said is stored."""
    acks = [packet["data"]["number"] for packet in live.heard if packet["packet_type"] == "ack"]
    return max(acks, default=0)
