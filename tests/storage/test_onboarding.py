"""Workers who are being onboarded, on every body."""

import attrs
import pytest

from crowdd.protocol.names import AgentId, AgentStatus, RunId, RunState, WireId, WorkerId
from crowdd.storage.admission import OnboardingBegun
from crowdd.storage.contract import NotReserved
from crowdd.storage.errors import Duplicate, InvalidRecord, NotFound, StaleWrite
from crowdd.storage.records import OnboardingAgent
from crowdd.storage.writes import MoveOnboarding

from .world import LATER, NOW, World

ONBOARDING, WAITING = AgentStatus.ONBOARDING, AgentStatus.WAITING
WHO = ("daemon", "test")


async def newcomer(world: World) -> OnboardingAgent:
    """Ann's onboarding agent, of a run of her own."""
    run, ann = await world.run(), await world.worker()
    return await world.begin_onboarding(run, ann, link="mine", due_at=LATER, provider_data={"x": [1]})


async def test_s31_an_onboarding_agent_is_found_by_its_id_worker_link_and_wire_id(world: World) -> None:
    agent, storage = await newcomer(world), world.storage
    bob = await world.worker("bob")
    other = await world.begin_onboarding(await storage.run(agent.run_id), bob)
    assert (agent.status, agent.version, agent.data, agent.ended_at) == (ONBOARDING, 1, None, None)
    assert (agent.due_at, agent.provider_data, agent.created_at) == (LATER, {"x": [1]}, NOW)
    assert await storage.onboarding_agent(agent.id) == agent
    assert await storage.onboarding_by_wire_id(agent.wire_id) == agent
    assert await storage.onboarding_of_link(agent.run_id, "mine") == [agent]
    assert await storage.onboarding_of_link(RunId(7), "mine") == []
    assert await storage.onboarding_agents(agent.run_id) == [agent, other]
    assert await storage.onboarding_agents(agent.run_id, bob.id) == [other]
    assert await storage.live_onboarding_agents(agent.run_id) == [agent, other]
    for lookup in (storage.onboarding_agent(AgentId(7)), storage.onboarding_by_wire_id(WireId("no"))):
        with pytest.raises(NotFound):
            await lookup


async def test_a_worker_is_onboarded_once_however_often_they_ask(world: World) -> None:
    run, ann = await world.run(), await world.worker()
    new = world.newcomer(run, ann)
    first = await world.storage.begin_onboarding(new, NOW)
    assert isinstance(first, OnboardingBegun)
    assert not first.existing
    same_link = await world.storage.begin_onboarding(attrs.evolve(new, wire_id=WireId("again")), LATER)
    other_tab = await world.storage.begin_onboarding(world.newcomer(run, ann), LATER)
    assert same_link == other_tab == OnboardingBegun(first.agent, existing=True)
    elsewhere = await world.begin_onboarding(await world.run("other"), ann)
    assert elsewhere.id != first.agent.id


async def test_an_ended_onboarding_is_found_by_its_link_and_a_new_one_begins_after_it(world: World) -> None:
    agent = await newcomer(world)
    run, ann = await world.storage.run(agent.run_id), await world.worker()
    await world.commit(MoveOnboarding(agent.id, ONBOARDING, AgentStatus.TIMEOUT, *WHO, "time_over"))
    ended = await world.storage.onboarding_agent(agent.id)
    assert (ended.reason, ended.ended_at) == ("time_over", LATER)
    again = await world.storage.begin_onboarding(world.newcomer(run, ann, link="mine"), LATER)
    assert again == OnboardingBegun(ended, existing=True)
    second = await world.begin_onboarding(run, ann, link="mine", after=agent.wire_id)
    assert second.id != agent.id
    assert await world.storage.live_onboarding_agents(run.id) == [second]
    assert await world.storage.onboarding_of_link(run.id, "mine") == [ended, second]
    assert (await world.facts(run, ann)).onboarding == second


async def test_an_onboarding_agent_moves_and_keeps_its_answer(world: World) -> None:
    agent = await newcomer(world)
    answered = MoveOnboarding(agent.id, ONBOARDING, WAITING, *WHO, data={"answer": 42}, due_at=LATER)
    await world.commit(answered)
    waiting = await world.storage.onboarding_agent(agent.id)
    assert (waiting.status, waiting.version, waiting.data, waiting.due_at, waiting.ended_at) == (
        WAITING,
        2,
        {"answer": 42},
        LATER,
        None,
    )
    await world.commit(MoveOnboarding(agent.id, WAITING, AgentStatus.APPROVED, *WHO))
    approved = await world.storage.onboarding_agent(agent.id)
    assert (approved.data, approved.due_at, approved.ended_at) == ({"answer": 42}, None, LATER)
    assert await world.story("onboarding", agent.id) == [
        (None, "onboarding"),
        ("onboarding", "waiting"),
        ("waiting", "approved"),
    ]
    with pytest.raises(StaleWrite):
        await world.commit(answered)
    with pytest.raises(NotFound):
        await world.commit(attrs.evolve(answered, id=AgentId(7)))


async def test_a_worker_is_never_brought_back_into_a_second_onboarding(world: World) -> None:
    agent = await newcomer(world)
    run, ann = await world.storage.run(agent.run_id), await world.worker()
    await world.commit(MoveOnboarding(agent.id, ONBOARDING, AgentStatus.DISCONNECT, *WHO))
    await world.begin_onboarding(run, ann)
    with pytest.raises(Duplicate):
        await world.commit(MoveOnboarding(agent.id, AgentStatus.DISCONNECT, ONBOARDING, *WHO))


async def test_onboarding_agents_are_counted_by_status(world: World) -> None:
    agent = await newcomer(world)
    await world.begin_onboarding(await world.storage.run(agent.run_id), await world.worker("bob"))
    await world.commit(MoveOnboarding(agent.id, ONBOARDING, WAITING, *WHO))
    counts = await world.storage.counts(agent.run_id)
    assert {status: number for status, number in counts.onboarding.items() if number} == {
        ONBOARDING: 1,
        WAITING: 1,
    }


async def test_nobody_is_onboarded_who_would_get_no_unit(world: World) -> None:
    run, ann = await world.run(), await world.worker()

    async def refused(**changes: object) -> str:
        answer = await world.storage.begin_onboarding(world.newcomer(run, ann, **changes), NOW)
        assert isinstance(answer, NotReserved)
        return answer.reason

    await world.storage.set_blocked(ann.id, True, NOW, *WHO)
    assert await refused() == "blocked"
    await world.storage.set_blocked(ann.id, False, NOW, *WHO)
    assert await refused(expect={"trained": 1}) == "facts_changed"
    await world.storage.set_paused(run.id, True, NOW, *WHO)
    assert await refused() == "paused"
    await world.move_run(run, RunState.STOPPED)
    assert await refused() == "run_ended"
    assert await world.storage.onboarding_agents(run.id) == []


async def test_an_onboarding_agent_has_a_wire_id_of_its_own_and_a_run_and_worker(world: World) -> None:
    agent = await newcomer(world)
    run, bob = await world.storage.run(agent.run_id), await world.worker("bob")
    with pytest.raises(Duplicate):
        await world.begin_onboarding(run, bob, wire_id=agent.wire_id)
    with pytest.raises(Duplicate):
        await world.begin_onboarding(run, bob, link="mine")
    with pytest.raises(NotFound):
        await world.begin_onboarding(run, bob, run_id=RunId(7))
    with pytest.raises(NotFound):
        await world.begin_onboarding(run, bob, worker_id=WorkerId(7))
    for changes in ({"link": ""}, {"wire_id": ""}):
        with pytest.raises(InvalidRecord):
            await world.begin_onboarding(run, bob, **changes)
    assert await world.storage.onboarding_agents(run.id) == [agent]


async def test_what_was_granted_on_the_way_is_stored_with_the_onboarding(world: World) -> None:
    run, ann = await world.run(), await world.worker()
    await world.storage.ensure_qualifications({"seen": None}, NOW)
    await world.begin_onboarding(run, ann, grants={"seen": 3})
    assert [grant.value for grant in await world.storage.grants(ann.id)] == [3]
