"""X1, X2, X5 and X9 with real processes; X6 to X8 on the virtual clock (tests/daemon), X12 beside this."""

import json
import signal
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest
import trio

from crowdd.testing.http_doors import HttpDoors, PageAddress

from ..daemon.live_pages import LivePage, live_page
from ..daemon.virtual import VirtualPage
from .pages import open_pages
from .processes import Daemon, a_task, texts
from .test_live import a_live_task

pytestmark = pytest.mark.system


async def test_x1_who_registers_while_the_daemon_is_away_is_answered_once_it_is_back(
    daemon: Daemon, tmp_path: Path
) -> None:
    await daemon.start()
    label = await daemon.launch(a_task(tmp_path, 3))
    links = await daemon.links(label, 3)
    daemon.kill()
    agents: list[str] = []
    async with open_pages(links) as pages, trio.open_nursery() as nursery:

        async def register(number: int) -> None:
            agents.append((await pages[number].register()).agent_id)

        for number in range(3):
            nursery.start_soon(register, number)
        await trio.sleep(0.5)
        await daemon.start()
    assert all(agents)
    assert len(set(agents)) == 3


async def test_x2_an_answer_that_was_on_its_way_when_the_daemon_died_is_stored_once(
    daemon: Daemon, tmp_path: Path
) -> None:
    await daemon.start()
    label = await daemon.launch(a_task(tmp_path, 1))
    async with open_pages(await daemon.links(label, 1)) as pages, trio.open_nursery() as nursery:
        assert (await pages[0].register()).agent_id
        assert daemon.process is not None
        daemon.process.send_signal(signal.SIGSTOP)  # the router passes it on, and nobody reads it
        told: list[str] = []

        async def submit() -> None:
            told.append((await pages[0].submit({"kind": "a"})).status)

        nursery.start_soon(submit)
        await trio.sleep(0.5)
        daemon.kill()
        await daemon.start()
    assert told == ["Submitted!"]
    await daemon.until(label, lambda shown: shown.state == "completed")
    exported = b"".join(await daemon.ask("export", label))
    assert texts([json.loads(line) for line in exported.splitlines()]) == ["word 0"]


async def test_x5_answers_are_taken_in_during_the_grace_and_a_second_ctrl_c_ends_in_bounded_time(
    daemon: Daemon, tmp_path: Path
) -> None:
    await daemon.start()
    label = await daemon.launch(a_task(tmp_path, 2), "limits.grace_s=600")
    async with open_pages(await daemon.links(label, 2)) as pages:
        for page in pages:
            assert (await page.register()).agent_id
        assert daemon.process is not None
        daemon.process.send_signal(signal.SIGINT)
        assert (await pages[0].submit({"kind": "a"})).status == "Submitted!"
        assert daemon.process.poll() is None
        daemon.process.send_signal(signal.SIGINT)
        assert await daemon.ended() == 0, daemon.log
    async with daemon.store() as storage:
        (run,) = await storage.runs()
        assert [agent.status.value for agent in await storage.agents(run.id)] == ["completed", "disconnect"]


# --- X9

GROUP = """
name = "groups of {size}"
[blueprint]
type = "group"
size_min = {size}
size_max = {size}
[blueprint.drop_out]
grace_s = 60
"""
TALK = """
async def run_assignment(assignment, group):
    async for agent, update in group.updates():
        await group.send({"text": update["text"]}, but=agent)
"""
ONBOARDED = 'name = "labels"\n[blueprint]\ntype = "static"\n[onboarding]\nqualification = "instructed"\n'
OF_EACH = 10  # five kinds: fifty agents


@asynccontextmanager
async def fifty_pages(daemon: Daemon, folder: Path) -> AsyncGenerator[dict[str, Sequence[VirtualPage]]]:
    """Pages of three runs that have not asked for anything yet."""
    static = await daemon.launch(a_task(folder / "static", OF_EACH))
    onboarded = a_live_task(folder / "onboarded", "", ONBOARDED, rows=OF_EACH)
    (onboarded / "task.py").unlink()
    labels = await daemon.launch(onboarded)
    pairs = await daemon.launch(a_live_task(folder / "pairs", TALK, GROUP.format(size=2), rows=OF_EACH))
    crowd = await daemon.launch(a_live_task(folder / "crowd", TALK, GROUP.format(size=OF_EACH + 1)))
    async with httpx.AsyncClient(timeout=60, trust_env=False) as client:

        def pages(links: Sequence[str]) -> Sequence[VirtualPage]:
            return [VirtualPage(HttpDoors(client, PageAddress(link))) for link in links]  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]: the same doors

        yield {
            "static": pages(await daemon.links(static, OF_EACH)),
            "onboarding": pages(await daemon.links(labels, OF_EACH)),
            "talking": pages(await daemon.links(pairs, 2 * OF_EACH)),
            "waiting": pages(await daemon.links(crowd, OF_EACH)),
        }


async def test_x9_fifty_mixed_agents_go_on_after_a_kill(daemon: Daemon, tmp_path: Path) -> None:
    await daemon.start()
    async with fifty_pages(daemon, tmp_path) as of, AsyncExitStack() as stack:
        talking: list[LivePage] = []
        for page in (page for pages in of.values() for page in pages):
            assert (await page.register()).agent_id, daemon.log
        for page in of["talking"]:
            talking.append(await stack.enter_async_context(live_page(page)))
        for number, one in enumerate(talking):
            await one.send({"text": f"before {number}"})
        daemon.kill()
        for number, one in enumerate(talking):
            await one.send({"text": f"after {number}"})
        await daemon.start()
        await _all_go_on(of, talking)
    assert "Traceback" not in daemon.log


async def _all_go_on(of: dict[str, Sequence[VirtualPage]], talking: Sequence[LivePage]) -> None:
    for page in of["static"]:
        assert (await page.submit({"kind": "a"})).status == "Submitted!"
    for page in of["onboarding"]:
        answered = await page.submit_onboarding({"read": True})
        assert (answered.status, page.agent.startswith("onboarding_")) == ("in task", False)
        assert (await page.submit({"kind": "a"})).status == "Submitted!"
    for page in of["waiting"]:
        known = page.agent
        assert ((await page.register()).status, page.agent) == ("waiting", known)
    for number, one in enumerate(talking):
        partner = number ^ 1  # they came one after the other
        assert await one.until(2) == [{"text": f"before {partner}"}, {"text": f"after {partner}"}]
