"""Runs that are paused and changed while they go on, on every body."""

import attrs
import pytest

from crowdd.protocol.names import RunId, RunState, UnitStatus
from crowdd.storage.contract import ChangeRun, NewRows, Reserved
from crowdd.storage.errors import NotFound, StaleWrite
from crowdd.storage.records import TaskRun

from .world import LATER, NOW, World, new_run, rows

WHO = ("staff:ada", "lunch")
MORE = NewRows("request-1", "1.jsonl", 3)


def a_change(run: TaskRun, **changes: object) -> ChangeRun:
    """The run's limits become others."""
    change = ChangeRun(run.id, run.config, {"limits": [7]}, [("limits=1", "limits=7")])
    return attrs.evolve(change, **changes)  # type: ignore[arg-type]  # any of its fields


async def test_a_paused_run_lets_nobody_new_in_and_goes_on_when_resumed(world: World) -> None:
    run, worker = await world.run(), await world.worker()
    assert (await world.storage.set_paused(run.id, True, NOW, *WHO)).paused
    assert (await world.refused(run, worker)).reason == "paused"
    assert not (await world.storage.set_paused(run.id, False, NOW, *WHO)).paused
    await world.take(run, worker)


async def test_while_paused_who_is_at_work_keeps_the_unit_and_may_ask_for_it_again(world: World) -> None:
    run, worker = await world.run(), await world.worker()
    registration = world.registration(run, worker)
    first = await world.storage.reserve(registration, NOW)
    assert isinstance(first, Reserved)
    await world.storage.set_paused(run.id, True, NOW, *WHO)
    assert await world.storage.reserve(registration, LATER) == attrs.evolve(first, existing=True)
    await world.finish(first.agent)


async def test_an_ended_run_is_told_as_ended_also_when_it_was_paused(world: World) -> None:
    run, worker = await world.run(), await world.worker()
    await world.storage.set_paused(run.id, True, NOW, *WHO)
    await world.move_run(run, RunState.STOPPED)
    assert (await world.refused(run, worker)).reason == "run_ended"


async def test_pauses_are_in_history_once_each_with_who_and_why(world: World) -> None:
    run = await world.run()
    for paused in (True, True, False):
        await world.storage.set_paused(run.id, paused, NOW, *WHO)
    entries = await world.storage.history("pause", run.id)
    assert [(e.before, e.after, e.who, e.why, e.run_id) for e in entries] == [
        ("open", "paused", *WHO, run.id),
        ("paused", "open", *WHO, run.id),
    ]


async def test_a_run_that_has_ended_is_neither_paused_nor_changed(world: World) -> None:
    run = await world.run()
    await world.move_run(run, RunState.COMPLETED)
    with pytest.raises(StaleWrite):
        await world.storage.set_paused(run.id, True, NOW, *WHO)
    with pytest.raises(StaleWrite):
        await world.storage.change_run(a_change(run), NOW, *WHO)
    with pytest.raises(NotFound):
        await world.storage.set_paused(RunId(9), True, NOW, *WHO)


async def test_a_config_is_replaced_as_a_whole_with_its_changes_in_history(world: World) -> None:
    run = await world.run()
    changed = await world.storage.change_run(a_change(run), NOW, *WHO)
    assert changed == await world.storage.run(run.id)
    assert (changed.config, changed.rows_done) == ({"limits": [7]}, True)
    (entry,) = await world.storage.history("config", run.id)
    assert (entry.before, entry.after, entry.who, entry.why) == ("limits=1", "limits=7", *WHO)


async def test_a_change_of_what_is_not_the_config_any_more_changes_nothing(world: World) -> None:
    run = await world.run()
    await world.storage.change_run(a_change(run), NOW, *WHO)
    with pytest.raises(StaleWrite, match="changed meanwhile"):
        await world.storage.change_run(a_change(run, config={}), NOW, *WHO)
    assert (await world.storage.run(run.id)).config == {"limits": [7]}


async def test_added_rows_take_rows_done_back_and_are_added_once(world: World) -> None:
    run = await world.run()
    changed = await world.storage.change_run(a_change(run, rows=MORE), NOW, *WHO)
    assert not changed.rows_done
    again = a_change(run, config={"never": "stored"}, rows=MORE)
    assert await world.storage.change_run(again, LATER, *WHO) == changed
    other = attrs.evolve(MORE, request_id="request-2", name="2.jsonl")
    await world.storage.change_run(a_change(changed, rows=other), LATER, *WHO)
    added = await world.storage.added_rows(run.id)
    assert [(each.name, each.rows) for each in added] == [("1.jsonl", 3), ("2.jsonl", 3)]


async def test_new_pay_is_for_units_that_are_not_released_yet(world: World) -> None:
    run = await world.storage.create_run(new_run(), NOW, "staff:ada")
    await world.storage.add_assignments(run.id, rows(0, 3), False, NOW)
    await world.storage.launch_units(run.id, 2, NOW)
    await world.move_run(run, RunState.RUNNING)
    await world.take(run, await world.worker())
    await world.storage.change_run(a_change(run, pay_cents=99), NOW, *WHO)
    units = await world.storage.units(run.id)
    assert [(unit.status, unit.pay_cents) for unit in units] == [
        (UnitStatus.ASSIGNED, 25),
        (UnitStatus.LAUNCHED, 25),
        (UnitStatus.CREATED, 99),
    ]
