"""Assignments and units on every body: made, launched, expired, counted."""

import pytest

from crowdd.protocol.names import AgentStatus, AssignmentId, RunId, UnitId, UnitStatus
from crowdd.storage.contract import NewAssignment, Storage
from crowdd.storage.errors import InvalidRecord, NotFound, StaleWrite
from crowdd.storage.records import Assignment, Unit

from .world import LATER, NOW, World, new_run, rows

CREATED, LAUNCHED, EXPIRED = UnitStatus.CREATED, UnitStatus.LAUNCHED, UnitStatus.EXPIRED


async def test_s23_an_assignment_is_found_again_with_its_units(storage: Storage) -> None:
    run = await storage.create_run(new_run(), NOW, "staff:ada")
    (number,) = await storage.add_assignments(run.id, rows(0, 1, units=2), False, NOW)
    assignment = Assignment(number, run.id, 0, "digest-0", {"n": 0}, [{"part": 0}, {"part": 1}])
    assert await storage.assignment(number) == assignment
    assert await storage.assignments(run.id) == [assignment]
    first, second = await storage.units(run.id)
    assert first == Unit(UnitId(1), run.id, number, 0, CREATED, 1, None, None, 25)
    assert (second.unit_index, second.position) == (1, 2)
    assert await storage.unit(first.id) == first


async def test_s23_unknown_assignments_and_units_are_not_found(storage: Storage) -> None:
    with pytest.raises(NotFound):
        await storage.assignment(AssignmentId(1))
    with pytest.raises(NotFound):
        await storage.unit(UnitId(1))


async def test_s25_an_assignment_belongs_to_a_run_that_exists(storage: Storage) -> None:
    with pytest.raises(NotFound):
        await storage.add_assignments(RunId(7), rows(0, 1), False, NOW)
    with pytest.raises(NotFound):
        await storage.launch_units(RunId(7), 1, NOW)
    with pytest.raises(NotFound):
        await storage.expire_units(RunId(7), NOW, "staff:ada", "not needed")


async def test_rows_are_counted_as_they_are_made(storage: Storage) -> None:
    run = await storage.create_run(new_run(), NOW, "staff:ada")
    await storage.add_assignments(run.id, rows(0, 3), False, NOW)
    await storage.add_assignments(run.id, rows(3, 2), False, NOW)
    run = await storage.run(run.id)
    assert (run.rows_made, run.rows_done) == (5, False)
    assert await storage.add_assignments(run.id, [], True, NOW) == []
    run = await storage.run(run.id)
    assert (run.rows_made, run.rows_done) == (5, True)


async def test_a_row_made_already_is_not_made_again(world: World) -> None:
    run = await world.run(assignments=2)
    before = await world.everything()
    with pytest.raises(StaleWrite):
        await world.storage.add_assignments(run.id, rows(1, 1), False, NOW)
    assert await world.everything() == before


@pytest.mark.parametrize("bad", [rows(2, 1) + rows(4, 1), rows(2, 1, units=0), rows(2, 2) + rows(2, 1)])
async def test_s24_rows_with_a_gap_or_without_units_leave_nothing(
    world: World, bad: list[NewAssignment]
) -> None:
    run = await world.run(assignments=2)
    before = await world.everything()
    with pytest.raises(InvalidRecord):
        await world.storage.add_assignments(run.id, bad, False, NOW)
    assert await world.everything() == before


async def test_units_are_launched_in_the_order_in_which_they_were_made(storage: Storage) -> None:
    run = await storage.create_run(new_run(), NOW, "staff:ada")
    await storage.add_assignments(run.id, rows(0, 3, units=2), True, NOW)
    first = await storage.launch_units(run.id, 4, NOW)
    second = await storage.launch_units(run.id, 100, NOW)
    assert [unit.id for unit in first + second] == [1, 2, 3, 4, 5, 6]
    assert {unit.status for unit in first + second} == {LAUNCHED}
    assert await storage.units(run.id) == first + second
    assert await storage.launch_units(run.id, 1, NOW) == []


async def test_units_made_and_launched_at_once_are_free_behind_all_others(
    world: World,
) -> None:
    run = await world.run(assignments=1)
    made = await world.storage.launch_assignments(run.id, rows(1, 2, units=2), True, NOW)
    assert [unit.id for unit in made] == [2, 3, 4, 5]
    assert made == await world.storage.units(run.id, frozenset({LAUNCHED}), after=1)
    workers = [await world.worker(name) for name in ("ann", "bob", "cid")]
    assert [(await world.take(run, worker)).unit.id for worker in workers] == [1, 2, 3]


async def test_units_made_and_launched_at_once_have_the_history_of_both(world: World) -> None:
    run = await world.run(assignments=1)
    await world.storage.launch_assignments(run.id, rows(1, 1), False, NOW)
    assert await world.story("unit", 2) == await world.story("unit", 1)
    assert (await world.storage.counts(run.id)).units[LAUNCHED] == 2


async def test_what_waits_to_be_launched_is_not_launched_by_what_is_made_after_it(world: World) -> None:
    run = await world.storage.create_run(new_run(), NOW, "staff:ada")
    await world.storage.add_assignments(run.id, rows(0, 1), False, NOW)
    await world.storage.launch_assignments(run.id, rows(1, 1), True, NOW)
    assert [unit.status for unit in await world.storage.units(run.id)] == [CREATED, LAUNCHED]


@pytest.mark.parametrize("count", [0, -1])
async def test_launching_no_units_launches_none(storage: Storage, count: int) -> None:
    run = await storage.create_run(new_run(), NOW, "staff:ada")
    await storage.add_assignments(run.id, rows(0, 2), True, NOW)
    assert await storage.launch_units(run.id, count, NOW) == []


async def test_expiry_takes_created_and_free_units_and_leaves_those_in_hands(world: World) -> None:
    run = await world.run(assignments=3)
    await world.storage.add_assignments(run.id, rows(3, 1), True, NOW)
    held = (await world.take(run, await world.worker())).unit
    expired = await world.storage.expire_units(run.id, LATER, "staff:ada", "budget spent")
    assert [(unit.id, unit.status) for unit in expired] == [(2, EXPIRED), (3, EXPIRED), (4, EXPIRED)]
    assert await world.storage.unit(held.id) == held
    assert await world.story("unit", 4) == [(None, "created"), ("created", "expired")]


async def test_a_run_that_expired_has_nothing_to_give(world: World) -> None:
    run = await world.run(assignments=2)
    await world.storage.expire_units(run.id, LATER, "staff:ada", "budget spent")
    assert (await world.refused(run, await world.worker())).reason == "no_available_units"


async def test_units_are_listed_by_status_assignment_and_page(world: World) -> None:
    run = await world.run(assignments=3, units=2)
    other = await world.run("other", assignments=1)
    held = (await world.take(run, await world.worker())).unit
    storage = world.storage
    assert await storage.units(run.id, frozenset({UnitStatus.ASSIGNED})) == [held]
    assert await storage.units(run.id, frozenset()) == []
    assert [u.id for u in await storage.units(run.id, assignment_id=AssignmentId(2))] == [3, 4]
    assert [u.id for u in await storage.units(run.id, after=2, limit=3)] == [3, 4, 5]
    assert [u.id for u in await storage.units(run.id, frozenset({LAUNCHED}), after=4)] == [5, 6]
    assert [u.id for u in await storage.units(other.id)] == [7]
    assert [a.id for a in await storage.assignments(run.id, after=1, limit=1)] == [2]


async def test_counts_follow_every_change(world: World) -> None:
    run = await world.run(assignments=3)
    await world.storage.add_assignments(run.id, rows(3, 2), True, NOW)
    first = (await world.take(run, await world.worker("ann"))).agent
    second = (await world.take(run, await world.worker("bob"))).agent
    await world.finish(first)
    await world.give_back(second)
    await world.storage.expire_units(run.id, LATER, "staff:ada", "enough")
    counts = await world.storage.counts(run.id)
    assert {status: number for status, number in counts.units.items() if number} == {
        UnitStatus.COMPLETED: 1,
        UnitStatus.EXPIRED: 4,
    }
    assert {status: number for status, number in counts.agents.items() if number} == {
        AgentStatus.COMPLETED: 1,
        AgentStatus.RETURNED: 1,
    }
    assert set(counts.units) == set(UnitStatus)
    assert set(counts.agents) == set(AgentStatus)
