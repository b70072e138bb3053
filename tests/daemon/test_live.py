"""Live work of one worker: what user code is given and what its page sees, over breaks of every kind."""

from pathlib import Path

import trio
from tests.daemon.live_pages import ECHO, live_page
from tests.daemon.virtual import open_virtual
from trio.testing import MockClock

from crowdd.protocol.names import AgentStatus
from crowdd.testing.verdicts import Verdict


async def test_a_unit_echoes_what_its_page_sends(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(code=ECHO, blueprint__type="echo")
        page = await virtual.at_work(run, "anna")
        async with live_page(page) as live:
            for text in "abc":
                await live.send({"text": text})
            assert await live.until(3) == [
                {"echo": text, "count": count} for count, text in enumerate("abc", 1)
            ]
            assert (await page.submit({"done": True})).verdict is Verdict.OK
        await trio.sleep(1)
        assert await virtual.agents(run) == [AgentStatus.COMPLETED]


async def test_calls_of_named_functions_are_answered_also_when_they_fail(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(code=ECHO, blueprint__type="echo")
        page = await virtual.at_work(run, "anna")
        async with live_page(page) as live:
            for name in ("double", "fail", "missing"):
                await live.send({"request_id": name, "target": name, "args": "21"})
            answers = {answer["handles"]: answer for answer in await live.until(3)}
        assert answers["double"]["response"] == "42"
        assert "as was asked" in answers["fail"]["error"]
        assert answers["missing"]["error"] == "there is no function 'missing'"


async def test_user_code_that_raises_ends_its_unit_alone_and_says_so(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(code=ECHO, blueprint__type="echo")
        pages = [await virtual.at_work(run, name) for name in ("anna", "bert")]
        async with live_page(pages[0]) as anna, live_page(pages[1]) as bert:
            await anna.send({"no text": True})
            await bert.send({"text": "still here"})
            await bert.until(1)
            await trio.sleep(1)
            assert anna.statuses()[-1] == "disconnect"
        assert await virtual.agents(run) == [AgentStatus.DISCONNECT, AgentStatus.IN_TASK]
        (error,) = await virtual.storage.errors(run.id)
        assert "KeyError" in str(error.data)


async def test_a_unit_that_was_given_back_begins_anew_with_the_next_worker(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=1, code=ECHO, blueprint__type="echo")
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
