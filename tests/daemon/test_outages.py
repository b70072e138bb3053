"""Time counts only while a router is reached: who works is not punished for an outage of ours."""

from pathlib import Path

import trio
from trio.testing import MockClock

from crowdd.protocol.names import AgentStatus
from crowdd.testing.verdicts import Verdict

from .virtual import Virtual, open_virtual

AN_HOUR = "3600"


async def an_outage(virtual: Virtual, label: str, s: float) -> None:
    """The run's only router is away for so long."""
    run = await virtual.storage.run_by_label(label)
    virtual.router(run).restart(down_s=s)
    await trio.sleep(s)
    await virtual.until_live(run.id)
    await trio.sleep(1)


async def test_a_unit_is_kept_for_its_worker_while_no_router_is_reached(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=1, limits__assignment_duration_s=AN_HOUR)
        page = await virtual.at_work(run, "ann")
        await trio.sleep(3000)
        await an_outage(virtual, run.label, 7200)
        assert await virtual.agents(run) == [AgentStatus.IN_TASK]
        told = (await page.register()).told
        assert 500 < told["time_left_s"] <= 620
        await trio.sleep(400)
        assert (await page.submit({"n": 1})).verdict is Verdict.OK


async def test_after_an_outage_the_rest_of_the_time_is_all_there_is(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=1, limits__assignment_duration_s=AN_HOUR)
        await virtual.at_work(run, "ann")
        await trio.sleep(3000)
        await an_outage(virtual, run.label, 7200)
        await trio.sleep(630)
        assert await virtual.agents(run) == [AgentStatus.TIMEOUT]


async def test_nobodys_time_is_over_the_moment_a_daemon_that_died_is_back(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=2, limits__assignment_duration_s=AN_HOUR)
        ann, _ = await virtual.at_work(run, "ann"), await virtual.at_work(run, "bob")
        virtual.daemon.kill(down_s=7200)
        await trio.sleep(7201)
        await virtual.until_live(run.id)
        await trio.sleep(60)
        assert (await ann.submit({"n": 1})).verdict is Verdict.OK
        await trio.sleep(120)
        assert await virtual.agents(run) == [AgentStatus.COMPLETED, AgentStatus.TIMEOUT]


async def test_an_onboarding_goes_on_after_an_outage_with_the_time_it_had(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(sections='[onboarding]\nqualification = "o"\ntime_s = 300\n')
        page = await virtual.at_work(run, "ann")
        await trio.sleep(200)
        await an_outage(virtual, run.label, 7200)
        assert (await page.submit_onboarding({"read": True})).verdict is Verdict.OK


async def test_x1_who_registers_while_the_daemon_is_away_is_answered_in_bounded_time(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=2)
        ann, bob = [await virtual.page(run, name) for name in ("ann", "bob")]
        virtual.daemon.kill(down_s=45)
        began = trio.current_time()
        answered = await ann.register()
        assert answered.verdict is Verdict.LATER
        assert trio.current_time() - began < 35
        await trio.sleep_until(began + 40)
        assert (await bob.register()).agent_id  # held until the daemon was back
        assert 45 <= trio.current_time() - began < 60
