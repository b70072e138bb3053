"""`crowdctl restart` and `on_sigterm = "suspend"` with real processes: the daemon goes, nobody notices."""

import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from crowdd.protocol.names import AgentStatus

from .pages import Page, open_pages
from .processes import Daemon, a_task

pytestmark = pytest.mark.system

SUSPENDED = 75


@asynccontextmanager
async def five_at_work(daemon: Daemon, tmp_path: Path) -> AsyncGenerator[list[Page]]:
    label = await daemon.launch(a_task(tmp_path, 5))
    async with open_pages(await daemon.links(label, 5)) as pages, trio.open_nursery() as nursery:
        for page in pages:
            assert (await page.register()).agent_id, daemon.log
            await nursery.start(page.listen)
        yield pages
        nursery.cancel_scope.cancel()


async def all_go_on(daemon: Daemon, pages: list[Page]) -> None:
    """After the next start everybody finishes, on the page that they had, and was never told of a pause."""
    await daemon.start()
    for page in pages:
        assert (await page.submit({"kind": "a"})).status == "Submitted!"
        assert {status for status, _ in page.told} <= {"in task", "completed"}
    (run,) = await daemon.ask("runs")
    await daemon.until(run.label, lambda shown: shown.state == "completed")
    assert await daemon.terminate() == 0, daemon.log
    async with daemon.store() as storage:
        (run,) = await storage.runs()
        agents = await storage.agents(run.id)
    assert [agent.status for agent in agents] == [AgentStatus.COMPLETED] * len(pages)


async def test_a_restart_that_staff_ask_for_ends_with_75_and_disconnects_nobody(
    daemon: Daemon, tmp_path: Path
) -> None:
    await daemon.start()
    async with five_at_work(daemon, tmp_path) as pages:
        assert (await daemon.ask("restart")).restarts is False
        assert await daemon.ended() == SUSPENDED, daemon.log
        await all_go_on(daemon, pages)


async def test_sigterm_suspends_where_the_configuration_says_so(daemon: Daemon, tmp_path: Path) -> None:
    daemon.data.mkdir()
    (daemon.data / "crowdd.toml").write_text('on_sigterm = "suspend"\n')
    await daemon.start()
    async with five_at_work(daemon, tmp_path) as pages:
        assert await daemon.terminate() == SUSPENDED, daemon.log
        (daemon.data / "crowdd.toml").unlink()
        await all_go_on(daemon, pages)


async def test_ctrl_c_says_goodbye_whatever_sigterm_does(daemon: Daemon, tmp_path: Path) -> None:
    daemon.data.mkdir()
    (daemon.data / "crowdd.toml").write_text('on_sigterm = "suspend"\n')
    await daemon.start()
    await daemon.launch(a_task(tmp_path, 1))
    assert daemon.process is not None
    daemon.process.send_signal(signal.SIGINT)
    assert await daemon.ended() == 0, daemon.log
