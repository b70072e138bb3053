"""X7: live code has come to its end, and the worker does not submit: the unit is free again, the run ends."""

from pathlib import Path

import trio
from trio.testing import MockClock

from crowdd.protocol.names import AgentStatus, RunState, UnitStatus
from crowdd.storage.records import TaskRun
from crowdd.testing.verdicts import Verdict

from .live_pages import live_page
from .virtual import Virtual, VirtualPage, open_virtual

CODE = """
from crowdd.daemon.blueprints.live_contract import LiveRules
from crowdd.daemon.blueprints.mock import MockBlueprint

class Short(MockBlueprint):
    name = "short"

    @property
    def live(self):
        return LiveRules(grace_s=3600)

    def play(self, kind):
        return run_unit

async def run_unit(unit, agent):
    await agent.receive()
    await agent.send({"that": "was all"})
"""
WITHIN_S = 60
TIMEOUT, COMPLETED = AgentStatus.TIMEOUT, AgentStatus.COMPLETED


async def a_run(virtual: Virtual) -> TaskRun:
    given = {"blueprint__type": "short", "limits__submission_timeout_s": str(WITHIN_S)}
    return await virtual.launch(units=1, code=CODE, **given)


async def talked_to_the_end(virtual: Virtual, run: TaskRun, worker: str) -> VirtualPage:
    page = await virtual.at_work(run, worker)
    async with live_page(page) as live:
        await live.send({"text": "hello"})
        await live.until(1)
    return page


async def the_next_finishes(virtual: Virtual, run: TaskRun) -> None:
    assert await virtual.units(run) == [UnitStatus.LAUNCHED]
    page = await talked_to_the_end(virtual, run, "bob")
    assert (await page.submit({"done": True})).verdict is Verdict.OK
    await trio.sleep(5)
    assert await virtual.agents(run) == [TIMEOUT, COMPLETED]
    assert (await virtual.storage.run(run.id)).state is RunState.COMPLETED


async def test_x7_who_does_not_submit_in_time_loses_the_unit_to_the_next_and_the_run_ends(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual)
        await talked_to_the_end(virtual, run, "ann")
        await trio.sleep(WITHIN_S - 5)
        assert await virtual.agents(run) == [AgentStatus.IN_TASK]
        await trio.sleep(10)
        assert await virtual.agents(run) == [TIMEOUT]
        await the_next_finishes(virtual, run)


async def test_x7_the_same_over_a_crash_after_the_code_had_ended(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual)
        await talked_to_the_end(virtual, run, "ann")
        virtual.daemon.kill(down_s=5)
        await trio.sleep(6)
        await virtual.until_live(run.id)
        assert await virtual.agents(run) == [AgentStatus.IN_TASK]
        await trio.sleep(WITHIN_S + 10)
        await the_next_finishes(virtual, run)


async def test_x7_who_submits_in_time_after_a_crash_is_done(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual)
        page = await talked_to_the_end(virtual, run, "ann")
        virtual.daemon.kill(down_s=5)
        await trio.sleep(WITHIN_S - 10)
        assert (await page.submit({"done": True})).verdict is Verdict.OK
        await trio.sleep(5)
        assert await virtual.agents(run) == [COMPLETED]
