"""Runs from launch to end, on the virtual clock; scenarios S1, S13, S15, S16 and what staff can do."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from crowdd.daemon.checking import LaunchRefused
from crowdd.daemon.clock import simulated_wall
from crowdd.daemon.lifecycle import GaveBack
from crowdd.daemon.live_run import LiveRun
from crowdd.daemon.providers.contract import ProviderSays
from crowdd.protocol.names import AgentStatus, RunId, RunState, UnitId, UnitStatus, WireId
from crowdd.protocol.packets import LogError
from crowdd.storage.contract import RunCounts, Storage
from crowdd.storage.memory import MemoryStorage, Tables
from crowdd.storage.records import TaskRun
from crowdd.storage.writes import MoveRun
from crowdd.testing.simulation.stores import sqlite_store

from .virtual import Virtual, a_task, open_virtual

HOUR_S = 3600.0


async def ended(virtual: Virtual, run: TaskRun) -> TaskRun:
    live = virtual.operator.live(run.id)
    if live is not None:
        with trio.fail_after(24 * HOUR_S):
            await live.ended.wait()
    return await virtual.storage.run(run.id)


async def test_s15_a_whole_run_ends_by_itself_once_every_unit_is_done(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=2)
        for worker in ("ann", "bob"):
            await (await virtual.at_work(run, worker)).submit({"answer": worker})
        assert (await ended(virtual, run)).state is RunState.COMPLETED
        assert await virtual.units(run) == [UnitStatus.COMPLETED] * 2


class SlowToCount(MemoryStorage):
    """A store of which one of the first counts is old by the time it arrives: rows were made meanwhile."""

    def __init__(self, slow: int) -> None:
        super().__init__(Tables())
        self._slow = slow
        self._asked = 0

    async def counts(self, run_id: RunId) -> RunCounts:
        number, self._asked = self._asked, self._asked + 1
        counted = await super().counts(run_id)
        await trio.sleep(5 if number == self._slow else 0)
        return counted


@pytest.mark.parametrize("slow", range(4))
async def test_a_run_whose_first_rows_are_being_made_does_not_end(
    tmp_path: Path, autojump_clock: MockClock, slow: int
) -> None:
    @asynccontextmanager
    async def slow_store() -> AsyncGenerator[Storage]:
        yield SlowToCount(slow)

    async with open_virtual(tmp_path, slow_store) as virtual:
        run = await virtual.launch(units=2)
        await trio.sleep(10)
        assert (await virtual.storage.run(run.id)).state is RunState.RUNNING
        assert await virtual.units(run) == [UnitStatus.LAUNCHED] * 2


SLOW_ROUTER = """
import trio
from crowdd.daemon.architects.mock import MockArchitect

class Slow(MockArchitect):
    name = "slow"
    async def deploy(self):
        await trio.sleep(20)
        return await super().deploy()
"""


async def launched_at_a_slow_router(virtual: Virtual, folder: Path) -> TaskRun:
    """A run of three units, whose router is not there yet."""
    task = a_task(folder, units=3, code=SLOW_ROUTER)
    run = await virtual.operator.launch(task, {"architect.type": "slow"}, "launch", "staff:ann")
    await trio.sleep(10)
    return run


async def test_rows_are_made_while_routers_start_and_released_once_they_are_there(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await launched_at_a_slow_router(virtual, tmp_path)
        assert (await virtual.storage.run(run.id)).state is RunState.LAUNCHING
        assert await virtual.units(run) == [UnitStatus.CREATED] * 3
        virtual.daemon.kill(down_s=1)
        await trio.sleep(12)
        assert await virtual.units(run) == [UnitStatus.CREATED] * 3
        await virtual.until_live(run.id)
        await trio.sleep(1)
        assert await virtual.units(run) == [UnitStatus.LAUNCHED] * 3


async def test_a_run_that_is_stopped_while_its_routers_start_gives_no_unit(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await launched_at_a_slow_router(virtual, tmp_path)
        await virtual.operator.stop(run.id, now=False, who="staff:ann")
        assert await virtual.units(run) == [UnitStatus.EXPIRED] * 3
        assert (await ended(virtual, run)).state is RunState.STOPPED


async def test_s16_a_run_to_which_nobody_comes_is_stopped_and_its_units_expire(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(
            units=2, limits__no_submission_patience_s="3600", limits__assignment_duration_s="600"
        )
        began = trio.current_time()
        assert (await ended(virtual, run)).state is RunState.STOPPED
        assert trio.current_time() - began < HOUR_S + 60
        assert await virtual.units(run) == [UnitStatus.EXPIRED] * 2


async def test_somebody_who_registers_keeps_an_impatient_run_going(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(
            units=2, limits__no_submission_patience_s="3600", limits__assignment_duration_s="600"
        )
        await trio.sleep(HOUR_S - 100)
        await virtual.at_work(run, "ann")
        await trio.sleep(HOUR_S - 100)
        assert (await virtual.storage.run(run.id)).state is RunState.RUNNING


async def test_the_same_launch_twice_is_one_run(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch()
        again = await virtual.operator.launch(tmp_path / "task-digits", {}, "launch of digits", "staff:ann")
        assert again.id == run.id


async def test_the_same_launch_twice_at_once_is_held_once(
    tmp_path: Path, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[RunId] = []
    serve = LiveRun.serve

    async def noted(live: LiveRun) -> None:
        begun.append(live.run.id)
        await serve(live)

    monkeypatch.setattr(LiveRun, "serve", noted)
    task = a_task(tmp_path)
    async with open_virtual(tmp_path) as virtual:
        async with trio.open_nursery() as nursery:
            for _ in range(2):
                nursery.start_soon(virtual.operator.launch, task, dict[str, str](), "one launch", "staff:ann")
        await trio.sleep(1)
        assert len(begun) == 1


async def test_a_run_is_stopped_while_it_is_taken_up(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.operator.launch(a_task(tmp_path), {}, "one launch", "staff:ann")
        await virtual.operator.stop(run.id, now=False, who="staff:ann")
        stopped = await ended(virtual, run)
        assert (stopped.state, stopped.trouble) == (RunState.STOPPED, None)


async def test_a_label_that_is_taken_refuses_the_launch(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual:
        await virtual.launch()
        with pytest.raises(LaunchRefused, match="taken"):
            await virtual.operator.launch(tmp_path / "task-digits", {}, "another launch", "staff:ann")


async def test_a_launch_says_everything_that_is_wrong_and_stores_nothing(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        task = tmp_path / "wrong"
        task.mkdir()
        (task / "task.toml").write_text('name = "x"\nlimit = 3\n[blueprint]\ntype = "sttic"\n')
        with pytest.raises(LaunchRefused) as refused:
            await virtual.operator.launch(task, {}, "launch", "staff:ann")
        assert len(refused.value.problems) == 2
        assert await virtual.storage.runs() == []


async def test_a_unit_whose_time_is_over_is_offered_to_the_next_worker(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=1, limits__assignment_duration_s="600")
        await virtual.at_work(run, "ann")
        await trio.sleep(601)
        assert await virtual.agents(run) == [AgentStatus.TIMEOUT]
        assert (await (await virtual.page(run, "bob")).register()).agent_id


async def test_a_drained_run_lets_those_at_work_finish_and_nobody_in(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=3)
        ann = await virtual.at_work(run, "ann")
        await virtual.operator.stop(run.id, now=False, who="staff:ann")
        assert (await (await virtual.page(run, "bob")).register()).reason == "run_ended"
        assert (await ann.submit({})).told["status"] == "Submitted!"
        assert (await ended(virtual, run)).state is RunState.STOPPED
        assert sorted(status.value for status in await virtual.units(run)) == [
            "completed",
            "expired",
            "expired",
        ]


async def test_a_run_stopped_at_once_dismisses_those_at_work(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=2)
        ann = await virtual.at_work(run, "ann")
        await virtual.operator.stop(run.id, now=True, who="staff:ann")
        assert (await ended(virtual, run)).state is RunState.STOPPED
        assert (await ann.submit({})).reason == "run_ended"


async def test_a_run_may_be_stopped_twice_at_once(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=2)
        await virtual.at_work(run, "ann")
        async with trio.open_nursery() as nursery:
            for now in (False, True):
                nursery.start_soon(virtual.operator.stop, run.id, now, "staff:ann")
        assert (await ended(virtual, run)).state is RunState.STOPPED


@pytest.mark.parametrize("steps", range(12))
async def test_a_run_is_stopped_just_as_it_ends_by_itself(
    tmp_path: Path, autojump_clock: MockClock, steps: int
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=1)
        agent = await virtual.storage.agent_by_wire_id(WireId((await virtual.at_work(run, "ann")).agent))
        live = await virtual.until_live(run.id)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(live.runner.happen, agent.id, GaveBack())
            nursery.start_soon(virtual.operator.expire, run.id, "staff:ann")
            for _ in range(steps):
                await trio.lowlevel.checkpoint()
            nursery.start_soon(virtual.operator.stop, run.id, False, "staff:ann")
        await trio.sleep(1)
        over = await virtual.storage.run(run.id)
        assert (over.state in {RunState.STOPPED, RunState.COMPLETED}, over.trouble) == (True, None)


async def test_a_run_that_was_killed_while_it_was_stopped_ends_after_the_next_start(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=2, limits__no_submission_patience_s="0")
        write = MoveRun(run.id, RunState.RUNNING, RunState.DRAINING, "staff:ann", "as far as it came")
        await virtual.storage.commit([write], simulated_wall())
        virtual.daemon.kill(down_s=1)
        await trio.sleep(2)
        await virtual.daemon.present()
        await trio.sleep(5)
        assert (await ended(virtual, run)).state is RunState.STOPPED


async def test_trouble_is_forgotten_once_the_run_goes_on(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=3, limits__max_num_concurrent_units="1")
        await virtual.storage.set_trouble(run.id, "as it was")
        virtual.daemon.kill(down_s=1)
        await trio.sleep(2)
        await virtual.until_live(run.id)
        assert (await virtual.storage.run(run.id)).trouble is None


async def test_expiry_takes_free_units_and_the_run_ends_when_the_others_are_done(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=5)
        ann = await virtual.at_work(run, "ann")
        assert await virtual.operator.expire(run.id, "staff:ann") == 4
        await ann.submit({})
        assert (await ended(virtual, run)).state is RunState.COMPLETED


async def test_x6_the_end_of_a_run_leaves_completed_units_as_they_are(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=3)
        await (await virtual.at_work(run, "ann")).submit({})
        await virtual.operator.stop(run.id, now=True, who="staff:ann")
        await ended(virtual, run)
        assert UnitStatus.COMPLETED in await virtual.units(run)


async def test_an_ended_run_still_answers_late_pages_and_is_then_undeployed(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=1)
        ann = await virtual.at_work(run, "ann")
        await ann.submit({})
        await ended(virtual, run)
        assert (await (await virtual.page(run, "bob")).register()).reason == "run_ended"
        await trio.sleep(HOUR_S)
        assert virtual.operator.live(run.id) is None


async def test_two_runs_do_not_know_each_other(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual:
        first, second = await virtual.launch("first"), await virtual.launch("second")
        ann = await virtual.at_work(first, "ann")
        there = await virtual.page(second, "ann")
        there.agent = ann.agent
        assert (await there.submit({})).reason == "unknown_agent"


@pytest.mark.parametrize(
    "error",
    [
        "RuntimeError('out of coffee')",
        r"RuntimeError('out of coffee \ud800')",  # half a character: no store holds that
        "asyncio.CancelledError('out of coffee')",
    ],
)
async def test_a_run_whose_code_broke_says_so_and_the_others_go_on(
    tmp_path: Path, autojump_clock: MockClock, error: str
) -> None:
    async with open_virtual(tmp_path, sqlite_store(tmp_path)) as virtual:
        broken, whole = await virtual.launch("broken"), await virtual.launch("whole")
        (kept,) = (
            path.parent for path in tmp_path.glob("data/tasks/*/task.toml") if '"broken"' in path.read_text()
        )
        (kept / "task.py").write_text(f"import asyncio\nraise {error}\n")
        virtual.daemon.kill(down_s=1)
        await trio.sleep(2)
        await virtual.until_live(whole.id)
        assert "out of coffee" in str((await virtual.storage.run(broken.id)).trouble)


async def test_a_run_whose_plug_in_says_what_no_store_holds_ends_no_other(
    tmp_path: Path, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("CRITICAL", "crowdd.daemon.operator.holder")  # nor can pytest-xdist carry it
    code = (
        "import trio\n"
        "from crowdd.daemon.providers.mock import MockProvider\n"
        "class Rude(MockProvider):\n"
        "    name = 'rude'\n"
        "    async def news(self):\n"
        "        await trio.sleep(1)\n"
        "        raise ValueError('half of \\ud800')\n"
        "        yield\n"
    )
    async with open_virtual(tmp_path, sqlite_store(tmp_path)) as virtual:
        whole = await virtual.launch("whole")
        broken = await virtual.launch("broken", code=code, provider__type="rude")
        await trio.sleep(2)
        assert "half of" in str((await virtual.storage.run(broken.id)).trouble)
        assert virtual.operator.live(whole.id) is not None


async def broken_with_ann_at_work(virtual: Virtual, folder: Path) -> TaskRun:
    """A run that cannot be held any more, with one unit at work and one free."""
    run = await virtual.launch(units=2)
    await virtual.at_work(run, "ann")
    (kept,) = (path.parent for path in folder.glob("data/tasks/*/task.toml"))
    (kept / "task.py").write_text("raise RuntimeError('out of coffee')\n")
    virtual.daemon.kill(down_s=1)
    await trio.sleep(2)
    return await virtual.storage.run(run.id)


async def test_a_broken_run_that_is_stopped_at_once_holds_nobody_any_more(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await broken_with_ann_at_work(virtual, tmp_path)
        await virtual.operator.stop(run.id, now=True, who="staff:ann")
        assert (await virtual.storage.run(run.id)).state is RunState.STOPPED
        assert await virtual.units(run) == [UnitStatus.EXPIRED] * 2
        assert await virtual.agents(run) == [AgentStatus.DISCONNECT]


async def test_a_broken_run_that_is_stopped_lets_those_at_work_finish_once_it_is_mended(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await broken_with_ann_at_work(virtual, tmp_path)
        await virtual.operator.stop(run.id, now=False, who="staff:ann")
        stopped = await virtual.storage.run(run.id)
        assert (stopped.state, stopped.rows_done) == (RunState.DRAINING, True)
        assert await virtual.agents(run) == [AgentStatus.IN_TASK]


async def test_news_that_make_no_sense_do_no_harm(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(provider="mock")
        live = await virtual.until_live(run.id)
        (unit, *_) = await virtual.storage.units(run.id)
        provider = live.__dict__["_parts"].provider
        provider.say(ProviderSays(UnitId(999), AgentStatus.RETURNED))
        provider.say(ProviderSays(unit.id, AgentStatus.APPROVED))
        await trio.sleep(1)
        assert virtual.operator.live(run.id) is live


async def test_what_the_provider_says_reaches_the_agent(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(provider="mock")
        page = await virtual.at_work(run, "ann")
        unit = (await virtual.storage.agent_by_wire_id(page.agent)).unit_id  # type: ignore[arg-type]
        live = virtual.operator.live(run.id)
        assert live is not None
        provider = live.__dict__["_parts"].provider
        provider.say(ProviderSays(unit, AgentStatus.RETURNED))
        await trio.sleep(1)
        assert await virtual.agents(run) == [AgentStatus.RETURNED]


async def test_a_restarted_daemon_goes_on_with_what_storage_says(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=2)
        ann = await virtual.at_work(run, "ann")
        virtual.daemon.kill(down_s=5)
        await trio.sleep(6)
        await virtual.until_live(run.id)
        assert (await ann.submit({"answer": 1})).told["status"] == "Submitted!"


async def test_a_shutdown_does_not_wait_for_the_grace_when_nobody_is_at_work(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        await virtual.launch()
        operator, began = virtual.operator, trio.current_time()
        virtual.daemon.stop(down_s=1000)
        while virtual.daemon.operator is operator:
            await trio.sleep(0.1)
        assert trio.current_time() - began < 5


async def test_an_error_report_about_an_agent_of_another_run_is_dropped(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        first, second = await virtual.launch("first"), await virtual.launch("second")
        ann = await virtual.at_work(first, "ann")
        live = await virtual.until_live(second.id)
        io = live.__dict__["_crew"].reception.io
        io.hand_in(io.links[0], LogError(WireId(ann.agent), {"error": "not mine"}))
        await trio.sleep(1)
        assert await virtual.storage.errors(second.id) == []
