"""In which order a run of groups gives its units, on every body: those of groups that form come first."""

from crowdd.protocol.names import QueueOrder, RunState, UnitId, UnitStatus
from crowdd.storage.records import Agent, TaskRun
from crowdd.storage.writes import MoveUnit

from .world import NOW, SCREENING, World, new_run, rows


async def groups(world: World, assignments: int = 3, units: int = 3) -> TaskRun:
    """A run of groups with all its units free."""
    return await world.run(assignments=assignments, units=units, queue=QueueOrder.GROUPED)


async def joins(world: World, run: TaskRun, name: str) -> Agent:
    """The agent of a new worker: at the unit that comes first among their candidates."""
    worker = await world.worker(name)
    first, *_ = await world.candidates(run, worker)
    taken = await world.take(run, worker)
    assert taken.unit.id == first, "candidates come in the order in which units are given"
    return taken.agent


async def join(world: World, run: TaskRun, *names: str) -> list[int]:
    """The assignments that new workers get, one after the other."""
    return [(await joins(world, run, name)).assignment_id for name in names]


async def expire(world: World, *units: int) -> None:
    await world.commit(
        *(
            MoveUnit(UnitId(unit), UnitStatus.LAUNCHED, UnitStatus.EXPIRED, "daemon", "started smaller")
            for unit in units
        )
    )


async def test_a_group_is_filled_before_the_next_is_begun(world: World) -> None:
    assert await join(world, await groups(world), *"abcdefghi") == [1, 1, 1, 2, 2, 2, 3, 3, 3]


async def test_of_two_forming_groups_the_older_comes_first(world: World) -> None:
    run = await groups(world)
    await world.take(run, await world.worker("chooser"), candidates=[UnitId(7)])
    assert await join(world, run, *"ab") == [3, 3]
    await world.take(run, await world.worker("other"), candidates=[UnitId(4)])
    await world.take(run, await world.worker("more"), candidates=[UnitId(1)])
    assert await join(world, run, *"cdef") == [1, 1, 2, 2]


async def test_a_unit_given_back_keeps_its_place_for_whoever_comes_instead(world: World) -> None:
    run = await groups(world, assignments=3, units=2)
    first = await joins(world, run, "a")
    assert await join(world, run, *"bc") == [1, 2]
    await world.give_back(first)
    assert (await joins(world, run, "instead")).unit_id == first.unit_id
    assert await join(world, run, *"def") == [2, 3, 3]


async def test_a_group_that_nobody_is_at_any_more_comes_after_those_that_form(world: World) -> None:
    run = await groups(world)
    alone = await joins(world, run, "a")
    await world.take(run, await world.worker("chooser"), candidates=[UnitId(4)])
    await world.give_back(alone)
    assert await join(world, run, *"bcdefg") == [2, 2, 1, 1, 1, 3]


async def test_somebody_who_stays_keeps_the_place_of_those_who_leave(world: World) -> None:
    run = await groups(world)
    leaves, _ = await joins(world, run, "a"), await joins(world, run, "b")
    await world.give_back(leaves)
    assert [unit.rank for unit in await world.free(run)] == [0, 0, *[1] * 6]
    assert await join(world, run, *"cd") == [1, 1]


async def test_nobody_gets_a_second_unit_of_a_group_they_left(world: World) -> None:
    run = await groups(world)
    leaves = await joins(world, run, "a")
    await joins(world, run, "b")
    await world.give_back(leaves)
    assert await join(world, run, "a") == [2]


async def test_a_unit_that_was_done_leaves_the_others_in_place_while_somebody_is_there(world: World) -> None:
    run = await groups(world)
    done, last = await joins(world, run, "a"), await joins(world, run, "b")
    await world.finish(done)
    assert [unit.rank for unit in await world.free(run)][:1] == [0]
    await world.finish(last)
    assert {unit.rank for unit in await world.free(run)} == {1}


async def test_what_a_smaller_group_does_not_need_is_not_given(world: World) -> None:
    run = await groups(world)
    await joins(world, run, "a")
    await expire(world, 2, 3)
    assert await join(world, run, "b") == [2]


async def test_a_unit_taken_back_among_the_free_ones_gets_the_rank_of_its_group(world: World) -> None:
    run = await groups(world)
    await joins(world, run, "a")
    await expire(world, 2, 4)
    back = [
        MoveUnit(UnitId(unit), UnitStatus.EXPIRED, UnitStatus.LAUNCHED, "daemon", "needed after all")
        for unit in (4, 2)
    ]
    await world.commit(*back)
    ranks = {unit.id: unit.rank for unit in await world.free(run)}
    assert (ranks[UnitId(2)], ranks[UnitId(4)]) == (0, 1)


async def test_what_is_missing_of_a_forming_group_is_released_first(world: World) -> None:
    run = await world.storage.create_run(new_run(queue=QueueOrder.GROUPED), NOW, "staff:ada")
    await world.storage.add_assignments(run.id, rows(0, 2, 2), True, NOW)
    for unit in (UnitId(1), UnitId(3)):
        await world.commit(MoveUnit(unit, UnitStatus.CREATED, UnitStatus.LAUNCHED, "daemon", "released"))
    await world.move_run(run, RunState.RUNNING)
    await world.take(run, await world.worker(), candidates=[UnitId(3)])
    assert [unit.id for unit in await world.storage.launch_units(run.id, 2, NOW)] == [4, 2]


async def test_special_units_belong_to_no_group(world: World) -> None:
    run, ann = await groups(world), await world.worker()
    special = await world.take(run, ann, special=SCREENING)
    assert special.unit.rank == 0
    assert await join(world, run, *"abcd") == [1, 1, 1, 2]
