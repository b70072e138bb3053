"""Ended runs that are deleted, on the virtual clock: whole, alone, and to the end after any crash."""

from contextlib import aclosing
from pathlib import Path

import attrs
import pytest
import trio
from trio.testing import MockClock

from crowdd.daemon.clock import simulated_wall
from crowdd.daemon.deletion import Deletion, DeletionFailed, Order
from crowdd.daemon.house import House
from crowdd.daemon.providers.contract import LinkUnknown
from crowdd.daemon.registry import installed_plug_ins
from crowdd.daemon.user_code import UserCode
from crowdd.protocol.names import RunState
from crowdd.storage import check_store
from crowdd.storage.errors import NotFound, StaleWrite
from crowdd.storage.records import TaskRun
from crowdd.testing.simulation.stores import sqlite_store

from .virtual import Virtual, open_virtual

STAFF = "staff:ann"
ANSWERS = 2


async def a_done_run(virtual: Virtual, label: str = "digits") -> TaskRun:
    """Completed: two answers, and a file that a worker uploaded."""
    run = await virtual.launch(label, units=ANSWERS)
    for name in ("ann", "bob"):
        await (await virtual.at_work(run, name)).submit({"answer": name})
    await trio.sleep(5)
    (run_folder(virtual, run) / "files" / "aaaa").write_bytes(b"x" * 1000)
    run = await virtual.storage.run(run.id)
    assert run.state is RunState.COMPLETED
    return run


def run_folder(virtual: Virtual, run: TaskRun) -> Path:
    return virtual.daemon.data / "runs" / str(run.id)


async def is_gone(virtual: Virtual, run: TaskRun) -> bool:
    assert not run_folder(virtual, run).exists()
    assert not virtual.task_folder(run).exists()
    try:
        await virtual.storage.run(run.id)
    except NotFound:
        return True
    return False


async def test_an_ended_run_goes_with_its_files_and_its_neighbour_goes_on(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path, sqlite_store(tmp_path)) as virtual:
        other = await virtual.launch("other", units=2)
        await virtual.at_work(other, "cid")
        run = await a_done_run(virtual)
        said = await virtual.operator.stock(run.id)
        assert (said.units, said.submissions) == (ANSWERS, ANSWERS)
        assert said.bytes > 1000
        assert (await virtual.operator.delete(run.id, STAFF))[0].submissions == ANSWERS
        assert await is_gone(virtual, run)
        assert len(await virtual.agents(other)) == 1
        assert run_folder(virtual, other).exists()
        assert [worker.name for worker in await virtual.storage.workers()] == ["cid", "ann", "bob"]
    assert check_store(tmp_path / "crowdd.db") == []


async def test_the_routers_of_a_run_that_ended_just_now_are_taken_down_first(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_done_run(virtual)
        assert virtual.operator.live(run.id) is not None  # it still answers late pages
        began = trio.current_time()
        await virtual.operator.delete(run.id, STAFF)
        assert virtual.operator.live(run.id) is None
        assert trio.current_time() - began < 60
        assert await is_gone(virtual, run)


ROUTERS_OUT_OF_REACH = """
from crowdd.daemon.architects.mock import MockArchitect
from crowdd.daemon.channel import LinkLost, LinkRefused

class Crowd:
    name = "crowd"
    async def undeploy(self, label, discard=False):
        raise LinkLost("connection refused")

class Away(MockArchitect):
    name = "away"
    async def lasting(self):
        return [Crowd()]

class Forgotten(MockArchitect):
    name = "forgotten"
    async def lasting(self):
        raise LinkRefused("routers.toml names no crowd")
"""
BY_HAND = "while it is stopped, remove runs/digits and set_aside/digits-* from its folder."


@pytest.mark.parametrize(
    ("architect", "said"),
    [
        ("away", "Router crowd could not be told: connection refused. It may still have"),
        (
            "forgotten",
            "Its routers are not known: routers.toml names no crowd. One that runs other runs, too, may",
        ),
    ],
)
async def test_a_run_goes_and_staff_are_told_what_routers_out_of_reach_may_have_of_it(
    tmp_path: Path, autojump_clock: MockClock, architect: str, said: str
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=1, code=ROUTERS_OUT_OF_REACH, architect__type=architect)
        await virtual.operator.stop(run.id, True, STAFF)
        await trio.sleep(5)
        _, (left,) = await virtual.operator.delete(run.id, STAFF)
        assert left.startswith(said)
        assert left.endswith(BY_HAND)
        assert await is_gone(virtual, run)


async def test_who_asked_may_leave_as_soon_as_a_deletion_is_begun(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_done_run(virtual)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(virtual.operator.delete, run.id, STAFF)
            while not (await virtual.storage.run(run.id)).deleting:
                await trio.lowlevel.checkpoint()
            nursery.cancel_scope.cancel()
        await trio.sleep(60)
        assert await is_gone(virtual, run)


PLUG_INS_THAT_FAIL = """
import trio
from crowdd.daemon.architects.mock import MockArchitect
from crowdd.daemon.providers.mock import MockProvider

class Confused(MockProvider):
    name = "confused"
    async def forget_run(self, who):
        raise KeyError("a mistake of its author")

class Silent(MockProvider):
    name = "silent"
    async def forget_run(self, who):
        await trio.sleep_forever()

class Unmade(MockProvider):
    name = "unmade"
    def __init__(self, options, place):
        super().__init__(options, place)
        if place.run.deleting:
            raise KeyError("a mistake of its author")

class Lost(MockArchitect):
    name = "lost"
    async def lasting(self):
        raise KeyError("a mistake of its author")

class Mute(MockArchitect):
    name = "mute"
    async def lasting(self):
        await trio.sleep_forever()
"""


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("provider", "confused"),
        ("provider", "silent"),
        ("provider", "unmade"),
        ("architect", "lost"),
        ("architect", "mute"),
    ],
)
async def test_a_plug_in_that_fails_keeps_no_run_from_going_and_ends_no_other(
    tmp_path: Path, autojump_clock: MockClock, part: str, name: str
) -> None:
    async with open_virtual(tmp_path) as virtual:
        other = await virtual.launch("other", units=1)
        run = await virtual.launch(units=1, code=PLUG_INS_THAT_FAIL, **{f"{part}__type": name})
        await virtual.operator.stop(run.id, True, STAFF)
        await trio.sleep(5)
        await virtual.operator.delete(run.id, STAFF)
        assert await is_gone(virtual, run)
        assert virtual.operator.live(other.id) is not None


ROUTER_THAT_FAILS = """
from crowdd.daemon.architects.mock import MockArchitect

class Confused:
    name = "confused"
    async def undeploy(self, label, discard=False):
        raise KeyError("a mistake of its author")

class Away(MockArchitect):
    name = "away"
    async def lasting(self):
        return [Confused()]
"""


async def test_a_deletion_that_fails_as_none_should_is_told_and_ends_nothing_else(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        other = await virtual.launch("other", units=1)
        run = await virtual.launch(units=1, code=ROUTER_THAT_FAILS, architect__type="away")
        await virtual.operator.stop(run.id, True, STAFF)
        await trio.sleep(5)
        with pytest.raises(DeletionFailed, match="being deleted, but: 'a mistake of its author'"):
            await virtual.operator.delete(run.id, STAFF)
        assert virtual.operator.live(other.id) is not None


@pytest.mark.parametrize(
    ("architect", "may_last"), [("local", False), ("remote", True), ("of its own", True)]
)
async def test_of_a_broken_run_staff_are_told_of_routers_only_where_some_may_outlast_it(
    tmp_path: Path, autojump_clock: MockClock, architect: str, may_last: bool
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=1)
        await virtual.operator.stop(run.id, True, STAFF)
        await trio.sleep(700)  # its late pages had their time
        (virtual.task_folder(run) / "task.py").write_text("no Python")
        order = Order(attrs.evolve(await virtual.storage.run(run.id), architect=architect), STAFF)
        deletion = Deletion(virtual_house(virtual), installed_plug_ins())
        async with aclosing(deletion.steps(order)) as steps:
            await anext(steps)
        assert [said.startswith("Its routers are not known: ") for said in order.left] == ([True] * may_last)


async def test_only_an_ended_run_is_deleted(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch()
        with pytest.raises(StaleWrite):
            await virtual.operator.delete(run.id, STAFF)
        assert virtual.operator.live(run.id) is not None
        with pytest.raises(NotFound):
            await virtual.operator.delete(type(run.id)(99), STAFF)


async def test_links_of_a_deleted_run_open_nothing_also_in_a_later_run_of_its_label(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_done_run(virtual)
        ((_, url),) = await virtual.operator.links(run.id, ["ann"])
        await virtual.operator.delete(run.id, STAFF)
        with pytest.raises(LinkUnknown, match="not there any more"):
            await virtual.operator.revoke_link(url, False, STAFF)
        task = tmp_path / "task-digits"
        virtual.replace_router("digits")
        again = await virtual.operator.launch(task, {}, "launched again", STAFF)
        await virtual.until_live(again.id)
        assert again.label == run.label
        assert again.id > run.id
        old = virtual.page_at(again, url, "ann")
        assert (await old.register()).reason == "identity_unverified"
        assert (await (await virtual.page(again, "ann")).register()).agent_id


async def test_after_a_crash_at_any_step_the_next_start_goes_on(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    steps_there_are = 4  # links, the run's folder, the task's, the records (many bits of them in a large run)
    async with open_virtual(tmp_path, sqlite_store(tmp_path)) as virtual:
        for crash_after in range(steps_there_are + 1):
            run = await a_done_run(virtual, f"digits{crash_after}")
            await trio.sleep(700)  # its late pages had their time
            await virtual.storage.begin_deletion(run.id, simulated_wall(), STAFF)
            done = await first_steps(virtual, run, crash_after)
            assert done == min(crash_after, steps_there_are)
            virtual.daemon.kill(down_s=1)
            await trio.sleep(5)
            await virtual.daemon.present()
            await trio.sleep(5)
            assert await is_gone(virtual, run)
    assert check_store(tmp_path / "crowdd.db") == []


def virtual_house(virtual: Virtual) -> House:
    return House(
        virtual.storage,
        simulated_wall,
        virtual.daemon.rng,
        UserCode(inline=True),
        virtual.daemon.data,
        [b"the daemon's secret in simulation"],
    )


async def first_steps(virtual: Virtual, run: TaskRun, number: int) -> int:
    """Take so many steps of a deletion and stop there, as a crash does; how many there were."""
    deletion = Deletion(virtual_house(virtual), installed_plug_ins())
    done = 0
    async with aclosing(deletion.steps(Order(run, STAFF))) as steps:
        if number:
            async for _ in steps:
                done += 1
                if done == number:
                    break
    return done


async def test_a_file_that_cannot_be_removed_is_told_and_the_run_can_be_deleted_again(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await a_done_run(virtual)
        folder = virtual.task_folder(run)
        kept = folder.rename(folder.with_name("kept"))
        folder.write_text("no folder")  # rmtree refuses what is no folder
        with pytest.raises(DeletionFailed, match="being deleted, but"):
            await virtual.operator.delete(run.id, STAFF)
        assert (await virtual.storage.run(run.id)).deleting
        with pytest.raises(NotFound):
            await virtual.storage.export(run.id)
        folder.unlink()
        kept.rename(folder)
        await virtual.operator.delete(run.id, STAFF)
        assert await is_gone(virtual, run)
