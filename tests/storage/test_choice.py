"""In which order units are given, and who may choose among them, on every body."""

import attrs
import pytest

from crowdd.protocol.names import QueueOrder, RunId, UnitId, UnitStatus, WireId, WorkerId
from crowdd.storage.admission import WorkerFacts
from crowdd.storage.admission_rules import CANDIDATES_MAX
from crowdd.storage.contract import Arrival, Arrived, NotReserved, Registration, Reserved
from crowdd.storage.errors import Duplicate, InvalidRecord, NotFound
from crowdd.storage.records import TaskRun
from crowdd.storage.writes import MoveUnit

from .world import GOLD, NOW, SCREENING, World, new_run, rows

LEAST_COVERED, RANKED = QueueOrder.LEAST_COVERED, QueueOrder.RANKED


async def ranked(world: World, *ranks: int) -> TaskRun:
    """A run with one unit for each rank."""
    made = [attrs.evolve(row, ranks=[rank]) for row, rank in zip(rows(0, len(ranks)), ranks, strict=True)]
    return await world.run(new_rows=made, queue=RANKED)


# --- candidates


async def test_candidates_are_the_free_units_in_the_order_of_the_run(world: World) -> None:
    run, ann = await world.run(assignments=4), await world.worker()
    await world.give_back((await world.take(run, await world.worker("bob"))).agent)
    assert await world.candidates(run, ann) == [2, 3, 4, 1]
    (first, *_) = await world.storage.candidates(run.id, ann.id)
    assert first.assignment == await world.storage.assignment(first.unit.assignment_id)


async def test_candidates_come_in_pages(world: World) -> None:
    run, ann = await world.run(assignments=5), await world.worker()
    first = await world.storage.candidates(run.id, ann.id, limit=2)
    second = await world.storage.candidates(run.id, ann.id, after=first[-1], limit=2)
    last = await world.storage.candidates(run.id, ann.id, after=second[-1], limit=2)
    assert [[each.unit.id for each in page] for page in (first, second, last)] == [[1, 2], [3, 4], [5]]
    assert await world.storage.candidates(run.id, ann.id, after=last[-1]) == []


async def test_no_candidate_is_of_an_assignment_the_worker_worked_on(world: World) -> None:
    run, ann = await world.run(assignments=3, units=2), await world.worker()
    await world.give_back((await world.take(run, ann)).agent)
    await world.finish((await world.take(run, ann)).agent)
    assert await world.candidates(run, ann) == [5, 6]
    assert await world.candidates(run, await world.worker("bob")) == [2, 4, 5, 6, 1]


async def test_units_that_are_not_free_are_no_candidates(world: World) -> None:
    run, ann = await world.run(assignments=3), await world.worker()
    await world.take(run, await world.worker("bob"))
    second = (await world.take(run, await world.worker("cid"))).agent
    await world.finish(second)
    assert await world.candidates(run, ann) == [3]
    await world.storage.expire_units(run.id, NOW, "staff:ada", "stopped")
    assert await world.candidates(run, ann) == []


async def test_the_first_candidate_that_is_still_free_is_given(world: World) -> None:
    run, ann = await world.run(assignments=4), await world.worker()
    taken = (await world.take(run, await world.worker("bob"))).unit
    assert (await world.take(run, ann, candidates=[taken.id, UnitId(3), UnitId(2)])).unit.id == 3


async def test_who_chose_a_later_unit_still_gets_the_earlier_ones(world: World) -> None:
    run, ann = await world.run(assignments=3), await world.worker()
    await world.take(run, ann, candidates=[UnitId(3)])
    assert await world.candidates(run, ann) == [1, 2]
    assert [(await world.take(run, ann)).unit.id for _ in range(2)] == [1, 2]


async def test_when_no_candidate_is_free_any_more_the_worker_must_choose_again(world: World) -> None:
    run, ann = await world.run(assignments=2, units=2), await world.worker()
    await world.take(run, ann)
    other = await world.run("other")
    foreign = (await world.free(other))[0].id
    for gone in ([], [UnitId(2)], [UnitId(99)], [foreign]):
        refusal = await world.refused(run, ann, candidates=gone)
        assert (refusal.reason, refusal.facts) == ("candidates_gone", {"launched": 3})


async def test_candidates_are_limited(world: World) -> None:
    run, ann = await world.run(), await world.worker()
    with pytest.raises(InvalidRecord):
        await world.ask(run, ann, candidates=[UnitId(1)] * (CANDIDATES_MAX + 1))
    with pytest.raises(InvalidRecord):
        await world.ask(run, ann, candidates=[UnitId(1)], special=GOLD)


async def test_candidates_and_facts_are_of_a_run_and_a_worker_that_exist(world: World) -> None:
    run, ann = await world.run(), await world.worker()
    with pytest.raises(NotFound):
        await world.storage.candidates(RunId(7), ann.id)
    with pytest.raises(NotFound):
        await world.storage.worker_facts(RunId(7), ann.id)
    with pytest.raises(NotFound):
        await world.storage.worker_facts(run.id, WorkerId(7))


async def test_of_a_worker_who_is_new_to_the_store_a_run_knows_all_facts_at_once(world: World) -> None:
    run = await world.run(assignments=3)
    arrived = await world.storage.arrive(Arrival(run.id, "mock", "zoe", {"country": "NZ"}), NOW)
    assert arrived.facts == await world.facts(run, arrived.worker)
    assert arrived.worker.provider_data == {"country": "NZ"}
    again = await world.storage.arrive(Arrival(run.id, "mock", "zoe"), NOW)
    assert again == Arrived(arrived.worker, None)


async def test_who_is_new_gets_what_is_chosen_upon_their_facts_in_the_same_go(world: World) -> None:
    run = await world.run(assignments=2)
    seen: list[WorkerFacts] = []

    def choose(facts: WorkerFacts) -> Registration:
        seen.append(facts)
        return attrs.evolve(world.registration(run, facts.worker), candidates=[UnitId(2)])

    arrived = await world.storage.arrive(Arrival(run.id, "mock", "zoe", choose=choose), NOW)
    assert isinstance(arrived.reserved, Reserved)
    assert (arrived.reserved.unit.id, arrived.reserved.existing) == (2, False)
    assert arrived.reserved.agent == await world.storage.agent(arrived.reserved.agent.id)
    assert seen[-1] == arrived.facts
    again = await world.storage.arrive(Arrival(run.id, "mock", "zoe", choose=choose), NOW)
    assert again == Arrived(arrived.worker, None)


async def test_who_is_new_and_gets_nothing_of_what_was_chosen_is_known_all_the_same(world: World) -> None:
    run = await world.run()

    def choose(facts: WorkerFacts) -> Registration:
        return attrs.evolve(world.registration(run, facts.worker), candidates=[UnitId(99)])

    arrived = await world.storage.arrive(Arrival(run.id, "mock", "zoe", choose=choose), NOW)
    assert arrived.reserved == NotReserved("candidates_gone", {"launched": 1})
    assert await world.storage.workers() == [arrived.worker]
    nothing = await world.storage.arrive(Arrival(run.id, "mock", "yan", choose=lambda facts: None), NOW)
    assert (nothing.reserved, nothing.facts) == (None, await world.facts(run, nothing.worker))


async def test_a_newcomer_does_not_get_the_agent_of_another_workers_link(world: World) -> None:
    run, ann = await world.run(assignments=2), await world.worker()
    hers = world.registration(run, ann)
    await world.storage.reserve(hers, NOW)

    def choose(facts: WorkerFacts) -> Registration:
        return attrs.evolve(hers, worker_id=facts.worker.id, wire_id=WireId("another"))

    with pytest.raises(Duplicate):
        await world.storage.arrive(Arrival(run.id, "mock", "zoe", choose=choose), NOW)
    assert await world.storage.workers() == [ann]


async def test_nobody_new_becomes_known_by_a_link_that_led_somebody_to_an_agent(world: World) -> None:
    run, ann = await world.run(assignments=2), await world.worker()
    await world.storage.reserve(world.registration(run, ann, link="used"), NOW)
    with pytest.raises(Duplicate):
        await world.storage.arrive(Arrival(run.id, "mock", "zoe", fresh_link="used"), NOW)
    assert await world.storage.workers() == [ann]


async def test_nobody_new_becomes_known_by_a_link_that_led_somebody_to_an_onboarding(world: World) -> None:
    run, ann = await world.run(), await world.worker()
    await world.begin_onboarding(run, ann, link="used")
    with pytest.raises(Duplicate):
        await world.storage.arrive(Arrival(run.id, "mock", "zoe", fresh_link="used"), NOW)
    assert await world.storage.workers() == [ann]


async def test_a_link_of_another_run_is_fresh_in_this_one(world: World) -> None:
    run, other, ann = await world.run("first"), await world.run("second"), await world.worker()
    await world.storage.reserve(world.registration(other, ann, link="used"), NOW)
    arrived = await world.storage.arrive(Arrival(run.id, "mock", "zoe", fresh_link="used"), NOW)
    assert arrived.facts is not None


async def test_of_who_is_known_nobody_looks_at_the_link(world: World) -> None:
    run, ann = await world.run(), await world.worker()
    await world.storage.reserve(world.registration(run, ann, link="used"), NOW)
    arrival = Arrival(run.id, ann.provider, ann.name, fresh_link="used")
    assert await world.storage.arrive(arrival, NOW) == Arrived(ann, None)


async def test_nobody_becomes_known_by_coming_to_a_run_that_is_not_there(world: World) -> None:
    with pytest.raises(NotFound):
        await world.storage.arrive(Arrival(RunId(7), "mock", "zoe"), NOW)
    assert await world.storage.workers() == []


# --- ranks


async def test_units_of_the_lowest_rank_come_first_and_then_as_they_became_free(world: World) -> None:
    run, ann = await ranked(world, 5, -3, 5, 0), await world.worker()
    assert await world.candidates(run, ann) == [2, 4, 1, 3]
    assert [(await world.take(run, ann)).unit.id for _ in range(4)] == [2, 4, 1, 3]


async def test_candidates_of_a_ranked_run_come_in_pages(world: World) -> None:
    run, ann = await ranked(world, 5, -3, 5, 0), await world.worker()
    first = await world.storage.candidates(run.id, ann.id, limit=3)
    second = await world.storage.candidates(run.id, ann.id, after=first[-1], limit=3)
    assert [each.unit.id for each in first + second] == [2, 4, 1, 3]


async def test_a_ranked_unit_given_back_keeps_its_rank(world: World) -> None:
    run, ann, bob = await ranked(world, 1, 1, 2), await world.worker(), await world.worker("bob")
    first = await world.take(run, ann)
    await world.take(run, bob)
    await world.give_back(first.agent)
    assert (await world.take(run, bob)).unit.id == first.unit.id


async def test_a_worker_gets_a_better_unit_that_came_back_meanwhile(world: World) -> None:
    run, ann, bob = await ranked(world, 1, 2, 3), await world.worker(), await world.worker("bob")
    first = (await world.take(run, ann)).agent
    await world.take(run, bob)
    await world.give_back(first)
    assert await world.candidates(run, bob) == [first.unit_id, 3]


async def test_the_lowest_ranks_are_released_first(world: World) -> None:
    run = await world.storage.create_run(new_run(queue=RANKED), NOW, "staff:ada")
    made = [attrs.evolve(row, ranks=[rank]) for row, rank in zip(rows(0, 3), (3, 1, 2), strict=True)]
    await world.storage.add_assignments(run.id, made, True, NOW)
    assert [unit.id for unit in await world.storage.launch_units(run.id, 2, NOW)] == [2, 3]


@pytest.mark.parametrize("queue", [QueueOrder.FIFO, LEAST_COVERED])
async def test_only_a_ranked_run_takes_ranks(world: World, queue: QueueOrder) -> None:
    with pytest.raises(InvalidRecord):
        await world.run(new_rows=[attrs.evolve(rows(0, 1)[0], ranks=[1])], queue=queue)


async def test_there_is_one_rank_for_each_unit_or_none(world: World) -> None:
    with pytest.raises(InvalidRecord):
        await world.run("digits", new_rows=[attrs.evolve(rows(0, 1, 2)[0], ranks=[1])], queue=RANKED)
    run = await world.run("other", new_rows=rows(0, 1, 2), queue=RANKED)
    assert [unit.rank for unit in await world.free(run)] == [0, 0]


# --- least covered


async def covered(world: World, run: TaskRun) -> list[int]:
    """The assignments of the units as they are given, to one new worker after the other."""
    given: list[int] = []
    while units := await world.candidates(run, await world.worker(f"next-{len(given)}")):
        taken = await world.take(run, await world.worker(f"next-{len(given)}"))
        assert taken.unit.id == units[0], "candidates come in the order in which units are given"
        given.append(taken.unit.assignment_id)
    return given


async def test_each_assignment_gets_its_first_worker_before_any_gets_a_second(world: World) -> None:
    run = await world.run(assignments=3, units=2, queue=LEAST_COVERED)
    assert await covered(world, run) == [1, 2, 3, 1, 2, 3]


async def test_an_assignment_whose_only_worker_gave_up_is_least_covered_again(world: World) -> None:
    run = await world.run(assignments=2, units=3, queue=LEAST_COVERED)
    agents = [(await world.take(run, await world.worker(f"w{number}"))).agent for number in range(3)]
    assert [agent.assignment_id for agent in agents] == [1, 2, 1]
    await world.give_back(agents[1])
    assert await covered(world, run) == [2, 2, 1, 2]


async def test_whichever_unit_is_taken_the_others_of_its_assignment_come_later(world: World) -> None:
    run = await world.run(assignments=2, units=3, queue=LEAST_COVERED)
    taken = await world.take(run, await world.worker("a"), candidates=[UnitId(3)])
    assert taken.unit.assignment_id == 1
    assert await covered(world, run) == [2, 1, 2, 1, 2]


async def test_a_unit_that_expires_counts_as_covered(world: World) -> None:
    run = await world.run(assignments=2, units=2, queue=LEAST_COVERED)
    await world.commit(MoveUnit(UnitId(1), UnitStatus.LAUNCHED, UnitStatus.EXPIRED, "staff:ada", "y"))
    assert await covered(world, run) == [2, 1, 2]


async def test_special_units_cover_nothing(world: World) -> None:
    run, ann = await world.run(assignments=1, units=2, queue=LEAST_COVERED), await world.worker()
    special = await world.take(run, ann, special=SCREENING)
    assert special.unit.rank == 0
    assert await covered(world, run) == [1, 1]
