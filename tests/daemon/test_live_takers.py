"""A unit of live work goes from one worker to the next while the code of the first one still ends."""

from pathlib import Path
from typing import Any

import pytest
import trio
from tests.daemon.live_pages import ECHO, live_page
from tests.daemon.virtual import open_virtual
from trio.testing import MockClock

from crowdd.protocol.names import AgentStatus
from crowdd.storage.records import JournalEntry
from crowdd.testing.verdicts import Verdict


async def test_who_takes_a_unit_while_the_code_of_its_last_worker_still_ends_has_code_of_their_own(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(
            units=1, code=ECHO + "\n    await agent.sleep(20)\n", blueprint__type="echo"
        )
        page = await virtual.at_work(run, "anna")
        async with live_page(page) as live:
            await live.send({"text": "mine"})
            await live.until(1)
            await page.doors.post("return_unit", {"USED_AGENT_ID": page.agent}, 60)
        other = await virtual.at_work(run, "bert")
        async with live_page(other) as live:
            await live.send({"text": "his"})
            assert await live.until(1) == [{"echo": "his", "count": 1}]
            assert (await other.submit({"done": True})).verdict is Verdict.OK
        assert await virtual.agents(run) == [AgentStatus.RETURNED, AgentStatus.COMPLETED]
        await trio.sleep(100)
        assert (await virtual.until_live(run.id)).pieces == 0


async def test_who_leaves_while_the_piece_is_being_opened_leaves_no_code_behind_that_waits_for_ever(
    autojump_clock: MockClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_virtual(tmp_path) as virtual:
        read = virtual.storage.journal

        async def slowly(*args: Any, **page: Any) -> list[JournalEntry]:
            await trio.sleep(10)
            return await read(*args, **page)

        monkeypatch.setattr(virtual.storage, "journal", slowly)
        run = await virtual.launch(units=1, code=ECHO, blueprint__type="echo")
        page = await virtual.at_work(run, "anna")
        await page.doors.post("return_unit", {"USED_AGENT_ID": page.agent}, 60)
        other = await virtual.at_work(run, "bert")
        async with live_page(other) as live:
            await live.send({"text": "his"})
            assert await live.until(1) == [{"echo": "his", "count": 1}]
            assert (await virtual.until_live(run.id)).pieces == 1
            assert (await other.submit({"done": True})).verdict is Verdict.OK
        await trio.sleep(30)
        assert (await virtual.until_live(run.id)).pieces == 0
