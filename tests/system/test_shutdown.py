"""SIGTERM with people at work: everybody is told, everything is kept, and who comes back goes on."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from crowdd.client.errors import ClientError
from crowdd.protocol.names import AgentStatus, UnitStatus

from .pages import Page, open_pages
from .processes import READY_S, Daemon, a_task

pytestmark = pytest.mark.system

SHORT_GRACE = "limits.grace_s=1"
LONG_GRACE = "limits.grace_s=600"  # longer than `terminate` waits for the end
WAITING = 'first_status = "waiting"\nnum_assignments = 10\n'


async def at_work(daemon: Daemon, nursery: trio.Nursery, pages: list[Page]) -> None:
    for page in pages:
        assert (await page.register()).agent_id, daemon.log
        await nursery.start(page.listen)


@asynccontextmanager
async def twenty_pages(daemon: Daemon, tmp_path: Path) -> AsyncGenerator[list[Page], None]:
    """Ten agents at work in one run, ten waiting in another, all with open sockets."""
    await daemon.start()
    working = await daemon.launch(a_task(tmp_path / "working", 10), SHORT_GRACE)
    waiting = await daemon.launch(a_task(tmp_path / "waiting", 1, WAITING, "mock"), SHORT_GRACE)
    links = [*await daemon.links(working, 10), *await daemon.links(waiting, 10)]
    async with open_pages(links) as pages, trio.open_nursery() as nursery:
        await at_work(daemon, nursery, pages)
        yield pages
        nursery.cancel_scope.cancel()


async def test_sigterm_tells_every_page_stores_every_status_and_ends_with_0(
    daemon: Daemon, tmp_path: Path
) -> None:
    async with twenty_pages(daemon, tmp_path) as pages:
        assert await daemon.terminate() == 0, daemon.log
        with trio.fail_after(READY_S):
            while not all(page.told and page.told[-1][0] == "disconnect" for page in pages):
                await trio.sleep(0.02)
        assert all("Your work is kept" in page.told[-1][1] for page in pages)
    async with daemon.store() as storage:
        agents = [agent for run in await storage.runs() for agent in await storage.agents(run.id)]
        units = [await storage.unit(agent.unit_id) for agent in agents]
    assert [(agent.status, agent.reason) for agent in agents] == [(AgentStatus.DISCONNECT, "shutdown")] * 20
    assert {unit.status for unit in units} == {UnitStatus.ASSIGNED}


async def test_a_worker_who_comes_back_after_the_next_start_goes_on(daemon: Daemon, tmp_path: Path) -> None:
    async with twenty_pages(daemon, tmp_path) as pages:
        await daemon.terminate()
        known = pages[0].agent
        await daemon.start()
        back = await pages[0].register()
        assert (back.agent_id, back.status) == (known, "in task")
        assert (await pages[0].submit({"kind": "a"})).status == "Submitted!"


async def test_an_answer_that_comes_after_the_next_start_is_kept_without_registering_again(
    daemon: Daemon, tmp_path: Path
) -> None:
    async with twenty_pages(daemon, tmp_path) as pages:
        await daemon.terminate()
        await daemon.start()
        assert (await pages[3].submit({"kind": "b"})).status == "Submitted!"


async def test_while_the_daemon_is_away_a_page_is_told_to_try_again(daemon: Daemon, tmp_path: Path) -> None:
    async with twenty_pages(daemon, tmp_path) as pages:
        await daemon.terminate()
        answered = await pages[0].register()
        assert (answered.reason, answered.agent_id) == ("try_later", "")
        assert answered.retry_after_s


async def test_when_nobody_is_at_work_sigterm_ends_at_once(daemon: Daemon, tmp_path: Path) -> None:
    await daemon.start()
    await daemon.launch(a_task(tmp_path, 3), LONG_GRACE)
    assert await daemon.terminate() == 0


async def test_a_second_sigterm_cuts_the_grace(daemon: Daemon, tmp_path: Path) -> None:
    await daemon.start()
    label = await daemon.launch(a_task(tmp_path, 3), LONG_GRACE)
    async with open_pages(await daemon.links(label, 1)) as pages:
        await pages[0].register()
        assert daemon.process is not None
        daemon.process.terminate()
        assert await _turned_away(daemon, label)
        assert await daemon.terminate() == 0, daemon.log


async def _turned_away(daemon: Daemon, label: str) -> bool:
    """Once the first signal was heard, new workers are told to try later."""
    async with open_pages(await daemon.links(label, 2)) as pages:
        return (await pages[1].register()).reason == "try_later"


async def test_a_daemon_that_takes_its_routers_along_ends_with_0_and_leaves_none(
    daemon: Daemon, tmp_path: Path
) -> None:
    await daemon.start("--end-routers")
    await daemon.launch(a_task(tmp_path, 3))
    assert daemon.router_pids()
    assert await daemon.terminate() == 0, daemon.log
    assert not daemon.router_pids()
    assert "ERROR" not in daemon.log


async def test_a_launch_under_way_at_the_end_leaves_no_router_behind(daemon: Daemon, tmp_path: Path) -> None:
    await daemon.start("--end-routers")
    run = await daemon.ask("launch", a_task(tmp_path, 3), {})
    assert await daemon.terminate() == 0, daemon.log
    assert not daemon.router_pids()
    assert "ERROR" not in daemon.log
    async with daemon.store() as storage:
        assert (await storage.run_by_label(run.label)).trouble is None


STUCK = """
import threading
def worker_can_do_unit(worker, unit):
    threading.Event().wait()
def on_unit_submitted(agent):
    threading.Event().wait()
"""


async def test_functions_of_a_task_that_never_return_hold_up_no_end(daemon: Daemon, tmp_path: Path) -> None:
    await daemon.start()
    task = a_task(tmp_path, 40)
    (task / "task.py").write_text(STUCK)
    label = await daemon.launch(task, SHORT_GRACE)
    async with open_pages(await daemon.links(label, 20)) as pages, trio.open_nursery() as nursery:
        for page in pages:
            nursery.start_soon(page.register)
        await daemon.until(label, lambda shown: shown.counters.get("register_agent", 0) >= len(pages))
        assert await daemon.terminate() == 0, daemon.log
        nursery.cancel_scope.cancel()


async def test_a_task_that_never_ends_loading_holds_up_no_end(daemon: Daemon, tmp_path: Path) -> None:
    await daemon.start()
    task, begun = a_task(tmp_path, 3), tmp_path / "begun"
    (task / "task.py").write_text(f"import threading\nopen({str(begun)!r}, 'w')\nthreading.Event().wait()\n")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_launched_in_vain, daemon, task)
        with trio.fail_after(READY_S):
            while not begun.exists():
                await trio.sleep(0.02)
        assert await daemon.terminate() == 0, daemon.log


async def _launched_in_vain(daemon: Daemon, task: Path) -> None:
    with pytest.raises(ClientError):
        await daemon.ask("launch", task, {})
