"""SEC9: live work of pages that say more than anybody reads, and of a router that sends without end: what the
daemon keeps of it is bounded, what it confirmed is stored, and what is refused is not confirmed."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio
from tests.daemon.live_pages import ECHO, LivePage, live_page
from tests.daemon.virtual import Virtual, open_virtual
from trio.testing import MockClock

from crowdd.daemon.live import hold
from crowdd.protocol.limits import LINK_HELD_BYTES_MAX
from crowdd.storage.records import JournalEntry, TaskRun

OPENING_S = 60.0


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
    run = await virtual.launch(units=1, code=ECHO, blueprint__type="echo")
    async with live_page(await virtual.at_work(run, "anna")) as live:
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
