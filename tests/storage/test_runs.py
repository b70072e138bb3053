"""Requesters, projects, tasks and runs, on every body. S22 to S32 are scenarios of the domain notes."""

from datetime import timedelta, timezone

import attrs
import pytest

from crowdd.protocol.names import RunId, RunState
from crowdd.storage.contract import Storage
from crowdd.storage.errors import Duplicate, InvalidRecord, NotFound, StaleWrite
from crowdd.storage.records import Project, Requester, Task
from crowdd.storage.writes import MoveRun

from .world import LATER, NOW, World, new_run


async def test_s22_a_new_store_is_empty(storage: Storage) -> None:
    assert await storage.requesters() == []
    assert await storage.projects() == []
    assert await storage.tasks() == []
    assert await storage.runs() == []
    assert await storage.workers() == []
    assert await storage.qualifications() == []
    assert await storage.grants() == []
    assert await storage.history() == []
    assert await storage.facts("provider:mock") == {}
    assert await storage.units(RunId(1)) == []
    assert await storage.agents(RunId(1)) == []
    assert await storage.errors(RunId(1)) == []


async def test_s23_a_project_is_found_again(storage: Storage) -> None:
    project = await storage.create_project("vision")
    assert project == Project(1, "vision")
    assert await storage.projects() == [project]


async def test_s23_a_task_is_found_again(storage: Storage) -> None:
    project = await storage.create_project("vision")
    task = await storage.create_task("digits", "static", project.id)
    assert task == Task(1, "digits", "static", project.id)
    assert await storage.tasks() == [task]
    assert await storage.task(task.id) == task
    with pytest.raises(NotFound):
        await storage.task(task.id + 1)


async def test_s23_a_requester_is_found_again(storage: Storage) -> None:
    requester = await storage.create_requester("lab", "mock")
    assert requester == Requester(1, "lab", "mock")
    assert await storage.requesters() == [requester]


async def test_s23_a_run_is_found_by_id_label_and_state(storage: Storage) -> None:
    new = new_run("digits-1")
    run = await storage.create_run(new, NOW, "staff:ada")
    assert await storage.run(run.id) == run
    assert await storage.run_by_label("digits-1") == run
    assert await storage.runs() == [run]
    assert await storage.runs(frozenset({RunState.LAUNCHING})) == [run]
    assert await storage.runs(frozenset({RunState.RUNNING})) == []
    assert await storage.runs(frozenset()) == []
    assert (run.config, run.key, run.state, run.created_at) == (new.config, new.key, RunState.LAUNCHING, NOW)


async def test_s23_an_unknown_run_is_not_found(storage: Storage) -> None:
    with pytest.raises(NotFound):
        await storage.run(RunId(7))
    with pytest.raises(NotFound):
        await storage.run_by_label("digits")
    with pytest.raises(NotFound):
        await storage.counts(RunId(7))
    with pytest.raises(NotFound):
        await storage.export(RunId(7))


async def test_a_run_makes_task_requester_and_project_that_are_not_there(storage: Storage) -> None:
    run = await storage.create_run(new_run(project_name="vision"), NOW, "staff:ada")
    (project,) = await storage.projects()
    assert await storage.tasks() == [Task(run.task_id, "digits", "static", project.id)]
    assert await storage.requesters() == [Requester(run.requester_id, "lab", "mock")]


async def test_a_second_run_of_a_task_finds_what_the_first_one_made(storage: Storage) -> None:
    first = await storage.create_run(new_run("a", project_name="vision"), NOW, "staff:ada")
    second = await storage.create_run(new_run("b", project_name="vision"), NOW, "staff:ada")
    assert (first.task_id, first.requester_id) == (second.task_id, second.requester_id)
    assert len(await storage.projects()) == 1


async def test_the_same_launch_again_is_the_same_run(storage: Storage) -> None:
    run = await storage.create_run(new_run(), NOW, "staff:ada")
    assert await storage.create_run(new_run(label="other", launch_id="launch-digits"), LATER, "x") == run
    assert await storage.runs() == [run]


async def test_a_label_is_taken_once(storage: Storage) -> None:
    await storage.create_run(new_run("digits"), NOW, "staff:ada")
    with pytest.raises(Duplicate):
        await storage.create_run(new_run("digits", launch_id="another"), NOW, "staff:ada")


@pytest.mark.parametrize(
    "changes",
    [
        {"task_name": ""},
        {"requester_name": " "},
        {"launch_id": ""},
        {"label": ""},
        {"project_name": "NO_PROJECT"},
        {"config": {"not json": {1, 2}}},
    ],
    ids=str,
)
async def test_s24_a_run_with_a_bad_value_leaves_nothing(world: World, changes: dict[str, object]) -> None:
    before = await world.everything()
    with pytest.raises(InvalidRecord):
        await world.storage.create_run(new_run(**changes), NOW, "staff:ada")  # type: ignore[arg-type]
    assert await world.everything() == before


@pytest.mark.parametrize(
    "changes", [{"blueprint": "live"}, {"provider": "inhouse"}, {"project_name": "vision"}]
)
async def test_a_run_that_wants_its_task_otherwise_than_it_is_leaves_nothing(
    world: World, changes: dict[str, str]
) -> None:
    await world.run("first")
    before = await world.everything()
    with pytest.raises(InvalidRecord):
        await world.storage.create_run(new_run("second", **changes), NOW, "staff:ada")
    assert await world.everything() == before


async def test_s24_names_are_unique(world: World) -> None:
    storage = world.storage
    await storage.create_project("vision")
    await storage.create_requester("lab", "mock")
    await storage.create_task("digits", "static", None)
    before = await world.everything()
    with pytest.raises(Duplicate):
        await storage.create_project("vision")
    with pytest.raises(Duplicate):
        await storage.create_requester("lab", "inhouse")
    with pytest.raises(Duplicate):
        await storage.create_task("digits", "live", None)
    assert await world.everything() == before


async def test_s24_names_are_not_empty(world: World) -> None:
    before = await world.everything()
    with pytest.raises(InvalidRecord):
        await world.storage.create_project("")
    with pytest.raises(InvalidRecord):
        await world.storage.create_project("NO_PROJECT")
    with pytest.raises(InvalidRecord):
        await world.storage.create_requester("", "mock")
    with pytest.raises(InvalidRecord):
        await world.storage.create_task("", "static", None)
    assert await world.everything() == before


async def test_s25_a_task_belongs_to_a_project_that_exists(world: World) -> None:
    with pytest.raises(InvalidRecord):
        await world.storage.create_task("digits", "static", 7)
    assert await world.storage.tasks() == []


async def test_s26_a_task_without_runs_is_renamed_and_moved(storage: Storage) -> None:
    project = await storage.create_project("vision")
    task = await storage.create_task("digits", "static", None)
    changed = await storage.update_task(task.id, "numbers", project.id)
    assert changed == Task(task.id, "numbers", "static", project.id)
    assert await storage.task(task.id) == changed


async def test_s26_a_task_may_keep_its_name_when_it_moves(storage: Storage) -> None:
    project = await storage.create_project("vision")
    task = await storage.create_task("digits", "static", None)
    assert (await storage.update_task(task.id, "digits", project.id)).project_id == project.id


async def test_s26_a_task_with_a_run_stays_as_it_is(storage: Storage) -> None:
    run = await storage.create_run(new_run(), NOW, "staff:ada")
    with pytest.raises(InvalidRecord):
        await storage.update_task(run.task_id, "numbers", None)
    assert (await storage.task(run.task_id)).name == "digits"


async def test_s26_a_task_is_not_renamed_to_a_bad_name(storage: Storage) -> None:
    task = await storage.create_task("digits", "static", None)
    await storage.create_task("letters", "static", None)
    with pytest.raises(Duplicate):
        await storage.update_task(task.id, "letters", None)
    with pytest.raises(InvalidRecord):
        await storage.update_task(task.id, "", None)
    with pytest.raises(InvalidRecord):
        await storage.update_task(task.id, "digits", 7)
    with pytest.raises(NotFound):
        await storage.update_task(7, "numbers", None)
    assert await storage.task(task.id) == task


async def test_s27_runs_are_found_by_whether_they_are_over(world: World) -> None:
    over, going = await world.run("over"), await world.run("going")
    await world.commit(MoveRun(over.id, RunState.RUNNING, RunState.COMPLETED, "daemon", "all done"))
    ended = attrs.evolve(over, state=RunState.COMPLETED, ended_at=LATER)
    assert await world.storage.runs(frozenset({RunState.COMPLETED})) == [ended]
    assert await world.storage.runs(frozenset({RunState.RUNNING, RunState.DRAINING})) == [going]


@pytest.mark.parametrize(
    "states", [None, {RunState.RUNNING}, {RunState.COMPLETED}, {RunState.STOPPED}, set[RunState]()]
)
async def test_runs_are_counted_together_as_each_is_alone(world: World, states: set[RunState] | None) -> None:
    for number, label in enumerate(("over", "going", "full"), start=1):
        run = await world.run(label, assignments=number)
        await world.take(run, await world.worker())
        if label == "over":
            await world.commit(MoveRun(run.id, RunState.RUNNING, RunState.COMPLETED, "daemon", "all done"))
    asked_for = None if states is None else frozenset(states)
    alone = [(run, await world.storage.counts(run.id)) for run in await world.storage.runs(asked_for)]
    assert await world.storage.counted_runs(asked_for) == alone


async def test_a_run_moves_only_from_where_it_is(world: World) -> None:
    run = await world.run()
    with pytest.raises(StaleWrite):
        await world.commit(MoveRun(run.id, RunState.LAUNCHING, RunState.FAILED, "daemon", "late news"))
    with pytest.raises(NotFound):
        await world.commit(MoveRun(RunId(7), RunState.LAUNCHING, RunState.FAILED, "daemon", "no run"))
    assert await world.storage.run(run.id) == run


async def test_trouble_is_noted_and_cleared(storage: Storage) -> None:
    run = await storage.create_run(new_run(), NOW, "staff:ada")
    await storage.set_trouble(run.id, "row 3 differs")
    assert (await storage.run(run.id)).trouble == "row 3 differs"
    await storage.set_trouble(run.id, None)
    assert await storage.run(run.id) == run
    with pytest.raises(NotFound):
        await storage.set_trouble(RunId(7), "x")


async def test_a_time_in_another_zone_is_the_same_time(storage: Storage) -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=9)))
    run = await storage.create_run(new_run(), elsewhere, "staff:ada")
    assert (await storage.run(run.id)).created_at == NOW


async def test_a_time_without_a_zone_is_refused(storage: Storage) -> None:
    with pytest.raises(InvalidRecord):
        await storage.create_run(new_run(), NOW.replace(tzinfo=None), "staff:ada")
    assert await storage.runs() == []


async def test_changing_what_was_given_or_read_changes_nothing_stored(storage: Storage) -> None:
    config = {"limits": [1]}
    run = await storage.create_run(new_run(config=config), NOW, "staff:ada")
    config["limits"].append(2)
    run.config["limits"].append(3)
    (await storage.run(run.id)).config.clear()
    assert (await storage.run(run.id)).config == {"limits": [1]}
