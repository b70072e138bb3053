"""Groups over crashes and stops of the daemon: whoever waits, works, or is sought, from storage alone."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from crowdd.daemon.live.pieces import Pieces
from crowdd.protocol.names import AgentStatus, AssignmentId, PieceKind, RunState, UnitStatus
from crowdd.storage.errors import NotFound
from crowdd.testing.verdicts import Verdict

from .group_pages import member, units_of, until_agents
from .test_group_leavers import CODE, PARTNER, a_pair, a_run, leave
from .virtual import open_virtual

WAITING, IN_TASK, COMPLETED = AgentStatus.WAITING, AgentStatus.IN_TASK, AgentStatus.COMPLETED
RETURNED, EXPIRED, DISCONNECT = AgentStatus.RETURNED, AgentStatus.EXPIRED, AgentStatus.DISCONNECT


async def test_who_waits_when_the_daemon_crashes_waits_on_and_gets_a_partner(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual, "end")
        async with member(virtual, run, "ann") as ann:
            await trio.sleep(10)
            virtual.daemon.kill(down_s=5)
            await trio.sleep(6)
            await virtual.until_live(run.id)
            async with member(virtual, run, "bob") as bob:
                await ann.becomes("in task")
                await bob.becomes("in task")
                await ann.live.send({"said": "hello"})
                await bob.live.until(1)


@pytest.mark.parametrize("how", ["returned", "submitted"])
async def test_whoever_is_through_before_the_groups_code_begins_has_a_seat_in_it_all_the_same(
    how: str, tmp_path: Path, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    begins = trio.Event()

    async def after_a_start(pieces: Pieces) -> None:
        await begins.wait()

    monkeypatch.setattr(Pieces, "_after_first_words", after_a_start)
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual, "end")
        async with a_pair(virtual, run) as (ann, bob):
            await (leave(bob) if how == "returned" else bob.page.submit({}))
            begins.set()
            if how == "returned":
                await ann.becomes("partner disconnect")
            assert (await ann.page.submit({})).verdict is Verdict.OK
        first, second = await virtual.storage.agents_of_assignment(AssignmentId(1))
        (begun, *_) = await virtual.storage.journal(PieceKind.ASSIGNMENT, 1)
        assert begun.result["agents"] == [first.id, second.id]
        assert [first.status, second.status] == [COMPLETED, RETURNED if how == "returned" else COMPLETED]


async def test_who_waits_over_a_crash_has_an_end_all_the_same(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(
            virtual,
            "end",
            blueprint__waiting__limit_s="60",
            blueprint__waiting__fallbacks="['send_away']",
            limits__rejoin_s="30",
        )
        came = trio.current_time()
        async with member(virtual, run, "ann") as ann:
            await trio.sleep(50)
            virtual.daemon.kill(down_s=5)
            await ann.becomes("expired")
            assert 60 < trio.current_time() - came < 60 + 5 + 30 + 20
            assert len(await virtual.storage.owed(run.id)) == 1


async def test_who_waits_when_the_daemon_is_stopped_comes_back_to_the_same_seat(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual, "end", limits__grace_s="1")
        async with member(virtual, run, "ann") as ann:
            await trio.sleep(10)
            virtual.daemon.stop(down_s=5)
            await ann.becomes("disconnect")
            await trio.sleep(10)
            await virtual.until_live(run.id)
            again = await ann.page.register()
            assert (again.agent_id, again.status) == (ann.page.agent, "waiting")
            async with member(virtual, run, "bob") as bob:
                await bob.becomes("in task")
                assert await virtual.agents(run) == [IN_TASK, IN_TASK]


async def test_whoever_does_not_come_back_from_a_stop_leaves_the_seat_to_others(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual, "end", limits__grace_s="1", limits__rejoin_s="30")
        async with member(virtual, run, "ann"):
            await trio.sleep(10)
        virtual.daemon.stop(down_s=5)
        await trio.sleep(10)
        await virtual.until_live(run.id)
        async with member(virtual, run, "bob") as bob:
            assert (await (await virtual.page(run, "cat")).register()).reason == "no_available_units"
            await trio.sleep(30)
            async with member(virtual, run, "cat"):
                await bob.becomes("in task")


async def test_a_group_that_has_begun_goes_on_after_a_stop_with_all_who_come_back(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual, "end", limits__grace_s="1")
        async with a_pair(virtual, run) as (ann, bob):
            await ann.live.send({"said": "before"})
            await bob.live.until(1)
            virtual.daemon.stop(down_s=5)
            await ann.becomes("disconnect")
            await trio.sleep(10)
            await virtual.until_live(run.id)
            for one in (ann, bob):
                assert (await one.page.register()).status == "in task"
            await bob.live.send({"said": "after"})
            assert [update["said"] for update in await ann.live.until(1)] == ["after"]
            await ann.live.send({"said": "and on"})
            assert (await bob.live.until(2))[-1]["said"] == "and on"
            for one in (ann, bob):
                assert (await one.page.submit({})).verdict is Verdict.OK
        assert await virtual.agents(run) == [COMPLETED, COMPLETED]


async def test_who_does_not_come_back_to_a_group_after_a_stop_has_left_it(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual, "end", limits__grace_s="1", limits__rejoin_s="30")
        async with a_pair(virtual, run) as (ann, _bob):
            virtual.daemon.stop(down_s=5)
            await ann.becomes("disconnect")
            await trio.sleep(10)
            await virtual.until_live(run.id)
            await ann.page.register()
            await ann.becomes("partner disconnect")
            assert (await ann.page.submit({})).verdict is Verdict.OK
        assert await units_of(virtual, run) == [UnitStatus.COMPLETED, UnitStatus.EXPIRED]


async def test_whose_group_has_ended_is_told_so_again_after_a_stop(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual, "end", limits__grace_s="1")
        async with a_pair(virtual, run) as (ann, bob):
            await leave(bob)
            await ann.becomes("partner disconnect")
            virtual.daemon.stop(down_s=5)
            await ann.becomes("disconnect")
            await trio.sleep(10)
            await virtual.until_live(run.id)
            await ann.page.register()
            await ann.becomes("partner disconnect")
            assert (await ann.page.submit({})).verdict is Verdict.OK


async def test_a_new_worker_is_sought_over_a_crash(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual, "replace")
        async with a_pair(virtual, run) as (ann, bob):
            await leave(bob)
            await trio.sleep(5)
            virtual.daemon.kill(down_s=5)
            await trio.sleep(6)
            await virtual.until_live(run.id)
            async with member(virtual, run, "cat") as cat:
                await cat.becomes("in task")
                await cat.live.send({"said": "hello"})
                assert [update["said"] for update in await ann.live.until(1)] == ["hello"]
                virtual.daemon.kill(down_s=5)
                await trio.sleep(6)
                await virtual.until_live(run.id)
                await ann.live.send({"said": "still here"})
                assert (await cat.live.until(1))[-1]["said"] == "still here"
                for one in (ann, cat):
                    assert (await one.page.submit({})).verdict is Verdict.OK
        assert await virtual.agents(run) == [COMPLETED, RETURNED, COMPLETED]


async def test_a_simulated_partner_goes_on_after_a_crash_and_says_nothing_twice(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(
            units=1, code=CODE + PARTNER, blueprint__group="2", blueprint__drop_out__policy="simulated"
        )
        async with a_pair(virtual, run) as (ann, bob):
            await leave(bob)
            await ann.live.until(1)
            for end in (virtual.daemon.kill, virtual.daemon.stop):
                end(5)
                await trio.sleep(60)
                await virtual.until_live(run.id)
                await ann.page.register()
            await ann.live.send({"said": "bye"})
            assert (await ann.page.submit({})).verdict is Verdict.OK
            await until_agents(virtual, run, COMPLETED, RETURNED, COMPLETED)
            assert [update["said"] for update in ann.live.updates()].count("I am new here") == 1


async def test_a_group_that_nobody_comes_back_to_is_over_and_its_run_ends(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual, "replace", limits__grace_s="1", limits__rejoin_s="30")
        async with a_pair(virtual, run) as (_ann, bob):
            await leave(bob)
            await trio.sleep(5)
        virtual.daemon.stop(down_s=5)
        await trio.sleep(10)
        live = await virtual.until_live(run.id)
        with trio.fail_after(600):
            await live.ended.wait()
        assert set(await units_of(virtual, run)) == {UnitStatus.EXPIRED}


async def test_who_was_asked_when_the_daemon_crashed_is_asked_again_and_the_group_starts(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual, "end")
        async with member(virtual, run, "ann", answers=False) as ann:
            await trio.sleep(120)
            async with member(virtual, run, "bob") as bob:
                with trio.fail_after(10):
                    while not ann.asked():
                        await trio.sleep(0.1)
                virtual.daemon.kill(down_s=5)
                ann.answers = True
                await ann.becomes("in task")
                await bob.becomes("in task")
                assert ann.asked() == 2
        assert await virtual.agents(run) == [IN_TASK, IN_TASK]


async def test_whoever_waits_after_a_crash_is_told_how_long_it_may_take(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual, AsyncExitStack() as stack:
        run = await virtual.launch(units=2, code=CODE, blueprint__group="4")
        for name in ("ann", "bob", "cem", "dan", "eva"):
            one = await stack.enter_async_context(member(virtual, run, name))
            await trio.sleep(40)
        before = (await one.page.register()).told["waiting"]["expected_s"]
        virtual.daemon.kill(down_s=5)
        await trio.sleep(6)
        await virtual.until_live(run.id)
        after = (await one.page.register()).told["waiting"]["expected_s"]
        assert before is not None
        assert after is not None
        assert abs(after - before) < 30


async def test_who_waits_in_a_paused_run_has_an_end_all_the_same_and_is_paid(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual, "end", blueprint__waiting__limit_s="60")
        async with member(virtual, run, "ann") as ann:
            await virtual.operator.pause(run.id, True, "staff:ann", "lunch")
            await ann.becomes("expired")
            assert 55 < trio.current_time() < 90
            assert len(await virtual.storage.owed(run.id)) == 1


async def test_a_group_talks_on_while_its_run_is_paused_and_over_a_crash(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_run(virtual, "end")
        async with a_pair(virtual, run) as (ann, bob):
            await virtual.operator.pause(run.id, True, "staff:ann", "lunch")
            await ann.live.send({"said": "one"})
            await bob.live.until(1)
            virtual.daemon.kill(down_s=5)
            await ann.live.send({"said": "two"})
            assert [update["said"] for update in await bob.live.until(2)] == ["one", "two"]
            for one in (ann, bob):
                assert (await one.page.submit({"done": True})).verdict is Verdict.OK
        await until_agents(virtual, run, COMPLETED, COMPLETED)


async def test_a_run_is_deleted_while_the_code_of_a_group_that_was_dismissed_still_ends(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    ending = CODE.replace("        raise", "        await trio.sleep(30)\n        raise")
    slow = f"import trio\n{ending}"
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=1, code=slow, blueprint__group="2")
        async with a_pair(virtual, run):
            await virtual.operator.stop(run.id, True, "staff:ann")
            await trio.sleep(2)
            live = virtual.operator.live(run.id)
            assert live is not None
            await virtual.operator.delete(run.id, "staff:ann")
        with pytest.raises(NotFound):
            await virtual.storage.run(run.id)
        assert virtual.operator.live(run.id) is None


GOLD = """
[gold]
qualification_base = "g"
max_units = 9
min_golds = 1
"""
ALONE_FIRST = (
    CODE
    + """
async def run_unit(unit, agent):
    async for update in agent.updates():
        await agent.send({"alone": update["said"]})

def gold_for_worker(worker):
    return {"question": worker.name}

def on_unit_submitted(agent):
    return agent.data.get("right") if agent.unit.is_gold else None
"""
)


async def test_who_does_a_gold_unit_alone_first_joins_a_group_then_over_crashes(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(
            units=1,
            sections=GOLD,
            code=ALONE_FIRST,
            blueprint__group="2",
            limits__allowed_concurrent="1",
        )
        afters: list[str] = []
        for name in ("ann", "bob"):
            async with member(virtual, run, name) as one:
                await one.becomes("in task")
                await one.live.send({"said": "one"})
                virtual.daemon.kill(down_s=5)
                await one.live.send({"said": "two"})
                assert await one.live.until(2) == [{"alone": "one"}, {"alone": "two"}]
                assert (await one.page.submit({"right": True})).verdict is Verdict.OK
                afters.append(one.page.agent)
        virtual.daemon.kill(down_s=5)
        await trio.sleep(6)
        await virtual.until_live(run.id)
        async with (
            member(virtual, run, "ann", after=afters[0]) as ann,
            member(virtual, run, "bob", after=afters[1]) as bob,
        ):
            await ann.becomes("in task")
            await ann.live.send({"said": "hello"})
            virtual.daemon.kill(down_s=5)
            assert [update["said"] for update in await bob.live.until(1)] == ["hello"]
            for one in (ann, bob):
                assert (await one.page.submit({"done": True})).verdict is Verdict.OK
        await until_agents(virtual, run, COMPLETED, COMPLETED, COMPLETED, COMPLETED)
        await trio.sleep(10)
        assert (await virtual.storage.run(run.id)).state is RunState.COMPLETED
