"""Groups in a whole daemon: they form, wait, start, are sent away, and end by themselves."""

from pathlib import Path
from typing import Any

import trio
from trio.testing import MockClock

from crowdd.protocol.names import AgentStatus, RunState, UnitStatus
from crowdd.storage.records import TaskRun
from crowdd.testing.verdicts import Verdict

from .group_pages import member, units_of, until_agents
from .virtual import Virtual, open_virtual

WAITING, IN_TASK, COMPLETED = AgentStatus.WAITING, AgentStatus.IN_TASK, AgentStatus.COMPLETED
EXPIRED, DISCONNECT = AgentStatus.EXPIRED, AgentStatus.DISCONNECT


async def a_group_run(virtual: Virtual, size: int = 2, units: int = 1, **more: Any) -> TaskRun:
    return await virtual.launch(units=units, blueprint__group=str(size), **more)


async def test_s5_a_group_starts_with_its_second_worker_and_ends_once_both_have_submitted(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_group_run(virtual, units=2)
        async with member(virtual, run, "ann") as ann:
            await trio.sleep(5)
            assert await virtual.agents(run) == [WAITING]
            assert ann.told["status"] == "waiting"
            async with member(virtual, run, "bob") as bob:
                await ann.becomes("in task")
                await bob.becomes("in task")
                await ann.live.send({"text": "hello"})
                assert await bob.live.until(1) == [{"from": 0, "update": {"text": "hello"}}]
                await bob.live.send({"text": "hi"})
                assert await ann.live.until(1) == [{"from": 1, "update": {"text": "hi"}}]
                assert (await ann.page.submit({"said": "hello"})).verdict is Verdict.OK
                assert await virtual.agents(run) == [COMPLETED, IN_TASK]
                assert (await bob.page.submit({"said": "hi"})).verdict is Verdict.OK
        assert await virtual.agents(run) == [COMPLETED, COMPLETED]
        assert await units_of(virtual, run) == [UnitStatus.COMPLETED, UnitStatus.COMPLETED]
        assert await units_of(virtual, run, 2) == [UnitStatus.LAUNCHED, UnitStatus.LAUNCHED]


async def test_s14_a_whole_group_run_ends_by_itself(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_group_run(virtual, units=3)
        live = await virtual.until_live(run.id)
        for pair in (("a", "b"), ("c", "d"), ("e", "f")):
            async with member(virtual, run, pair[0]) as one, member(virtual, run, pair[1]) as other:
                await one.becomes("in task")
                for each in (one, other):
                    assert (await each.page.submit({})).verdict is Verdict.OK
        with trio.fail_after(60):
            await live.ended.wait()
        assert (await virtual.storage.run(run.id)).state is RunState.COMPLETED
        assert set(await virtual.units(run)) == {UnitStatus.COMPLETED}


async def test_x13_a_partner_who_never_comes_is_a_bounded_wait_and_the_time_is_owed(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_group_run(
            virtual,
            blueprint__waiting__limit_s="90",
            blueprint__waiting__cents_per_minute="10",
            blueprint__waiting__fallbacks="['send_away']",
        )
        came = trio.current_time()
        async with member(virtual, run, "ann") as ann:
            assert ann.told["time_left_s"] == 90
            assert ann.told["waiting"] == {
                "here": 1,
                "needed": 1,
                "size": 2,
                "expected_s": None,
                "limit_s": 90,
            }
            await ann.becomes("expired")
            assert trio.current_time() - came < 90 + 20
            again = await ann.page.register()
            assert again.reason == "no_partner"
        (owed,) = await virtual.storage.owed(run.id)
        assert (owed.what, owed.cents) == ("waiting", 15)
        assert 89 < owed.seconds < 110
        assert await virtual.agents(run) == [EXPIRED]
        assert await units_of(virtual, run) == [UnitStatus.LAUNCHED, UnitStatus.LAUNCHED]


async def test_who_only_waited_may_come_again_to_the_same_assignment(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_group_run(
            virtual,
            blueprint__waiting__limit_s="60",
            blueprint__waiting__fallbacks="['send_away']",
            blueprint__drop_out__grace_s="20",
        )
        async with member(virtual, run, "ann") as ann:
            await ann.becomes("expired")  # nobody came
        async with member(virtual, run, "ann", after=ann.page.agent) as again:
            await trio.sleep(1)
        await until_agents(virtual, run, EXPIRED, DISCONNECT)  # closed the page
        assert (await virtual.storage.agents(run.id))[-1].reason == "not_there"
        assert (await again.page.register(after=again.page.agent)).status == "waiting"
        assert {agent.assignment_id for agent in await virtual.storage.agents(run.id)} == {1}


async def test_staff_see_who_waits_for_how_long_and_until_when(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_group_run(virtual, size=3)
        live = await virtual.until_live(run.id)
        assert await live.rooms() == []
        async with member(virtual, run, "ann"):
            async with member(virtual, run, "bob"):
                pass  # the page is closed again
            await trio.sleep(20)
            (room,) = await live.rooms()
            assert (room.here, room.away, room.size, room.simulated) == (1, 1, 3, 0)
            assert 19 < room.waited_s < 25
            assert room.left_s is not None
            assert 570 < room.left_s < 585


async def test_new_workers_fill_the_oldest_group_before_another_is_begun(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_group_run(virtual, units=3)
        async with member(virtual, run, "a"), member(virtual, run, "b"), member(virtual, run, "c"):
            await until_agents(virtual, run, IN_TASK, IN_TASK, WAITING)
            seats = [agent.assignment_id for agent in await virtual.storage.agents(run.id)]
            assert seats == [1, 1, 2]


async def test_whoever_waits_when_staff_expire_the_rest_is_sent_away_at_once(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_group_run(virtual)
        live = await virtual.until_live(run.id)
        async with member(virtual, run, "ann") as ann:
            await live.steering.expire("staff:eve")
            await ann.becomes("expired")
        with trio.fail_after(60):
            await live.ended.wait()


async def test_whoever_waits_when_the_run_is_stopped_is_told_that_it_has_ended(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_group_run(virtual)
        live = await virtual.until_live(run.id)
        async with member(virtual, run, "ann") as ann:
            await live.steering.stop(now=False, who="staff:eve")
            await ann.becomes("disconnect")
            (agent,) = await virtual.storage.agents(run.id)
            assert agent.reason == "run_ended"
        with trio.fail_after(60):
            await live.ended.wait()


async def test_who_waits_in_a_paused_run_is_not_kept_for_longer(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_group_run(virtual, blueprint__waiting__limit_s="60")
        live = await virtual.until_live(run.id)
        async with member(virtual, run, "ann") as ann:
            await live.steering.pause(True, "staff:eve", "lunch")
            await ann.becomes("expired")
