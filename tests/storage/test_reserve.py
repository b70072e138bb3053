"""Who gets which unit, on every body."""

import attrs
import pytest

from crowdd.protocol.names import (
    ONLY_WAITED,
    AgentStatus,
    Reason,
    RunId,
    RunState,
    UnitStatus,
    WireId,
    WorkerId,
)
from crowdd.storage.contract import LastOfLink, Reserved
from crowdd.storage.errors import Duplicate, InvalidRecord, NotFound
from crowdd.storage.records import Agent, Unit
from crowdd.storage.writes import MoveAgent, MoveUnit, TakeBack, Write

from .world import LATER, NOW, World, new_run, rows

WHO = ("worker", "given back")


async def test_a_worker_gets_the_first_free_unit(world: World) -> None:
    run = await world.run(assignments=2)
    given = await world.take(run, await world.worker(), due_at=LATER, provider_data={"hit": 1})
    assert given.unit.id == 1
    assert (given.unit.status, given.unit.agent_id) == (UnitStatus.ASSIGNED, given.agent.id)
    assert given.agent.status is AgentStatus.IN_TASK
    assert (given.agent.due_at, given.agent.provider_data) == (LATER, {"hit": 1})
    assert given.assignment == await world.storage.assignment(given.unit.assignment_id)
    assert given.agent == await world.storage.agent(given.agent.id)
    assert given.unit == await world.storage.unit(given.unit.id)
    assert not given.existing


async def test_s29_a_new_agent_may_begin_with_none_and_its_unit_is_assigned(world: World) -> None:
    run = await world.run()
    given = await world.take(run, await world.worker(), path=(AgentStatus.NONE,))
    assert given.agent.status is AgentStatus.NONE
    assert (await world.storage.unit(given.unit.id)).status is UnitStatus.ASSIGNED
    assert await world.story("agent", given.agent.id) == [(None, "none")]


async def test_s23_an_agent_is_found_by_id_wire_id_link_assignment_run_and_worker(world: World) -> None:
    agent = await world.at_work()
    await world.at_work("other", "bob")
    storage = world.storage
    assert await storage.agent(agent.id) == agent
    assert await storage.agent_by_wire_id(agent.wire_id) == agent
    assert await storage.agents_of_link(agent.run_id, agent.link) == [agent]
    assert await storage.agents_of_assignment(agent.assignment_id) == [agent]
    assert await storage.agents(agent.run_id) == [agent]
    assert await storage.agents(agent.run_id, worker_id=agent.worker_id) == [agent]
    assert await storage.agents(agent.run_id, worker_id=WorkerId(2)) == []
    assert await storage.agents(agent.run_id, frozenset({AgentStatus.COMPLETED})) == []
    assert await storage.agents(agent.run_id, after=agent.id) == []
    with pytest.raises(NotFound):
        await storage.agent_by_wire_id(WireId("unknown"))


async def test_of_many_wire_ids_those_that_agents_have_are_found_together(world: World) -> None:
    first, second = await world.at_work(), await world.at_work("other", "bob")
    asked = [second.wire_id, WireId("unknown"), first.wire_id]
    assert await world.storage.agents_among(asked) == [first, second]
    assert await world.storage.agents_among([]) == []


async def test_what_is_planned_for_an_agent_and_its_unit_is_done_as_they_are_found(world: World) -> None:
    agent = await world.at_work()
    seen: list[tuple[Agent, Unit]] = []

    def plan(found: Agent, unit: Unit) -> list[Write]:
        seen.append((found, unit))
        move = MoveAgent(found.id, found.status, AgentStatus.RETURNED, *WHO)
        return [
            move,
            MoveUnit(unit.id, unit.status, UnitStatus.LAUNCHED, *WHO, held_by=found.id, release=True),
        ]

    unit = await world.storage.unit(agent.unit_id)
    moved = await world.storage.commit_for(agent.wire_id, plan, LATER)
    assert seen[-1] == (agent, unit)
    assert moved == {agent.id: await world.storage.agent(agent.id)}
    assert moved[agent.id].status is AgentStatus.RETURNED
    assert (await world.storage.unit(unit.id)).status is UnitStatus.LAUNCHED


async def test_a_unit_that_is_planned_for_moves_on_from_where_it_was_just_moved_to(world: World) -> None:
    agent = await world.at_work()

    def plan(found: Agent, unit: Unit) -> list[Write]:
        gone = MoveUnit(unit.id, unit.status, UnitStatus.LAUNCHED, *WHO, held_by=found.id, release=True)
        return [gone, TakeBack(unit.id, found.id, *WHO)]

    before = await world.storage.unit(agent.unit_id)
    await world.storage.commit_for(agent.wire_id, plan, LATER)
    after = await world.storage.unit(agent.unit_id)
    assert (after.status, after.agent_id) == (UnitStatus.ASSIGNED, agent.id)
    assert after.position > before.position


async def test_nothing_is_planned_for_an_agent_that_is_not_there(world: World) -> None:
    await world.at_work()

    def plan(found: Agent, unit: Unit) -> list[Write]:
        raise AssertionError("there is none")

    assert await world.storage.commit_for(WireId("unknown"), plan, LATER) == {}


async def test_the_same_registration_again_gives_the_same_agent(world: World) -> None:
    run, worker = await world.run(assignments=2), await world.worker()
    registration = world.registration(run, worker)
    first = await world.storage.reserve(registration, NOW)
    again = attrs.evolve(registration, wire_id=WireId("another"))
    assert isinstance(first, Reserved)
    assert await world.storage.reserve(again, LATER) == attrs.evolve(first, existing=True)
    assert len(await world.storage.agents(run.id)) == 1


async def test_a_registration_finds_its_agent_also_when_all_is_over(world: World) -> None:
    run, worker = await world.run(), await world.worker()
    registration = world.registration(run, worker)
    given = await world.storage.reserve(registration, NOW)
    assert isinstance(given, Reserved)
    await world.finish(given.agent)
    await world.move_run(run, RunState.COMPLETED)
    await world.storage.set_blocked(worker.id, True, NOW, "staff:ada", "spam")
    again = await world.storage.reserve(registration, LATER)
    assert isinstance(again, Reserved)
    assert (again.agent.id, again.agent.status, again.existing) == (
        given.agent.id,
        AgentStatus.COMPLETED,
        True,
    )


async def test_after_its_agent_the_link_gets_the_next_unit(world: World) -> None:
    run, worker = await world.run(assignments=2), await world.worker()
    first = (await world.take(run, worker, link="mine")).agent
    await world.finish(first)
    second = await world.take(run, worker, link="mine", after=first.wire_id)
    assert second.unit.id != first.unit_id
    assert [a.id for a in await world.storage.agents_of_link(run.id, "mine")] == [first.id, second.agent.id]


async def test_the_last_agent_of_a_link_comes_with_what_belongs_to_it(world: World) -> None:
    run, ann = await world.run(assignments=2), await world.worker()
    assert await world.storage.last_of_link(run.id, "mine") is None
    first = (await world.take(run, ann, link="mine")).agent
    await world.finish(first)
    second = await world.take(run, ann, link="mine", after=first.wire_id)
    last = LastOfLink(second.agent, second.unit, second.assignment, ann)
    assert await world.storage.last_of_link(run.id, "mine") == last


async def test_of_who_goes_on_from_the_last_agent_of_a_link_all_facts_are_read_with_it(world: World) -> None:
    run, ann = await world.run(assignments=2), await world.worker()
    first = (await world.take(run, ann, link="mine")).agent
    await world.finish(first)
    last = await world.storage.last_of_link(run.id, "mine", first.wire_id)
    assert last is not None
    assert last.facts == await world.facts(run, ann)


async def test_of_who_goes_on_no_facts_are_read_while_the_fact_is_there_that_bars_them(world: World) -> None:
    run, ann = await world.run(assignments=2), await world.worker()
    first = (await world.take(run, ann, link="mine")).agent
    await world.finish(first)
    bar = ("books", "ann")
    present: list[bool] = []
    for value in (None, {"reason": "spam"}, False, None):  # False is a fact, too
        await world.storage.put_fact(*bar, value)
        last = await world.storage.last_of_link(run.id, "mine", first.wire_id, bar)
        assert last is not None
        present.append(last.facts == await world.facts(run, ann))
    assert present == [True, False, False, True]


async def test_who_has_finished_another_agent_than_the_last_of_their_link_does_not_go_on(
    world: World,
) -> None:
    run, ann = await world.run(assignments=2), await world.worker()
    first = (await world.take(run, ann, link="mine")).agent
    await world.finish(first)
    second = (await world.take(run, ann, link="mine", after=first.wire_id)).agent
    for after in (first.wire_id, second.wire_id, "", None):  # the second is at work
        last = await world.storage.last_of_link(run.id, "mine", after)
        assert last is not None
        assert last.facts is None


async def test_nobody_gets_an_agent_by_naming_a_foreign_link(world: World) -> None:
    run = await world.run(assignments=2)
    await world.take(run, await world.worker("ann"), link="anns")
    with pytest.raises(Duplicate):
        await world.ask(run, await world.worker("eve"), link="anns")


async def test_a_wire_id_is_taken_once(world: World) -> None:
    run = await world.run(assignments=2)
    await world.take(run, await world.worker("ann"), wire_id=WireId("same"))
    bob = await world.worker("bob")
    before = await world.everything()
    with pytest.raises(Duplicate):
        await world.ask(run, bob, wire_id=WireId("same"))
    assert await world.everything() == before


@pytest.mark.parametrize(
    "changes", [{"path": ()}, {"path": (AgentStatus.COMPLETED,)}, {"link": ""}, {"wire_id": ""}]
)
async def test_a_registration_with_a_bad_value_changes_nothing(
    world: World, changes: dict[str, object]
) -> None:
    run, worker = await world.run(), await world.worker()
    before = await world.everything()
    with pytest.raises(InvalidRecord):
        await world.ask(run, worker, **changes)
    assert await world.everything() == before


async def test_s25_run_and_worker_of_a_registration_must_exist(world: World) -> None:
    run, worker = await world.run(), await world.worker()
    with pytest.raises(NotFound):
        await world.ask(run, worker, run_id=RunId(7))
    with pytest.raises(NotFound):
        await world.ask(run, worker, worker_id=WorkerId(7))


async def test_a_blocked_worker_gets_nothing(world: World) -> None:
    run, worker = await world.run(), await world.worker()
    await world.storage.set_blocked(worker.id, True, NOW, "staff:ada", "spam")
    assert (await world.refused(run, worker)).reason == "blocked"
    await world.storage.set_blocked(worker.id, False, NOW, "staff:ada", "a mistake")
    await world.take(run, worker)


@pytest.mark.parametrize("state", [RunState.DRAINING, RunState.COMPLETED, RunState.STOPPED, RunState.FAILED])
async def test_only_a_running_run_gives_units(world: World, state: RunState) -> None:
    run = await world.run()
    await world.move_run(run, state)
    refusal = await world.refused(run, await world.worker())
    assert (refusal.reason, refusal.facts) == ("run_ended", {"state": state.value})


async def test_a_worker_never_gets_two_units_of_one_assignment(world: World) -> None:
    run, worker = await world.run(assignments=2, units=3), await world.worker()
    units = [(await world.take(run, worker)).unit for _ in range(2)]
    assert [unit.assignment_id for unit in units] == [1, 2]
    refusal = await world.refused(run, worker)
    assert (refusal.reason, refusal.facts) == ("no_available_units", {"launched": 4})


async def test_nor_after_having_given_one_back(world: World) -> None:
    run, worker = await world.run(), await world.worker()
    await world.give_back((await world.take(run, worker)).agent)
    assert (await world.refused(run, worker)).reason == "no_available_units"
    await world.take(run, await world.worker("bob"))


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason in ONLY_WAITED])
async def test_but_after_having_only_waited_there_for_others(world: World, reason: Reason) -> None:
    run, worker = await world.run(), await world.worker()
    agent = (await world.take(run, worker)).agent
    await world.commit(
        MoveAgent(agent.id, agent.status, AgentStatus.EXPIRED, "daemon", "nobody came", reason.value),
        MoveUnit(
            agent.unit_id, UnitStatus.ASSIGNED, UnitStatus.LAUNCHED, "daemon", "nobody came", agent.id, True
        ),
    )
    assert (await world.take(run, worker)).unit.id == agent.unit_id


async def test_a_unit_given_back_goes_to_the_end_of_the_queue(world: World) -> None:
    run = await world.run(assignments=3)
    await world.give_back((await world.take(run, await world.worker())).agent)
    assert [unit.id for unit in await world.free(run)] == [2, 3, 1]
    given = [(await world.take(run, await world.worker(name))).unit.id for name in ("bob", "cid", "dan")]
    assert given == [2, 3, 1]


async def test_a_worker_who_has_gone_far_still_gets_what_is_launched_later(world: World) -> None:
    # The trap of a forward-only cursor: unit 1 comes back behind unit 2, then 3 is launched.
    run = await world.storage.create_run(new_run(), NOW, "staff:ada")
    await world.storage.add_assignments(run.id, rows(0, 4), True, NOW)
    await world.move_run(run, RunState.RUNNING)
    ann, bob = await world.worker("ann"), await world.worker("bob")
    await world.storage.launch_units(run.id, 2, NOW)
    await world.give_back((await world.take(run, ann)).agent)
    assert [(await world.take(run, bob)).unit.id for _ in range(2)] == [2, 1]
    await world.storage.launch_units(run.id, 2, NOW)
    assert [(await world.take(run, bob)).unit.id for _ in range(2)] == [3, 4]


async def test_a_worker_steps_over_the_rest_of_an_assignment_that_came_back_late(world: World) -> None:
    run = await world.run(assignments=3, units=2)
    ann, bob = await world.worker("ann"), await world.worker("bob")
    await world.give_back((await world.take(run, ann)).agent)
    assert [(await world.take(run, bob)).unit.assignment_id for _ in range(3)] == [1, 2, 3]
    assert (await world.refused(run, bob)).facts == {"launched": 3}


async def test_a_worker_holds_no_more_units_at_once_than_allowed(world: World) -> None:
    run, worker = await world.run(assignments=3), await world.worker()
    first = (await world.take(run, worker, allowed_concurrent=2)).agent
    await world.take(run, worker, allowed_concurrent=2)
    refusal = await world.refused(run, worker, allowed_concurrent=2)
    assert (refusal.reason, refusal.facts) == ("too_many_concurrent", {"held": 2, "allowed": 2})
    await world.finish(first)
    await world.take(run, worker, allowed_concurrent=2)


async def test_the_units_of_another_run_do_not_count_as_held(world: World) -> None:
    first, second, worker = await world.run("a"), await world.run("b"), await world.worker()
    await world.take(first, worker, allowed_concurrent=1)
    await world.take(second, worker, allowed_concurrent=1)


async def test_a_worker_does_no_more_units_of_a_task_than_allowed(world: World) -> None:
    first, second, worker = await world.run("a", 2), await world.run("b"), await world.worker()
    await world.finish((await world.take(first, worker, maximum_units_per_worker=2)).agent)
    await world.take(first, worker, maximum_units_per_worker=2)
    refusal = await world.refused(second, worker, maximum_units_per_worker=2)
    assert (refusal.reason, refusal.facts) == ("max_for_task", {"counted": 2, "maximum": 2})


async def test_units_given_back_and_those_of_other_tasks_do_not_count(world: World) -> None:
    first, other, worker = await world.run("a", 2), await world.run("b", task_name="x"), await world.worker()
    await world.give_back((await world.take(first, worker, maximum_units_per_worker=1)).agent)
    await world.take(other, worker, maximum_units_per_worker=1)
    await world.take(first, worker, maximum_units_per_worker=1)


async def test_a_refusal_changes_nothing(world: World) -> None:
    run, worker = await world.run(), await world.worker()
    await world.take(run, worker)
    before = await world.everything()
    await world.refused(run, worker)
    assert await world.everything() == before


async def test_reserved_agents_are_those_whose_unit_is_assigned(world: World) -> None:
    run = await world.run(assignments=3)
    first = (await world.take(run, await world.worker("ann"))).agent
    second = (await world.take(run, await world.worker("bob"))).agent
    third = (await world.take(run, await world.worker("cid"))).agent
    await world.finish(first)
    await world.give_back(second)
    assert await world.storage.reserved_agents(run.id) == [third]
