"""Who leaves a group that has begun: the others end, go on, get somebody new or a simulated partner."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio
from trio.testing import MockClock

from crowdd.protocol.names import AgentStatus, RunState, UnitStatus
from crowdd.storage.records import TaskRun
from crowdd.testing.verdicts import Verdict

from .group_pages import Member, member, units_of, until_agents
from .virtual import Virtual, open_virtual

WAITING, IN_TASK, COMPLETED = AgentStatus.WAITING, AgentStatus.IN_TASK, AgentStatus.COMPLETED
RETURNED, PARTNER_LEFT = AgentStatus.RETURNED, AgentStatus.PARTNER_DISCONNECT
DISCONNECT, EXPIRED = AgentStatus.DISCONNECT, AgentStatus.EXPIRED

CODE = """
async def run_assignment(assignment, group):
    try:
        async for agent, update in group.updates():
            await group.send({"from": agent.index, "number": agent.number, "said": update["said"]}, but=agent)
    except Exception as exc:
        await group[0].run_sync(print, exc)
        raise
"""


async def a_run(virtual: Virtual, policy: str, size: int = 2, **more: Any) -> TaskRun:
    return await virtual.launch(
        units=1,
        code=CODE,
        blueprint__group=str(size),
        blueprint__drop_out__policy=policy,
        **more,
    )


@asynccontextmanager
async def a_pair(virtual: Virtual, run: TaskRun) -> AsyncGenerator[tuple[Member, Member]]:
    """Two who have begun."""
    async with member(virtual, run, "ann") as ann, member(virtual, run, "bob") as bob:
        await ann.becomes("in task")
        await bob.becomes("in task")
        yield ann, bob


async def leave(one: Member) -> None:
    answered = await one.page.doors.post("return_unit", {"USED_AGENT_ID": one.page.agent}, 60)
    assert answered.verdict is Verdict.OK


async def test_x13_a_partner_who_leaves_ends_the_group_and_the_other_may_submit(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual, "end")
        live = await virtual.until_live(run.id)
        async with a_pair(virtual, run) as (ann, bob):
            await leave(bob)
            await ann.becomes("partner disconnect")
            assert (await ann.page.submit({"what": "there is"})).verdict is Verdict.OK
        assert await virtual.agents(run) == [COMPLETED, RETURNED]
        assert await units_of(virtual, run) == [UnitStatus.COMPLETED, UnitStatus.EXPIRED]
        with trio.fail_after(60):
            await live.ended.wait()
        assert (await virtual.storage.run(run.id)).state is RunState.COMPLETED
        assert await virtual.storage.errors(run.id) == []


async def test_a_group_that_is_large_enough_goes_on_without_who_left(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual, "go_on", size=3, blueprint__group_min="2")
        async with a_pair_and_a_third(virtual, run) as (ann, bob, cat):
            await leave(cat)
            await ann.live.send({"said": "still two"})
            assert await bob.live.until(1) == [{"from": 0, "number": 1, "said": "still two"}]
            await leave(bob)
            await ann.becomes("partner disconnect")
            assert (await ann.page.submit({})).verdict is Verdict.OK
        assert await virtual.agents(run) == [COMPLETED, RETURNED, RETURNED]
        expired = UnitStatus.EXPIRED
        assert await units_of(virtual, run) == [UnitStatus.COMPLETED, expired, expired]


@asynccontextmanager
async def a_pair_and_a_third(virtual: Virtual, run: TaskRun) -> AsyncGenerator[tuple[Member, Member, Member]]:
    async with (
        member(virtual, run, "ann") as ann,
        member(virtual, run, "bob") as bob,
        member(virtual, run, "cat") as cat,
    ):
        for one in (ann, bob, cat):
            await one.becomes("in task")
        yield ann, bob, cat


async def test_x13_a_new_worker_takes_the_place_and_gets_the_history(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual, "replace")
        async with a_pair(virtual, run) as (ann, bob):
            await ann.live.send({"said": "one"})
            await bob.live.until(1)
            await leave(bob)
            await trio.sleep(20)
            assert ann.statuses()[-1] == "in task"
            async with member(virtual, run, "cat") as cat:
                await cat.becomes("in task")
                told = (await cat.page.register()).told["init_task_data"]["past_live_updates"]
                assert [(update["said"], update["update_id"]) for update in told] == [("one", "p2.1")]
                await cat.live.send({"said": "two"})
                assert await ann.live.until(1) == [{"from": 1, "number": 3, "said": "two"}]
                await ann.live.send({"said": "three"})
                assert [update["said"] for update in await cat.live.until(1)] == ["three"]
                for one in (ann, cat):
                    assert (await one.page.submit({})).verdict is Verdict.OK
        assert await virtual.agents(run) == [COMPLETED, RETURNED, COMPLETED]


async def test_where_nobody_new_comes_the_search_has_an_end(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual, "replace", blueprint__drop_out__replace_s="40")
        async with a_pair(virtual, run) as (ann, bob):
            await leave(bob)
            left_at = trio.current_time()
            await ann.becomes("partner disconnect")
            assert 39 < trio.current_time() - left_at < 45
        assert await units_of(virtual, run) == [UnitStatus.ASSIGNED, UnitStatus.EXPIRED]


async def test_nobody_is_sought_any_more_when_staff_expire_the_seat(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual, "replace")
        live = await virtual.until_live(run.id)
        async with a_pair(virtual, run) as (ann, bob):
            await leave(bob)
            await trio.sleep(5)
            await live.steering.expire("staff:eve")
            left_at = trio.current_time()
            await ann.becomes("partner disconnect")
            assert trio.current_time() - left_at < 5


PARTNER = """
async def simulated_partner(partner):
    await partner.send({"said": "I am new here"})
    async for update in partner.updates():
        if update["said"] == "bye":
            return {"answer": "bye"}
"""


async def test_a_simulated_partner_takes_the_place(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(
            units=1, code=CODE + PARTNER, blueprint__group="2", blueprint__drop_out__policy="simulated"
        )
        async with a_pair(virtual, run) as (ann, bob):
            await leave(bob)
            assert [update["said"] for update in await ann.live.until(1)] == ["I am new here"]
            await ann.live.send({"said": "bye"})
            assert (await ann.page.submit({})).verdict is Verdict.OK
        await until_agents(virtual, run, COMPLETED, RETURNED, COMPLETED)


HISTORIAN = """
async def simulated_partner(partner):
    heard = []
    async for update in partner.updates():
        heard.append(update["said"])
        if update["said"] == "bye":
            return {"heard": heard}
"""


async def test_a_simulated_partner_knows_what_was_said_before_also_after_a_restart(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(
            units=1, code=CODE + HISTORIAN, blueprint__group="2", blueprint__drop_out__policy="simulated"
        )
        async with a_pair(virtual, run) as (ann, bob):
            await ann.live.send({"said": "one"})
            await bob.live.until(1)
            await leave(bob)
            await ann.live.send({"said": "two"})
            await trio.sleep(5)
            virtual.daemon.kill(down_s=5)
            await trio.sleep(10)
            await virtual.until_live(run.id)
            await ann.live.send({"said": "bye"})
            await trio.sleep(20)
            assert (await ann.page.submit({})).verdict is Verdict.OK
        await until_agents(virtual, run, COMPLETED, RETURNED, COMPLETED)
        [record] = [row for row in await virtual.storage.export(run.id) if row.agent.id == 3]
        assert json.loads(record.submission.data) == {"heard": ["one", "two", "bye"]}


async def test_a_partner_that_fails_ends_the_group_and_is_noted(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        broken = "async def simulated_partner(partner):\n    raise ValueError('no idea')\n"
        run = await virtual.launch(
            units=1, code=CODE + broken, blueprint__group="2", blueprint__drop_out__policy="simulated"
        )
        async with a_pair(virtual, run) as (ann, bob):
            await leave(bob)
            await ann.becomes("partner disconnect")
        (error,) = await virtual.storage.errors(run.id)
        assert "no idea" in str(error.data)


async def test_code_that_fails_ends_the_group_for_all_and_seeks_nobody(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual, "replace")
        live = await virtual.until_live(run.id)
        async with a_pair(virtual, run) as (ann, _bob):
            await ann.live.send({"nothing": "said"})
            await until_agents(virtual, run, DISCONNECT, DISCONNECT)
        with trio.fail_after(60):
            await live.ended.wait()
        assert set(await units_of(virtual, run)) == {UnitStatus.EXPIRED}


async def test_who_came_to_take_a_place_is_not_kept_when_the_group_ends(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual, "replace")
        async with a_pair(virtual, run) as (ann, bob):
            await leave(bob)
            page = await virtual.page(run, "cat")  # without a socket: not there yet
            assert (await page.register()).status == "waiting"
            assert (await ann.page.submit({})).verdict is Verdict.OK
            await until_agents(virtual, run, COMPLETED, RETURNED, EXPIRED)
        assert await units_of(virtual, run) == [UnitStatus.COMPLETED, UnitStatus.EXPIRED]
