"""Units made for one worker alone - screening and gold - on every body, and what a worker's facts say."""

import attrs
import pytest

from crowdd.protocol.names import AgentStatus, QueueOrder, RunState, UnitStatus
from crowdd.storage.errors import InvalidRecord, NotFound
from crowdd.storage.records import Agent, Worker
from crowdd.storage.writes import AddReview, MoveUnit

from .world import GOLD, NOW, SCREENING, World, new_run, rows


async def give_up(world: World, agent: Agent) -> None:
    """The special unit's agent returns it: it expires."""
    await world.give_back(agent, UnitStatus.EXPIRED)


async def test_a_special_unit_is_made_for_the_worker_who_asks(world: World) -> None:
    run, ann = await world.run(), await world.worker()
    given = await world.take(run, ann, special=GOLD)
    assert (given.assignment.row, given.assignment.shared, given.assignment.digest) == (
        -1,
        {"n": "known"},
        "digest-known",
    )
    assert (given.unit.unit_index, given.unit.status, given.unit.pay_cents) == (-2, UnitStatus.ASSIGNED, 5)
    assert given.unit.agent_id == given.agent.id
    assert await world.storage.unit(given.unit.id) == given.unit
    assert await world.story("unit", given.unit.id) == [
        (None, "created"),
        ("created", "launched"),
        ("launched", "assigned"),
    ]


async def test_special_units_are_counted_apart(world: World) -> None:
    run = await world.run(assignments=2)
    await world.take(run, await world.worker("ann"), special=SCREENING)
    await world.finish((await world.take(run, await world.worker("bob"), special=GOLD)).agent)
    counts = await world.storage.counts(run.id)
    assert {status: number for status, number in counts.units.items() if number} == {UnitStatus.LAUNCHED: 2}
    assert counts.screening[UnitStatus.ASSIGNED] == 1
    assert counts.gold[UnitStatus.COMPLETED] == 1
    assert sum(counts.agents.values()) == 2


async def test_the_cap_counts_units_of_one_kind_that_did_not_expire(world: World) -> None:
    run, ann = await world.run(), await world.worker()
    capped = attrs.evolve(SCREENING, cap=2)
    first = await world.take(run, ann, special=capped)
    await world.finish((await world.take(run, ann, special=capped)).agent)
    refusal = await world.refused(run, ann, special=capped)
    assert (refusal.reason, refusal.facts) == ("cap_reached", {"made": 2, "cap": 2})
    await world.take(run, ann, special=attrs.evolve(GOLD, cap=1))
    await give_up(world, first.agent)
    await world.take(run, ann, special=capped)
    assert (await world.refused(run, ann, special=capped)).reason == "cap_reached"
    assert await world.storage.special_count(run.id, -1) == 3
    assert await world.storage.special_count(run.id, -2) == 1


async def test_a_special_unit_that_is_given_up_expires_and_is_never_free(world: World) -> None:
    run, ann = await world.run(), await world.worker()
    agent = (await world.take(run, ann, special=GOLD)).agent
    for free in (UnitStatus.LAUNCHED, UnitStatus.CREATED):
        with pytest.raises(InvalidRecord):
            await world.commit(
                MoveUnit(agent.unit_id, UnitStatus.ASSIGNED, free, "x", "y", agent.id, release=True)
            )
    await give_up(world, agent)
    assert await world.candidates(run, await world.worker("bob")) == [1]


async def test_no_limit_of_the_task_keeps_a_worker_from_special_units_nor_do_they_count(world: World) -> None:
    run, ann = await world.run(assignments=3), await world.worker()
    await world.take(run, ann, special=GOLD, maximum_units_per_worker=1)
    await world.take(run, ann, maximum_units_per_worker=1)
    assert (await world.refused(run, ann, maximum_units_per_worker=1)).reason == "max_for_task"
    await world.take(run, ann, special=GOLD, maximum_units_per_worker=1)


async def test_special_units_count_among_those_held_at_once(world: World) -> None:
    run, ann = await world.run(assignments=2), await world.worker()
    await world.take(run, ann, special=GOLD, allowed_concurrent=1)
    assert (await world.refused(run, ann, allowed_concurrent=1)).reason == "too_many_concurrent"
    refusal = await world.refused(run, ann, special=GOLD, allowed_concurrent=1)
    assert refusal.reason == "too_many_concurrent"


async def test_taking_a_special_unit_skips_nothing_of_the_queue(world: World) -> None:
    run, ann = await world.run(assignments=2), await world.worker()
    await world.take(run, ann, special=SCREENING)
    assert [(await world.take(run, ann)).unit.id for _ in range(2)] == [1, 2]


async def test_the_digests_of_all_special_units_a_worker_had_are_known(world: World) -> None:
    run, other, ann = await world.run(), await world.run("other"), await world.worker()
    await give_up(world, (await world.take_special(run, ann, digest="a")).agent)
    await world.take_special(run, ann, digest="b")
    await world.take_special(other, ann, digest="c")
    await world.take_special(run, await world.worker("bob"), digest="d")
    await world.take(run, ann, special=attrs.evolve(GOLD, digest="e"))
    await world.take(run, ann)
    assert await world.storage.special_digests(run.id, ann.id, -1) == {"a", "b"}
    assert await world.storage.special_digests(run.id, ann.id, -2) == {"e"}


async def test_only_special_indexes_are_special(world: World) -> None:
    run, ann = await world.run(), await world.worker()
    for index in (0, 1, -3):
        with pytest.raises(InvalidRecord):
            await world.take_special(run, ann, unit_index=index)
    with pytest.raises(InvalidRecord):
        await world.storage.special_count(run.id, -3)


async def test_rows_go_on_after_special_units(world: World) -> None:
    storage = world.storage
    run = await storage.create_run(new_run(), NOW, "staff:ada")
    await storage.add_assignments(run.id, rows(0, 1), False, NOW)
    await world.move_run(run, RunState.RUNNING)
    await world.take_special(run, await world.worker())
    await storage.add_assignments(run.id, rows(1, 1), True, NOW)
    assert [each.row for each in await storage.assignments(run.id)] == [0, -1, 1]


async def test_expiring_the_units_of_a_run_leaves_special_ones_to_their_agents(world: World) -> None:
    run, ann = await world.run(), await world.worker()
    agent = (await world.take_special(run, ann)).agent
    assert [unit.id for unit in await world.storage.expire_units(run.id, NOW, "x", "y")] == [1]
    await give_up(world, agent)
    counts = await world.storage.counts(run.id)
    assert (counts.units[UnitStatus.EXPIRED], counts.screening[UnitStatus.EXPIRED]) == (1, 1)


# --- the facts of a worker


async def test_a_new_worker_has_no_facts_but_those_of_the_run(world: World) -> None:
    run, ann = await world.run(assignments=3), await world.worker()
    facts = await world.facts(run, ann)
    assert (facts.worker, facts.state, facts.paused, facts.grants) == (ann, RunState.RUNNING, False, {})
    assert (facts.holding, facts.task_units, facts.onboarding) == (0, 0, None)
    assert (facts.screening_units, facts.gold_units, facts.free_units) == (0, 0, 3)


async def test_facts_tell_what_a_worker_holds_and_did_in_all_runs_of_the_task(world: World) -> None:
    run, other = await world.run(assignments=3), await world.run("other", assignments=2)
    foreign, ann = await world.run("foreign", task_name="letters"), await world.worker()
    done = (await world.take(run, ann)).agent
    await world.finish(done)
    await world.commit(
        AddReview(done.id, AgentStatus.REJECTED, "staff:ada"),
        MoveUnit(done.unit_id, UnitStatus.COMPLETED, UnitStatus.REJECTED, "staff:ada", "no", done.id),
    )
    await world.give_back((await world.take(run, ann)).agent)
    await world.take(run, ann, special=GOLD)
    await world.take(other, ann)
    await world.take(foreign, ann)
    facts = await world.facts(run, ann)
    assert (facts.holding, facts.task_units, facts.free_units) == (1, 2, 2)
    assert (facts.screening_units, facts.gold_units) == (0, 1)


async def test_facts_tell_grants_by_name_and_block_and_pause(world: World) -> None:
    run, ann = await world.run(), await world.worker()
    await world.storage.ensure_qualifications({"trained": "knows digits", "fast": None}, NOW)
    await world.storage.grant("trained", ann.id, 7, NOW, "x", "y")
    await world.storage.grant("fast", (await world.worker("bob")).id, 1, NOW, "x", "y")
    await world.storage.set_blocked(ann.id, True, NOW, "staff:ada", "spam")
    await world.storage.set_paused(run.id, True, NOW, "staff:ada", "lunch")
    facts = await world.facts(run, ann)
    assert (facts.grants, facts.worker.blocked, facts.paused) == ({"trained": 7}, True, True)


async def test_facts_are_the_same_whatever_the_order_of_the_run(world: World) -> None:
    run = await world.run(assignments=2, units=2, queue=QueueOrder.LEAST_COVERED)
    assert (await world.storage.run(run.id)).queue is QueueOrder.LEAST_COVERED
    assert (await world.facts(run, await world.worker())).free_units == 4


# --- grants that a decision relied on


async def test_nothing_is_reserved_when_a_grant_is_not_what_the_decision_took_it_for(world: World) -> None:
    run, ann = await world.run(assignments=4), await world.worker()
    await world.take(run, ann, expect={"trained": None, "never made": None})
    await world.storage.create_qualification("trained", None, NOW)
    await world.storage.grant("trained", ann.id, 1, NOW, "x", "y")
    refusal = await world.refused(run, ann, expect={"trained": None})
    assert refusal.reason == "facts_changed"
    assert refusal.facts == {"qualification": "trained", "expected": None, "found": 1}
    assert (await world.refused(run, ann, expect={"trained": 2})).reason == "facts_changed"
    await world.take(run, ann, expect={"trained": 1})
    await world.storage.revoke("trained", ann.id, NOW, "x", "y")
    assert (await world.refused(run, ann, expect={"trained": 1})).reason == "facts_changed"


# --- what hooks granted on the way goes with the unit


async def grants_of(world: World, worker: Worker) -> dict[str, int]:
    names = {each.id: each.name for each in await world.storage.qualifications()}
    return {names[each.qualification_id]: each.value for each in await world.storage.grants(worker.id)}


async def test_what_was_granted_on_the_way_is_stored_with_the_unit(world: World) -> None:
    run, ann = await world.run(assignments=4), await world.worker()
    await world.storage.ensure_qualifications({"seen": None, "new": None}, NOW)
    await world.storage.grant("new", ann.id, 1, NOW, "x", "y")
    await world.take(run, ann, grants={"seen": 3, "new": None})
    assert await grants_of(world, ann) == {"seen": 3}
    entry = (await world.storage.history("grant"))[-1]
    assert (entry.who, entry.why) == ("daemon", "granted by the task's code")


async def test_nothing_is_reserved_or_granted_when_a_qualification_is_not_there(world: World) -> None:
    run, ann = await world.run(assignments=4), await world.worker()
    await world.storage.ensure_qualifications({"seen": None}, NOW)
    with pytest.raises(NotFound):
        await world.take(run, ann, grants={"seen": 3, "no such": 1})
    assert await grants_of(world, ann) == {}
    assert await world.storage.agents(run.id) == []


async def test_who_gets_no_unit_is_granted_nothing(world: World) -> None:
    run, ann = await world.run(assignments=4), await world.worker()
    await world.storage.ensure_qualifications({"seen": None}, NOW)
    await world.refused(run, ann, grants={"seen": 3}, expect={"seen": 1})
    first = await world.take(run, ann, link="a", grants={"seen": 1})
    again = await world.take(run, ann, link="a", grants={"seen": 2})
    assert (again.agent.id, again.existing) == (first.agent.id, True)
    assert await grants_of(world, ann) == {"seen": 1}
