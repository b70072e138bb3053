"""Which unit comes first: the orders of `[choice]`, through launch and admission; X18 at the launch."""

from pathlib import Path

import pytest
from trio.testing import MockClock

from crowdd.daemon.checking import LaunchRefused
from crowdd.daemon.clock import simulated_wall
from crowdd.protocol.names import QueueOrder, WireId
from crowdd.storage.records import TaskRun

from .virtual import Virtual, open_virtual

TASK = """
name = "ordered"
label = "ordered"
[blueprint]
type = "mock"
units_per_assignment = 2
rows = [{first = 3}, {first = 1}, {first = 2}, {first = "-1"}]
[provider]
type = "mock"
[architect]
type = "mock"
"""
WORKERS = ("ann", "bob", "cy", "dan", "eve", "fay", "gus", "hal")


def a_task(folder: Path, more: str) -> Path:
    task = folder / "ordered"
    task.mkdir(exist_ok=True)
    (task / "task.toml").write_text(TASK + more)
    return task


async def launched(virtual: Virtual, folder: Path, more: str) -> TaskRun:
    run = await virtual.operator.launch(a_task(folder, more), {}, "a launch", "staff:ann")
    await virtual.until_live(run.id)
    return await virtual.storage.run(run.id)


async def rows_given(virtual: Virtual, run: TaskRun) -> list[int]:
    """The rows whose units eight workers get, one after another."""
    given: list[int] = []
    for name in WORKERS:
        page = await virtual.at_work(run, name)
        agent = await virtual.storage.agent_by_wire_id(WireId(page.agent))
        given.append((await virtual.storage.assignment(agent.assignment_id)).row)
    return given


async def test_without_a_choice_rows_come_as_they_stand(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await launched(virtual, tmp_path, "")
        assert await rows_given(virtual, run) == [0, 0, 1, 1, 2, 2, 3, 3]


async def test_priority_gives_small_numbers_first(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await launched(virtual, tmp_path, '[choice]\norder = "priority"\ncolumn = "first"\n')
        assert await rows_given(virtual, run) == [3, 3, 1, 1, 2, 2, 0, 0]


async def test_least_covered_gives_each_row_once_before_any_twice(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await launched(virtual, tmp_path, '[choice]\norder = "least_covered"\n')
        given = await rows_given(virtual, run)
        assert sorted(given[:4]) == sorted(given[4:]) == [0, 1, 2, 3]


async def test_random_shuffles_by_its_seed(tmp_path: Path, autojump_clock: MockClock) -> None:
    given: list[list[int]] = []
    for number, seed in enumerate((1, 1, 2)):
        folder = tmp_path / str(number)
        folder.mkdir()
        async with open_virtual(folder) as virtual:
            run = await launched(virtual, folder, f'[choice]\norder = "random"\nseed = {seed}\n')
            assert run.queue is QueueOrder.RANKED
            given.append(await rows_given(virtual, run))
    assert given[0] == given[1] != given[2]


async def test_a_row_without_its_priority_refuses_the_launch(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        with pytest.raises(LaunchRefused, match="row 1 of the data: 'second' must be a whole number"):
            await launched(virtual, tmp_path, '[choice]\norder = "priority"\ncolumn = "second"\n')


# --- qualifications at the launch --------------------------------------------------------------------------

REQUIRED = '[[qualifications]]\nname = "trained"\ncomparator = "Exists"\n'


async def test_x18_an_unknown_qualification_refuses_the_launch(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        with pytest.raises(LaunchRefused, match="crowdctl qualifications create") as refused:
            await launched(virtual, tmp_path, REQUIRED)
        assert refused.value.problems[0].startswith("qualifications: 'trained' is none")
        assert await virtual.storage.runs() == []


async def test_x18_a_slip_in_a_name_is_told_with_the_nearest(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        await virtual.storage.ensure_qualifications({"trainee": None}, simulated_wall())
        with pytest.raises(LaunchRefused, match="did you mean 'trainee'"):
            await launched(virtual, tmp_path, REQUIRED)
        with pytest.raises(LaunchRefused, match="did you mean 'trainee'"):
            await virtual.operator.plan(a_task(tmp_path, REQUIRED), {})


async def test_s36_the_qualifications_that_a_run_makes_itself_are_there_with_its_launch(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        sections = '[onboarding]\nqualification = "trained"\n'
        banned = 'block_qualification = "banned"\n'
        task = a_task(tmp_path, "")
        (task / "task.toml").write_text(banned + TASK + sections)
        await virtual.operator.launch(task, {}, "a launch", "staff:ann")
        names = {each.name for each in await virtual.storage.qualifications()}
        assert names == {"banned", "trained", "trained-failed"}
