"""Moves of agents and units on every body: guards, and all or nothing."""

import attrs
import pytest

from crowdd.protocol.names import AgentId, AgentStatus, UnitId, UnitStatus
from crowdd.protocol.packets import FileNote
from crowdd.storage.errors import Duplicate, InvalidRecord, NotFound, StaleWrite
from crowdd.storage.records import Review, Submission
from crowdd.storage.writes import AddReview, AddSubmission, MoveAgent, MoveUnit, SetDue

from .world import LATER, NOW, World, moves, submits

FILE = FileNote("ab" * 32, 12, "photo", "my photo.png", "image/png")
ASSIGNED, COMPLETED, LAUNCHED = UnitStatus.ASSIGNED, UnitStatus.COMPLETED, UnitStatus.LAUNCHED


async def test_s28_a_moved_agent_has_its_new_status_reason_time_and_version(world: World) -> None:
    agent = await world.at_work()
    await world.commit(moves(agent, AgentStatus.WAITING, reason="partner_left", due_at=LATER))
    moved = attrs.evolve(
        agent, status=AgentStatus.WAITING, version=agent.version + 1, reason="partner_left", due_at=LATER
    )
    assert await world.storage.agent(agent.id) == moved
    assert await world.storage.agents(agent.run_id, frozenset({AgentStatus.WAITING})) == [moved]


async def test_an_agent_that_ended_has_an_end_and_one_that_rejoined_has_none(world: World) -> None:
    agent = await world.at_work()
    await world.commit(moves(agent, AgentStatus.DISCONNECT))
    gone = await world.storage.agent(agent.id)
    assert (gone.ended_at, gone.status) == (LATER, AgentStatus.DISCONNECT)
    await world.commit(moves(gone, AgentStatus.IN_TASK))
    assert (await world.storage.agent(agent.id)).ended_at is None


async def test_a_submission_completes_agent_and_unit_together(world: World) -> None:
    agent = await world.at_work()
    submission, *rest = submits(agent, b'{"a":"\xc3\xa9"}')
    assert isinstance(submission, AddSubmission)
    await world.commit(attrs.evolve(submission, files=[FILE], late=True), *rest)
    assert (await world.storage.agent(agent.id)).status is AgentStatus.COMPLETED
    unit = await world.storage.unit(agent.unit_id)
    assert (unit.status, unit.agent_id, unit.worker_id) == (COMPLETED, agent.id, agent.worker_id)
    stored = Submission(agent.id, agent.run_id, b'{"a":"\xc3\xa9"}', [FILE], "digest", True, LATER)
    assert await world.storage.submission(agent.id) == stored
    assert await world.storage.last_submission_at(agent.run_id) == LATER


async def test_an_agent_without_a_submission_has_none(world: World) -> None:
    agent = await world.at_work()
    with pytest.raises(NotFound):
        await world.storage.submission(agent.id)
    assert await world.storage.last_submission_at(agent.run_id) is None


async def test_an_agent_submits_once(world: World) -> None:
    agent = await world.at_work()
    await world.finish(agent)
    with pytest.raises(Duplicate):
        await world.commit(AddSubmission(agent.id, b"{}", [], "other"))
    assert (await world.storage.submission(agent.id)).digest == "digest"


async def test_also_within_one_transaction(world: World) -> None:
    agent = await world.at_work()
    with pytest.raises(Duplicate):
        await world.commit(*submits(agent)[:1], AddSubmission(agent.id, b"{}", [], "other"))
    with pytest.raises(NotFound):
        await world.storage.submission(agent.id)


async def test_a_released_unit_is_free_for_the_next_worker(world: World) -> None:
    agent = await world.at_work()
    await world.give_back(agent)
    unit = await world.storage.unit(agent.unit_id)
    assert (unit.status, unit.agent_id, unit.worker_id) == (LAUNCHED, None, None)


async def test_a_stale_agent_is_not_moved(world: World) -> None:
    agent = await world.at_work()
    await world.commit(moves(agent, AgentStatus.WAITING))
    before = await world.everything()
    with pytest.raises(StaleWrite):
        await world.commit(moves(agent, AgentStatus.TIMEOUT))
    assert await world.everything() == before


@pytest.mark.parametrize(
    "move",
    [
        MoveUnit(UnitId(1), LAUNCHED, UnitStatus.EXPIRED, "x", "another status"),
        MoveUnit(UnitId(1), ASSIGNED, LAUNCHED, "x", "another holder", AgentId(2), release=True),
        MoveUnit(UnitId(1), ASSIGNED, LAUNCHED, "x", "no holder named", release=True),
    ],
    ids=lambda move: move.why,
)
async def test_a_stale_unit_is_not_moved(world: World, move: MoveUnit) -> None:
    agent = await world.at_work()
    before = await world.everything()
    with pytest.raises(StaleWrite):
        await world.commit(moves(agent, AgentStatus.RETURNED), move)
    assert await world.everything() == before


@pytest.mark.parametrize(
    ("before", "after", "held_by", "release"),
    [
        (LAUNCHED, ASSIGNED, None, False),
        (LAUNCHED, COMPLETED, None, False),
        (ASSIGNED, LAUNCHED, AgentId(1), False),
        (ASSIGNED, COMPLETED, AgentId(1), True),
        (ASSIGNED, UnitStatus.ACCEPTED, AgentId(1), True),
    ],
)
async def test_a_unit_has_an_agent_exactly_when_its_status_needs_one(
    world: World, before: UnitStatus, after: UnitStatus, held_by: AgentId | None, release: bool
) -> None:
    run = await world.run(assignments=2)
    agent = (await world.take(run, await world.worker())).agent
    unit_id = agent.unit_id if held_by else UnitId(2)
    with pytest.raises(InvalidRecord):
        await world.commit(MoveUnit(unit_id, before, after, "x", "y", held_by, release))


async def test_a_unit_is_not_taken_from_a_live_agent(world: World) -> None:
    agent = await world.at_work()
    before = await world.everything()
    release = MoveUnit(agent.unit_id, ASSIGNED, LAUNCHED, "x", "y", agent.id, release=True)
    with pytest.raises(StaleWrite):
        await world.commit(release)
    assert await world.everything() == before
    await world.commit(release, moves(agent, AgentStatus.TIMEOUT))


async def test_an_agent_whose_unit_went_to_another_cannot_come_back(world: World) -> None:
    run = await world.run()
    agent = (await world.take(run, await world.worker())).agent
    await world.give_back(agent)
    second = (await world.take(run, await world.worker("bob"))).agent
    with pytest.raises(StaleWrite):
        await world.commit(MoveAgent(agent.id, AgentStatus.RETURNED, AgentStatus.IN_TASK, "x", "y"))
    assert (await world.storage.unit(second.unit_id)).agent_id == second.id


async def test_one_failing_write_undoes_all_of_its_transaction(world: World) -> None:
    agent = await world.at_work()
    before = await world.everything()
    with pytest.raises(NotFound):
        await world.commit(*submits(agent), MoveUnit(UnitId(7), LAUNCHED, COMPLETED, "x", "y"))
    assert await world.everything() == before


async def test_writes_of_one_transaction_see_each_other(world: World) -> None:
    agent = await world.at_work()
    gone = attrs.evolve(agent, status=AgentStatus.DISCONNECT)
    await world.commit(moves(agent, AgentStatus.DISCONNECT), moves(gone, AgentStatus.IN_TASK))
    assert (await world.storage.agent(agent.id)).version == agent.version + 2


async def test_writes_about_unknown_agents_and_units_fail(world: World) -> None:
    nobody = AgentId(7)
    for write in (
        MoveAgent(nobody, AgentStatus.IN_TASK, AgentStatus.TIMEOUT, "x", "y"),
        AddSubmission(nobody, b"{}", [], "d"),
        AddReview(nobody, AgentStatus.APPROVED, "staff:ada"),
        SetDue(nobody, LATER),
        MoveUnit(UnitId(7), LAUNCHED, UnitStatus.EXPIRED, "x", "y"),
    ):
        with pytest.raises(NotFound):
            await world.commit(write)


async def test_a_live_agent_gets_more_time(world: World) -> None:
    agent = await world.at_work(due_at=NOW)
    await world.commit(SetDue(agent.id, LATER))
    assert await world.storage.agent(agent.id) == attrs.evolve(agent, due_at=LATER)
    await world.commit(SetDue(agent.id, None))
    assert (await world.storage.agent(agent.id)).due_at is None


async def test_an_ended_agent_gets_no_more_time(world: World) -> None:
    agent = await world.at_work()
    await world.finish(agent)
    with pytest.raises(StaleWrite):
        await world.commit(SetDue(agent.id, LATER))


async def test_reviews_are_kept_oldest_first(world: World) -> None:
    agent = await world.at_work()
    await world.finish(agent)
    await world.commit(
        AddReview(agent.id, AgentStatus.REJECTED, "staff:ada", "blank"),
        AddReview(agent.id, AgentStatus.APPROVED, "staff:bob"),
    )
    key = (agent.id, agent.unit_id, agent.worker_id)
    assert await world.storage.reviews(agent.id) == [
        Review(1, *key, AgentStatus.REJECTED, "blank", "staff:ada", LATER),
        Review(2, *key, AgentStatus.APPROVED, None, "staff:bob", LATER),
    ]


async def test_only_a_verdict_is_a_review(world: World) -> None:
    agent = await world.at_work()
    with pytest.raises(InvalidRecord):
        await world.commit(AddReview(agent.id, AgentStatus.COMPLETED, "staff:ada"))
    assert await world.storage.reviews(agent.id) == []


async def test_a_reviewed_unit_keeps_its_agent(world: World) -> None:
    agent = await world.at_work()
    await world.finish(agent)
    done = await world.storage.agent(agent.id)
    accept = MoveUnit(agent.unit_id, COMPLETED, UnitStatus.ACCEPTED, "staff:ada", "good", agent.id)
    await world.commit(moves(done, AgentStatus.APPROVED), accept)
    unit = await world.storage.unit(agent.unit_id)
    assert (unit.status, unit.agent_id) == (UnitStatus.ACCEPTED, agent.id)


async def test_the_export_has_everything_about_each_submission_in_pages(world: World) -> None:
    run = await world.run(assignments=3)
    agents = [(await world.take(run, await world.worker(name))).agent for name in ("ann", "bob", "cid")]
    for agent in agents[:2]:
        await world.finish(agent)
    told = await world.storage.add_metadata(agents[0].id, "feedback", {"text": "nice"}, [], "d", NOW)
    first, second = await world.storage.export(run.id)
    assert (first.agent.id, second.agent.id) == (agents[0].id, agents[1].id)
    assert (first.worker.name, first.assignment.shared, first.unit.status) == ("ann", {"n": 0}, COMPLETED)
    assert (first.run, first.submission.data, first.metadata) == (run, b'{"answer":7}', [told])
    assert await world.storage.export(run.id, limit=1) == [first]
    assert await world.storage.export(run.id, after=first.agent.id) == [second]
