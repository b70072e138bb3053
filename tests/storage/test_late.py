"""Answers that came too late to count, and units that are taken back for one that may, on every body."""

from typing import Any

import attrs
import pytest

from crowdd.protocol.names import AgentId, AgentStatus, QueueOrder, RunId, RunState, UnitStatus, WireId
from crowdd.protocol.packets import FileNote
from crowdd.storage.contract import Storage
from crowdd.storage.errors import InvalidRecord, NotFound, StaleWrite
from crowdd.storage.records import Agent, LateAnswer, TaskRun
from crowdd.storage.writes import AddSubmission, MoveAgent, MoveUnit, TakeBack

from .world import LATER, NOW, World


def late(run: TaskRun, agent: Agent | None, text: str = "seven") -> LateAnswer:
    return LateAnswer(
        id=0,
        run_id=run.id,
        agent_id=None if agent is None else agent.id,
        wire_id=WireId("from before") if agent is None else agent.wire_id,
        is_answer=True,
        data=f'{{"label":"{text}"}}'.encode(),
        files=[FileNote("f" * 64, 3, "photo", "me.png", "image/png")],
        digest=f"digest of {text}",
        why="its time was over",
        received_at=NOW,
    )


async def run_of(storage: Storage, agent: Agent) -> TaskRun:
    return await storage.run(agent.run_id)


async def test_a_late_answer_is_kept_as_it_came(storage: Storage) -> None:
    agent = await World(storage).at_work()
    run = await run_of(storage, agent)
    assert await storage.add_late(late(run, agent))
    assert await storage.late_answers(run.id) == [attrs.evolve(late(run, agent), id=1)]


async def test_the_same_late_answer_is_kept_once_and_another_beside_it(storage: Storage) -> None:
    agent = await World(storage).at_work()
    run = await run_of(storage, agent)
    assert await storage.add_late(late(run, agent))
    assert not await storage.add_late(
        attrs.evolve(late(run, agent), why="for another reason", received_at=LATER)
    )
    assert await storage.add_late(late(run, agent, "eight"))
    assert await storage.late_count(run.id) == 2
    assert [each.why for each in await storage.late_answers(run.id)] == ["its time was over"] * 2


async def test_a_late_answer_of_an_agent_that_this_store_never_had_is_kept(storage: Storage) -> None:
    run = await World(storage).run()
    assert await storage.add_late(late(run, None))
    (kept,) = await storage.late_answers(run.id)
    assert (kept.agent_id, kept.wire_id) == (None, "from before")


async def test_a_late_answer_of_nobody_s_run_or_of_no_such_agent_is_refused(storage: Storage) -> None:
    run = await World(storage).run()
    with pytest.raises(NotFound):
        await storage.add_late(attrs.evolve(late(run, None), run_id=RunId(99)))
    with pytest.raises(NotFound):
        await storage.add_late(attrs.evolve(late(run, None), agent_id=AgentId(99)))


async def test_late_answers_are_given_by_run_in_pages(storage: Storage) -> None:
    world = World(storage)
    agent, other = await world.at_work(), await world.at_work("others", "bob")
    run = await run_of(storage, agent)
    for text in ("one", "two", "three"):
        await storage.add_late(late(run, agent, text))
    await storage.add_late(late(await run_of(storage, other), other))
    first = await storage.late_answers(run.id, limit=2)
    rest = await storage.late_answers(run.id, after=first[-1].id, limit=2)
    assert [each.digest for each in [*first, *rest]] == ["digest of one", "digest of two", "digest of three"]


async def test_late_answers_go_with_their_run(storage: Storage) -> None:
    world = World(storage)
    agent = await world.at_work()
    run = await run_of(storage, agent)
    await storage.add_late(late(run, agent))
    await storage.add_late(late(run, None))
    await world.finish(agent)
    await world.move_run(run, RunState.STOPPED)
    await storage.begin_deletion(run.id, NOW, "staff:ada")
    while await storage.delete_assignments(run.id, 10):
        pass
    await storage.finish_deletion(run.id, NOW, "staff:ada")
    assert await storage.late_answers(run.id) == []


# units that are taken back


async def timed_out(world: World, **changes: Any) -> Agent:
    """An agent whose time was over, and whose unit is free."""
    run = await world.run(assignments=2, units=2, **changes)
    agent = (await world.take(run, await world.worker())).agent
    unit = await world.storage.unit(agent.unit_id)
    await world.commit(
        MoveAgent(agent.id, agent.status, AgentStatus.TIMEOUT, "daemon", "time over"),
        MoveUnit(unit.id, unit.status, UnitStatus.LAUNCHED, "daemon", "time over", agent.id, release=True),
    )
    return await world.storage.agent(agent.id)


def taken_back(agent: Agent) -> list[AddSubmission | MoveAgent | TakeBack | MoveUnit]:
    return [
        AddSubmission(agent.id, b"{}", [], "digest", late=True),
        MoveAgent(agent.id, AgentStatus.TIMEOUT, AgentStatus.COMPLETED, "worker", "submitted late"),
        TakeBack(agent.unit_id, agent.id, "worker", "taken back"),
        MoveUnit(agent.unit_id, UnitStatus.ASSIGNED, UnitStatus.COMPLETED, "worker", "late", agent.id),
    ]


@pytest.mark.parametrize("queue", list(QueueOrder))
async def test_a_free_unit_is_taken_back_and_completed_in_one_step(
    storage: Storage, queue: QueueOrder
) -> None:
    world = World(storage)
    agent = await timed_out(world, queue=queue)
    await world.commit(*taken_back(agent))
    unit = await storage.unit(agent.unit_id)
    assert (unit.status, unit.agent_id, unit.worker_id) == (UnitStatus.COMPLETED, agent.id, agent.worker_id)
    assert (await storage.agent(agent.id)).status is AgentStatus.COMPLETED
    assert (await storage.submission(agent.id)).late
    story = await world.story("unit", unit.id)
    assert story[-2:] == [("launched", "assigned"), ("assigned", "completed")]
    assert unit.id not in [free.id for free in await world.free(await run_of(storage, agent))]


async def test_a_unit_that_somebody_has_is_not_taken_back(storage: Storage) -> None:
    world = World(storage)
    agent = await timed_out(world)
    run = await run_of(storage, agent)
    others = [
        (await world.take(run, await world.worker(name))).agent for name in ("bob", "cid", "dan", "eve")
    ]
    assert agent.unit_id in [other.unit_id for other in others]
    before = await world.everything()
    with pytest.raises(StaleWrite):
        await world.commit(*taken_back(agent))
    assert await world.everything() == before


async def test_nobody_takes_back_a_unit_that_was_never_theirs(storage: Storage) -> None:
    world = World(storage)
    agent = await timed_out(world)
    (another, *_) = [one for one in await world.free(await run_of(storage, agent)) if one.id != agent.unit_id]
    with pytest.raises(InvalidRecord):
        await world.commit(TakeBack(another.id, agent.id, "worker", "mine"))


async def test_the_worker_is_not_given_another_unit_of_the_assignment_after_it(storage: Storage) -> None:
    world = World(storage)
    agent = await timed_out(world)
    await world.commit(*taken_back(agent))
    again = await world.take(await run_of(storage, agent), await world.worker())
    assert again.agent.assignment_id != agent.assignment_id
