"""The launcher: rows become units, released within the cap; scenarios S18-S21."""

import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from crowdd.daemon.blueprints.contract import Row
from crowdd.daemon.house import House
from crowdd.daemon.launcher import (
    OPEN_PATIENCE_S,
    UNITS_PER_TRANSACTION,
    RowsChanged,
    TaskLauncher,
    nothing_left,
)
from crowdd.daemon.lifecycle import Submitted
from crowdd.daemon.row_source import RowSource
from crowdd.daemon.task_runner import Doors, TaskRunner
from crowdd.daemon.user_code import UserCode, UserCodeFailed
from crowdd.protocol.names import AgentStatus, UnitStatus, WireId
from crowdd.storage.contract import Registration, Reserved
from crowdd.storage.errors import StorageFull
from crowdd.storage.records import TaskRun, Unit
from crowdd.storage.writes import AddSubmission

from .conftest import a_run

LaunchedNow = Callable[[], int]


def rows_of(count: int, units: int = 1) -> Iterator[Row]:
    return (Row({"n": n}, [{}] * units) for n in range(count))


async def not_published(units: Sequence[Unit]) -> None:
    await trio.lowlevel.checkpoint()


def a_launcher(
    house: House,
    run: TaskRun,
    rows: Iterator[Row],
    cap: int = 0,
    is_open: Callable[[], bool] = lambda: True,
    published: Callable[[Sequence[Unit]], Awaitable[None]] = not_published,
) -> TaskLauncher:
    return TaskLauncher(
        run,
        RowSource(lambda: rows),
        house.storage,
        house.user_code,
        house.wall,
        published,
        max_concurrent=cap,
        is_open=is_open,
    )


@asynccontextmanager
async def opened_late(house: House, run: TaskRun, rows: Iterator[Row]) -> AsyncGenerator[TaskLauncher]:
    """One that waits to be open; when left it is opened, and has ended."""
    opened = trio.Event()
    launcher = a_launcher(house, run, rows, is_open=opened.is_set)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(launcher.launch)
        await wait_all_tasks_blocked()
        yield launcher
        opened.set()
        launcher.refill()


async def counts_of(house: House, run: TaskRun) -> dict[UnitStatus, int]:
    counts = await house.storage.counts(run.id)
    return {status: count for status, count in counts.units.items() if count}


async def complete_one(house: House, run: TaskRun, number: int) -> None:
    """One released unit goes through a worker's hands."""
    worker = await house.storage.register_worker("mock", f"w{number}", {}, house.wall())
    registration = Registration(
        run.id, worker.id, WireId(f"wire{number}"), f"l{number}", "", [AgentStatus.ACCEPTED], None
    )
    reserved = await house.storage.reserve(registration, house.wall())
    assert isinstance(reserved, Reserved)
    runner = TaskRunner(run, house.storage, house.wall, Doors(_nothing, _not_done, lambda: None, _nothing))
    await runner.happen(reserved.agent.id, Submitted(AddSubmission(reserved.agent.id, b"{}", [], "d")))


def _nothing(*_: object) -> None:
    pass


async def _not_done(_: object) -> None:
    await trio.lowlevel.checkpoint()


async def test_s18_a_launcher_starts_with_nothing_made(house: House) -> None:
    run = await a_run(house)
    a_launcher(house, run, rows_of(3))
    assert await counts_of(house, run) == {}


async def test_s19_every_row_becomes_launched_units_and_expiry_ends_them(house: House) -> None:
    run = await a_run(house)
    await a_launcher(house, run, rows_of(3, units=2)).launch()
    assert await counts_of(house, run) == {UnitStatus.LAUNCHED: 6}
    await house.storage.expire_units(run.id, house.wall(), "staff:ann", "test")
    assert await counts_of(house, run) == {UnitStatus.EXPIRED: 6}


@pytest.mark.parametrize("cap", [1, 2, 3, 4, 5])
async def test_s20_released_units_never_exceed_the_cap_and_all_are_released(
    house: House, autojump_clock: MockClock, cap: int
) -> None:
    run = await a_run(house)
    launcher = a_launcher(house, run, rows_of(12), cap)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(launcher.launch)
        for number in range(12):
            await wait_all_tasks_blocked()
            released = await counts_of(house, run)
            assert released[UnitStatus.LAUNCHED] <= cap
            await complete_one(house, run, number)
            launcher.refill()
    assert await counts_of(house, run) == {UnitStatus.COMPLETED: 12}


@pytest.mark.parametrize(("cap", "made"), [(0, 1200), (1, 1), (5, 5)])
async def test_before_it_is_open_rows_are_made_as_the_cap_allows_and_none_are_released(
    house: House, autojump_clock: MockClock, cap: int, made: int
) -> None:
    run = await a_run(house)
    opened = trio.Event()
    launcher = a_launcher(house, run, rows_of(1200), cap, opened.is_set)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(launcher.launch)
        await trio.sleep(OPEN_PATIENCE_S + 0.1)
        assert await counts_of(house, run) == {UnitStatus.CREATED: made}
        opened.set()
        launcher.refill()
        await wait_all_tasks_blocked()
        assert await counts_of(house, run) == {UnitStatus.LAUNCHED: made}
        nursery.cancel_scope.cancel()


async def test_rows_wait_a_moment_for_their_release_as_both_at_once_are_less_work(
    house: House, autojump_clock: MockClock
) -> None:
    run = await a_run(house)
    async with opened_late(house, run, rows_of(3)):
        assert await counts_of(house, run) == {}
    assert await counts_of(house, run) == {UnitStatus.LAUNCHED: 3}


async def test_a_launcher_that_is_stopped_while_it_waits_to_be_open_ends(
    house: House, autojump_clock: MockClock
) -> None:
    run = await a_run(house)
    launcher = a_launcher(house, run, rows_of(3), is_open=lambda: False)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(launcher.launch)
        await wait_all_tasks_blocked()
        launcher.stop()
    assert await counts_of(house, run) == {}


async def test_rows_taken_before_the_pay_was_changed_are_paid_as_it_is_when_they_are_made(
    house: House, autojump_clock: MockClock
) -> None:
    run = await a_run(house)
    async with opened_late(house, run, rows_of(2)) as launcher:
        await launcher.change(trio.lowlevel.checkpoint, 25, 0, None)
    assert [unit.pay_cents for unit in await house.storage.units(run.id)] == [25, 25]


async def test_rows_of_many_units_are_made_few_at_a_time_and_released_with_that(house: House) -> None:
    run = await a_run(house)
    released: list[int] = []

    async def publish(units: Sequence[Unit]) -> None:
        await trio.lowlevel.checkpoint()
        released.append(len(units))

    await a_launcher(house, run, rows_of(500, units=3), published=publish).launch()
    assert sum(released) == 1500
    assert max(released) <= UNITS_PER_TRANSACTION


async def test_s21_units_of_a_slow_generator_are_released_as_they_come(house: House) -> None:
    run = await a_run(house)
    gate = trio.Event()
    token = trio.lowlevel.current_trio_token()

    def slow() -> Iterator[Row]:
        yield Row({"n": 0}, [{}])
        yield Row({"n": 1}, [{}])
        trio.from_thread.run(gate.wait, trio_token=token)
        yield Row({"n": 2}, [{}])

    launcher = TaskLauncher(
        run, RowSource(slow), house.storage, UserCode(), house.wall, not_published, max_concurrent=2
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(launcher.launch)
        while await counts_of(house, run) != {UnitStatus.LAUNCHED: 2}:
            await trio.sleep(0.01)
        gate.set()
        await complete_one(house, run, 1)
        launcher.refill()
        while await counts_of(house, run) != {UnitStatus.LAUNCHED: 2, UnitStatus.COMPLETED: 1}:
            await trio.sleep(0.01)
        nursery.cancel_scope.cancel()


async def test_units_are_published_once_whether_they_were_released_as_they_were_made_or_later(
    house: House,
) -> None:
    run = await a_run(house)
    published: list[Unit] = []
    is_open = False

    async def publish(units: Sequence[Unit]) -> None:
        await trio.lowlevel.checkpoint()
        published.extend(units)

    def rows() -> Iterator[Row]:
        nonlocal is_open
        for number, row in enumerate(rows_of(1200)):
            is_open = number > 600
            yield row

    await a_launcher(house, run, rows(), is_open=lambda: is_open, published=publish).launch()
    assert [unit.id for unit in published] == [*range(1, 1201)]


async def test_a_provider_that_finds_the_disk_full_has_no_row_made_twice(
    house: House, autojump_clock: MockClock
) -> None:
    run = await a_run(house)
    full = [StorageFull("no space left")]

    async def publish(units: Sequence[Unit]) -> None:
        await trio.lowlevel.checkpoint()
        if full:
            raise full.pop()

    await a_launcher(house, run, rows_of(3), published=publish).launch()
    assert await counts_of(house, run) == {UnitStatus.LAUNCHED: 3}


async def test_rows_launched_before_a_restart_are_not_launched_again(
    house: House, autojump_clock: MockClock
) -> None:
    run = await a_run(house)
    first = a_launcher(house, run, rows_of(4), cap=2)
    with trio.move_on_after(0.05):
        await first.launch()
    again = a_launcher(house, await house.storage.run(run.id), rows_of(4))
    await again.launch()
    assert await counts_of(house, run) == {UnitStatus.LAUNCHED: 4}


async def test_data_that_changed_under_a_run_is_named_and_launches_nothing(
    house: House, autojump_clock: MockClock
) -> None:
    run = await a_run(house)
    first = a_launcher(house, run, rows_of(4), cap=2)
    with trio.move_on_after(0.05):
        await first.launch()
    other = (Row({"n": n, "new": True}, [{}]) for n in range(4))
    with pytest.raises(RowsChanged, match="row 0"):
        await a_launcher(house, await house.storage.run(run.id), other).launch()


async def test_a_generator_that_raises_is_the_authors_to_see(house: House) -> None:
    def broken() -> Iterator[Row]:
        yield Row({}, [{}])
        raise RuntimeError("no more coffee")

    run = await a_run(house)
    with pytest.raises(UserCodeFailed, match="no more coffee"):
        await a_launcher(house, run, broken()).launch()


async def test_a_stopped_launcher_makes_nothing_more(house: House) -> None:
    run = await a_run(house)
    launcher = a_launcher(house, run, rows_of(9), cap=1)
    launcher.stop()
    await launcher.launch()
    assert await counts_of(house, run) == {}


async def test_nothing_is_left_when_every_unit_has_ended(house: House) -> None:
    run = await a_run(house)
    await a_launcher(house, run, rows_of(2)).launch()
    assert not nothing_left(await house.storage.counts(run.id))
    await house.storage.expire_units(run.id, house.wall(), "staff:ann", "test")
    assert nothing_left(await house.storage.counts(run.id))


@pytest.mark.parametrize("steps", range(8))
async def test_rows_that_are_no_more_wanted_stay_so_whatever_the_launcher_is_just_doing(
    house: House, steps: int
) -> None:
    run = await a_run(house)
    launcher = a_launcher(house, run, rows_of(100_000))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(launcher.launch)
        for _ in range(steps):
            await trio.lowlevel.checkpoint()
        await launcher.finish_rows()
        await house.storage.expire_units(run.id, house.wall(), "staff:ann", "expired by staff")
    assert launcher.rows_done
    assert (await house.storage.run(run.id)).rows_done
    assert set(await counts_of(house, run)) <= {UnitStatus.EXPIRED}


async def test_a_generator_that_calls_sys_exit_ends_nothing_but_its_rows(house: House) -> None:
    def rows() -> Iterator[Row]:
        yield Row({"n": 0}, [{}])
        sys.exit("no more")

    with pytest.raises(UserCodeFailed, match="SystemExit: no more"):
        await a_launcher(house, await a_run(house), rows()).launch()
