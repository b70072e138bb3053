"""Live work on every body: updates of pages, journals and what is owed: stored once, read in order."""

from typing import Any

import attrs
import pytest

from crowdd.protocol.names import AgentId, AgentStatus, PieceKind
from crowdd.storage.contract import Heard, Storage
from crowdd.storage.errors import Duplicate, InvalidRecord, NotFound
from crowdd.storage.records import Agent, OnboardingAgent, Owed
from crowdd.storage.writes import AddOwed

from .live import an_entry, an_update
from .world import LATER, World, moves

UNIT, ASSIGNMENT, ONBOARDING = PieceKind.UNIT, PieceKind.ASSIGNMENT, PieceKind.ONBOARDING


async def beginner(world: World) -> tuple[Agent, OnboardingAgent]:
    """Somebody at work, and somebody who is being onboarded: both have the same number."""
    agent = await world.at_work()
    begun = await world.begin_onboarding(await world.storage.run(agent.run_id), await world.worker())
    assert agent.id == begun.id
    return agent, begun


# --- updates


async def test_updates_come_back_in_order_per_direction(world: World) -> None:
    agent = await world.at_work()
    first, second = an_update(agent.id, 1), an_update(agent.id, 2)
    out = an_update(agent.id, 1, outgoing=True)
    await world.storage.add_live([second, out, first], [])
    assert await world.storage.live_updates(False, agent.id, outgoing=False) == [first, second]
    assert await world.storage.live_updates(False, agent.id, outgoing=True) == [out]


async def test_updates_come_in_pages_by_number(world: World) -> None:
    agent = await world.at_work()
    updates = [an_update(agent.id, number) for number in (1, 2, 3, 4)]
    await world.storage.add_live(updates, [])
    assert await world.storage.live_updates(False, agent.id, False, after=1, limit=2) == updates[1:3]
    assert await world.storage.live_updates(False, agent.id, False, after=4) == []
    assert await world.storage.live_updates(False, agent.id, False, limit=0) == []


async def test_onboarding_agents_have_updates_of_their_own(world: World) -> None:
    agent, begun = await beginner(world)
    at_work, onboarding = an_update(agent.id), an_update(begun.id, onboarding=True, update={"é": [None]})
    await world.storage.add_live([at_work, onboarding], [])
    assert await world.storage.live_updates(False, agent.id, False) == [at_work]
    assert await world.storage.live_updates(True, begun.id, False) == [onboarding]


@pytest.mark.parametrize(("number", "update_id"), [(2, "u1"), (1, "u2")])
async def test_a_repeated_update_stores_nothing_of_its_transaction(
    world: World, number: int, update_id: str
) -> None:
    agent = await world.at_work()
    await world.storage.add_live([an_update(agent.id)], [])
    updates = [an_update(agent.id, 3), an_update(agent.id, number, update_id=update_id)]
    with pytest.raises(Duplicate):
        await world.storage.add_live(updates, [an_entry(UNIT, agent.unit_id)])
    assert len(await world.storage.live_updates(False, agent.id, False)) == 1
    assert await world.storage.journal(UNIT, agent.unit_id) == []


async def test_a_number_repeated_within_one_call_stores_nothing(world: World) -> None:
    agent = await world.at_work()
    with pytest.raises(Duplicate):
        await world.storage.add_live([an_update(agent.id), an_update(agent.id, update_id="other")], [])
    assert await world.storage.live_updates(False, agent.id, False) == []


async def test_an_id_is_unique_among_what_one_page_sent(world: World) -> None:
    agent, begun = await beginner(world)
    both = (False, True)
    same = [an_update(agent.id, onboarding=which, outgoing=way) for which in both for way in both]
    await world.storage.add_live([*same, an_update(agent.id, 2, outgoing=True, update_id="u1")], [])
    assert len(await world.storage.live_updates(True, begun.id, True)) == 1
    assert len(await world.storage.live_updates(False, agent.id, True)) == 2


async def test_how_far_agents_were_heard_and_what_of_them_is_known(world: World) -> None:
    agent, begun = await beginner(world)
    sent = an_update(agent.id, outgoing=True, update_id="sent")
    await world.storage.add_live([an_update(agent.id, number) for number in (1, 2, 3)] + [sent], [])
    asked = ["u1", "u3", "u4", "sent"]
    nobody = AgentId(agent.id + 100)
    assert await world.storage.heard(False, {agent.id: asked, nobody: asked}) == {
        agent.id: Heard(3, frozenset({"u1", "u3"})),
        nobody: Heard(0, frozenset()),
    }
    assert await world.storage.heard(True, {begun.id: asked}) == {begun.id: Heard(0, frozenset())}


async def test_the_first_number_is_1(world: World) -> None:
    agent = await world.at_work()
    with pytest.raises(InvalidRecord):
        await world.storage.add_live([an_update(agent.id, 0)], [])


@pytest.mark.parametrize(
    "changes",
    [
        {"update_id": ""},
        {"page": "x"},
        {"page_number": 1},
        {"outgoing": True, "page": "x", "page_number": 1},
    ],
    ids=str,
)
async def test_an_update_that_nobody_could_find_again_is_refused(
    world: World, changes: dict[str, Any]
) -> None:
    agent = await world.at_work()
    with pytest.raises(InvalidRecord):
        await world.storage.add_live([an_update(agent.id, **changes)], [])


async def test_an_update_that_is_no_json_stores_nothing_of_its_transaction(world: World) -> None:
    agent = await world.at_work()
    with pytest.raises(InvalidRecord):
        await world.storage.add_live([an_update(agent.id), an_update(agent.id, 2, update={"no": {1}})], [])
    assert await world.storage.live_updates(False, agent.id, False) == []


async def test_an_update_stays_as_it_was_stored_whoever_changes_theirs(world: World) -> None:
    agent = await world.at_work()
    given, kept = an_update(agent.id, update={"said": ["hi"]}), an_update(agent.id, update={"said": ["hi"]})
    await world.storage.add_live([given], [])
    given.update["said"].append("you")
    (read,) = await world.storage.live_updates(False, agent.id, False)
    read.update["said"].append("there")
    assert await world.storage.live_updates(False, agent.id, False) == [kept]


@pytest.mark.parametrize("onboarding", [False, True])
async def test_s25_an_update_is_of_an_agent_that_exists(storage: Storage, onboarding: bool) -> None:
    with pytest.raises(InvalidRecord):
        await storage.add_live([an_update(AgentId(7), onboarding=onboarding)], [])


# --- journals


async def test_each_piece_has_a_journal_of_its_own(world: World) -> None:
    agent, begun = await beginner(world)
    of_unit = [an_entry(UNIT, agent.unit_id, position) for position in (1, 2, 3)]
    of_assignment = an_entry(ASSIGNMENT, agent.assignment_id, agent_id=agent.id)
    of_onboarding = an_entry(ONBOARDING, begun.id, agent_id=begun.id, result=None)
    await world.storage.add_live([], [of_unit[2], of_assignment, of_unit[0], of_onboarding, of_unit[1]])
    assert await world.storage.journal(UNIT, agent.unit_id) == of_unit
    assert await world.storage.journal(UNIT, agent.unit_id, after=1, limit=1) == of_unit[1:2]
    assert await world.storage.journal(ASSIGNMENT, agent.assignment_id) == [of_assignment]
    assert await world.storage.journal(ONBOARDING, begun.id) == [of_onboarding]


@pytest.mark.parametrize("kind", PieceKind)
async def test_a_place_in_a_journal_is_taken_once(world: World, kind: PieceKind) -> None:
    agent, _ = await beginner(world)
    await world.storage.add_live([], [an_entry(kind, 1)])
    with pytest.raises(Duplicate):
        await world.storage.add_live([an_update(agent.id)], [an_entry(kind, 1, what="other")])
    assert await world.storage.live_updates(False, agent.id, False) == []


@pytest.mark.parametrize("kind", PieceKind)
async def test_s25_a_journal_is_of_a_piece_that_exists(world: World, kind: PieceKind) -> None:
    await beginner(world)
    with pytest.raises(InvalidRecord):
        await world.storage.add_live([], [an_entry(kind, 7)])


async def test_a_result_that_is_no_json_stores_nothing_of_its_transaction(world: World) -> None:
    agent = await world.at_work()
    with pytest.raises(InvalidRecord):
        await world.storage.add_live([an_update(agent.id)], [an_entry(UNIT, agent.unit_id, result={1})])
    assert await world.storage.live_updates(False, agent.id, False) == []


async def test_a_result_stays_as_it_was_stored_whoever_changes_theirs(world: World) -> None:
    agent = await world.at_work()
    given = an_entry(UNIT, agent.unit_id, result=["hi"])
    await world.storage.add_live([], [given])
    given.result.append("you")
    (read,) = await world.storage.journal(UNIT, agent.unit_id)
    read.result.append("there")
    assert await world.storage.journal(UNIT, agent.unit_id) == [an_entry(UNIT, agent.unit_id, result=["hi"])]


async def test_the_first_place_in_a_journal_is_1(world: World) -> None:
    agent = await world.at_work()
    with pytest.raises(InvalidRecord):
        await world.storage.add_live([], [an_entry(UNIT, agent.unit_id, 0)])


async def test_the_journal_of_an_onboarding_is_about_nobody_else(world: World) -> None:
    _, begun = await beginner(world)
    with pytest.raises(InvalidRecord):
        await world.storage.add_live([], [an_entry(ONBOARDING, begun.id, agent_id=AgentId(7))])


# --- owed


async def test_what_is_owed_is_listed_by_run_and_by_agent(world: World) -> None:
    first, second = await world.at_work("one", "ann"), await world.at_work("two", "bob")
    await world.commit(
        AddOwed(first.id, "waiting", 61, 10, "waited until sent away"),
        AddOwed(first.id, "travel", 0.5, 0, "é"),
        AddOwed(second.id, "waiting", 1.25, 3, "waited"),
    )
    waited = Owed(
        1, first.run_id, first.worker_id, first.id, "waiting", 61.0, 10, "waited until sent away", LATER
    )
    travel = attrs.evolve(waited, id=2, what="travel", seconds=0.5, cents=0, why="é")
    assert await world.storage.owed(first.run_id) == [waited, travel]
    assert await world.storage.owed(first.run_id, after=1) == [travel]
    assert await world.storage.owed(first.run_id, limit=1) == [waited]
    assert await world.storage.owed_of_agent(first.id) == [waited, travel]
    (other,) = await world.storage.owed_of_agent(second.id)
    assert (other.worker_id, other.cents) == (second.worker_id, 3)


async def test_the_same_is_owed_once(world: World) -> None:
    agent = await world.at_work()
    owed = AddOwed(agent.id, "waiting", 61, 10, "waited")
    await world.commit(owed)
    with pytest.raises(Duplicate):
        await world.commit(moves(agent, AgentStatus.DISCONNECT), attrs.evolve(owed, cents=99))
    assert [each.cents for each in await world.storage.owed(agent.run_id)] == [10]
    assert await world.storage.agent(agent.id) == agent


@pytest.mark.parametrize("changes", [{"seconds": -1}, {"seconds": float("nan")}, {"cents": -1}, {"what": ""}])
async def test_less_than_nothing_cannot_be_owed(world: World, changes: dict[str, Any]) -> None:
    agent = await world.at_work()
    with pytest.raises(InvalidRecord):
        await world.commit(attrs.evolve(AddOwed(agent.id, "waiting", 61, 10, "waited"), **changes))


async def test_nobody_is_owed_who_is_not_there(world: World) -> None:
    with pytest.raises(NotFound):
        await world.commit(AddOwed(AgentId(7), "waiting", 1, 1, "waited"))
