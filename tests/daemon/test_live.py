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
