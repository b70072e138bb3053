"""Runs that are deleted, on every body: bit by bit, whole after each step, and nothing of them stays."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from crowdd.protocol.names import AgentStatus, PieceKind, RunState
from crowdd.storage import check_store, open_storage
from crowdd.storage.contract import ChangeRun, NewRows
from crowdd.storage.errors import NotFound, StaleWrite
from crowdd.storage.records import TaskRun
from crowdd.storage.writes import AddOwed, AddReview, RecordDecision

from .live import an_entry, an_update
from .world import NOW, World, new_run

STAFF = "staff:ada"


async def a_full_run(world: World, label: str, assignments: int = 3) -> TaskRun:
    """A stopped run of which every table knows something."""
    storage = world.storage
    run = await world.run(label, assignments, units=2)
    more = ChangeRun(run.id, run.config, {}, [(None, "1 row added")], None, NewRows(label, "1.jsonl", 1))
    await storage.change_run(more, NOW, STAFF, "extended")
    for name in ("ann", "bob"):
        worker = await world.worker(name)
        given = await world.take(run, worker)
        agent, unit = given.agent, given.unit
        await storage.add_metadata(agent.id, "log", {}, [], "digest", NOW)
        await storage.add_error(run.id, agent.id, "page", {}, NOW)
        await storage.add_live([an_update(agent.id)], [an_entry(PieceKind.UNIT, unit.id)])
        await world.commit(AddOwed(agent.id, "waiting", 30, 5, "waited"))
        if name == "ann":
            await storage.add_live([], [an_entry(PieceKind.ASSIGNMENT, unit.assignment_id)])
        await world.finish(agent)
        await world.commit(AddReview(agent.id, AgentStatus.APPROVED, STAFF))
        await world.commit(RecordDecision(world.decision(run, worker, agent_id=agent.id, unit_id=unit.id)))
        await storage.record_decision(world.decision(run, worker, outcome="refused"), NOW)
        begun = (await world.begin_onboarding(run, worker)).id
        await storage.add_live(
            [an_update(begun, onboarding=True)], [an_entry(PieceKind.ONBOARDING, begun, agent_id=begun)]
        )
        await world.take_special(run, worker)
    await storage.add_error(run.id, None, "hook", {}, NOW)
    await storage.expire_units(run.id, NOW, STAFF, "stopped")
    await world.move_run(run, RunState.STOPPED)
    return await storage.run(run.id)


async def delete(world: World, run: TaskRun, units_max: int = 100) -> int:
    """Delete it to the end; returns how many steps its assignments took."""
    await world.storage.begin_deletion(run.id, NOW, STAFF)
    steps = 1
    while await world.storage.delete_assignments(run.id, units_max):
        steps += 1
    await world.storage.finish_deletion(run.id, NOW, STAFF)
    return steps


async def test_a_deleted_run_is_gone_and_another_is_untouched(world: World) -> None:
    kept = await a_full_run(world, "kept")
    before = [await world.storage.export(kept.id), await world.storage.counts(kept.id)]
    run = await a_full_run(world, "digits")
    await delete(world, run)
    with pytest.raises(NotFound):
        await world.storage.run(run.id)
    assert await world.storage.runs() == [kept]
    assert await world.storage.history(run_id=run.id) == []
    assert [await world.storage.export(kept.id), await world.storage.counts(kept.id)] == before
    assert [worker.name for worker in await world.storage.workers()] == ["ann", "bob"]
    assert len(await world.storage.tasks()) == 1


async def test_history_keeps_who_deleted_which_run(world: World) -> None:
    run = await a_full_run(world, "digits")
    await delete(world, run)
    entries = await world.storage.history("deletion", run.id)
    assert [(entry.before, entry.after, entry.who) for entry in entries] == [
        (None, "deleting", STAFF),
        ("deleting", "deleted", STAFF),
    ]
    assert "'digits'" in entries[0].why


async def test_a_step_removes_about_as_many_units_as_it_may(world: World) -> None:
    assert await delete(world, await a_full_run(world, "digits", assignments=5), units_max=4) == 3


async def test_the_label_is_free_again_and_the_number_is_not(world: World) -> None:
    run = await a_full_run(world, "digits")
    await delete(world, run)
    assert (await world.storage.create_run(new_run("digits"), NOW, STAFF)).id == run.id + 1


async def test_what_was_done_in_a_deleted_run_does_not_count_for_its_task_any_more(world: World) -> None:
    first = await a_full_run(world, "first")
    second, ann = await world.run("second"), await world.worker("ann")
    assert (await world.refused(second, ann, maximum_units_per_worker=1)).reason == "max_for_task"
    await delete(world, first)
    await world.take(second, ann, maximum_units_per_worker=1)


async def test_only_a_run_that_has_ended_is_deleted(world: World) -> None:
    run = await world.run()
    with pytest.raises(StaleWrite):
        await world.storage.begin_deletion(run.id, NOW, STAFF)
    await world.move_run(run, RunState.STOPPED)
    for step in (
        world.storage.delete_assignments(run.id, 9),
        world.storage.finish_deletion(run.id, NOW, STAFF),
    ):
        with pytest.raises(StaleWrite, match="not being deleted"):
            await step
    await world.storage.begin_deletion(run.id, NOW, STAFF)
    with pytest.raises(StaleWrite, match="still has assignments"):
        await world.storage.finish_deletion(run.id, NOW, STAFF)
    assert (await world.storage.begin_deletion(run.id, NOW, "staff:bob")).deleting
    assert len(await world.storage.history("deletion", run.id)) == 1


async def test_half_of_a_run_is_never_exported(world: World) -> None:
    run = await a_full_run(world, "digits")
    assert len(await world.storage.export(run.id)) == await world.storage.submissions_count(run.id) == 2
    await world.storage.begin_deletion(run.id, NOW, STAFF)
    with pytest.raises(NotFound):
        await world.storage.export(run.id)


async def test_the_store_is_whole_after_every_step_and_no_table_keeps_a_row(database: Path) -> None:
    async with open_storage(database) as storage:
        world = World(storage)
        run = await a_full_run(world, "digits")
        await storage.begin_deletion(run.id, NOW, STAFF)
    left = True
    while left:
        assert check_store(database) == []
        async with open_storage(database) as storage:
            left = await storage.delete_assignments(run.id, 1)
    async with open_storage(database) as storage:
        await storage.finish_deletion(run.id, NOW, STAFF)
    assert check_store(database) == []
    with closing(sqlite3.connect(database)) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        full = {name for name in tables if db.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone()}
    assert full == {"lease", "requester", "task", "worker", "history"}
