"""Runs that staff pause and resume, on the virtual clock, over both bodies of storage."""

from collections.abc import Callable
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from crowdd.protocol.names import RunState, UnitStatus
from crowdd.storage.errors import StaleWrite
from crowdd.storage.records import TaskRun
from crowdd.testing.simulation.stores import OpenStore, memory_store, sqlite_store
from crowdd.testing.verdicts import Verdict

from .virtual import Virtual, open_virtual

HOUR_S = 3600.0
STAFF = "staff:ann"
MakeStore = Callable[[Path], OpenStore]


@pytest.fixture(params=[memory_store, sqlite_store], ids=["memory", "sqlite"])
def make_store(request: pytest.FixtureRequest) -> MakeStore:
    made: MakeStore = request.param
    return made


async def pause(virtual: Virtual, run: TaskRun) -> None:
    await virtual.operator.pause(run.id, True, STAFF, "lunch")


async def resume(virtual: Virtual, run: TaskRun) -> None:
    await virtual.operator.pause(run.id, False, STAFF, "back")


async def restart(virtual: Virtual, run: TaskRun) -> None:
    virtual.daemon.kill(down_s=1)
    await trio.sleep(2)
    await virtual.until_live(run.id)


async def test_while_paused_newcomers_are_told_to_ask_again_and_later_they_are_let_in(
    tmp_path: Path, autojump_clock: MockClock, make_store: MakeStore
) -> None:
    async with open_virtual(tmp_path, make_store(tmp_path)) as virtual:
        run = await virtual.launch()
        await pause(virtual, run)
        bob = await virtual.page(run, "bob")
        told = await bob.register()
        assert (told.verdict, told.reason, told.retry_after_s) == (Verdict.LATER, "paused", 30)
        assert told.told["failure_reason"].startswith("This task is pausing")
        await resume(virtual, run)
        assert (await bob.register()).agent_id


async def test_while_paused_who_is_at_work_reloads_and_submits_and_gets_no_next_unit(
    tmp_path: Path, autojump_clock: MockClock, make_store: MakeStore
) -> None:
    async with open_virtual(tmp_path, make_store(tmp_path)) as virtual:
        run = await virtual.launch()
        ann = await virtual.at_work(run, "ann")
        first = ann.agent
        await pause(virtual, run)
        assert (await ann.register()).agent_id == first
        assert (await ann.submit({"answer": 1})).verdict is Verdict.OK
        assert (await ann.register(after=first)).reason == "paused"
        assert (await virtual.units(run)).count(UnitStatus.COMPLETED) == 1


async def test_a_pause_survives_a_restart_and_so_does_the_work_of_those_who_were_there(
    tmp_path: Path, autojump_clock: MockClock, make_store: MakeStore
) -> None:
    async with open_virtual(tmp_path, make_store(tmp_path)) as virtual:
        run = await virtual.launch()
        ann = await virtual.at_work(run, "ann")
        first = ann.agent
        await pause(virtual, run)
        virtual.daemon.stop(down_s=1)  # says goodbye: ann is disconnected, her unit kept
        await trio.sleep(60)
        await virtual.until_live(run.id)
        assert (await virtual.storage.run(run.id)).paused
        assert (await (await virtual.page(run, "bob")).register()).reason == "paused"
        assert (await ann.register()).agent_id == first
        assert (await ann.submit({"answer": 1})).verdict is Verdict.OK


async def test_a_paused_run_does_not_lose_patience_and_after_it_has_all_of_it_again(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(
            limits__no_submission_patience_s="3600", limits__assignment_duration_s="600"
        )
        await trio.sleep(HOUR_S - 100)
        await pause(virtual, run)
        await trio.sleep(1.5 * HOUR_S)
        await restart(virtual, run)
        await trio.sleep(1.5 * HOUR_S)
        await resume(virtual, run)
        await trio.sleep(HOUR_S - 100)
        assert (await virtual.storage.run(run.id)).state is RunState.RUNNING
        await trio.sleep(200)
        assert (await virtual.storage.run(run.id)).state is RunState.STOPPED


async def test_a_paused_run_still_ends_once_every_unit_is_done(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=1)
        ann = await virtual.at_work(run, "ann")
        await pause(virtual, run)
        await ann.submit({})
        await trio.sleep(5)
        assert (await virtual.storage.run(run.id)).state is RunState.COMPLETED
        with pytest.raises(StaleWrite):
            await pause(virtual, run)


async def test_a_run_that_cannot_be_held_is_paused_all_the_same(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch()
        (virtual.task_folder(run) / "task.py").write_text("raise OSError('out of coffee')")
        virtual.daemon.kill(down_s=1)
        await trio.sleep(5)
        await pause(virtual, run)
        (virtual.task_folder(run) / "task.py").unlink()
        await restart(virtual, run)
        assert (await (await virtual.page(run, "bob")).register()).reason == "paused"


async def test_a_task_words_its_pause_itself(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(texts__paused="Back at two.")
        await pause(virtual, run)
        told = await (await virtual.page(run, "bob")).register()
        assert told.told["failure_reason"] == "Back at two."
