"""What is told beside the answer, on every body: metadata, errors, streams, journal, facts."""

from typing import Any

import attrs
import pytest

from crowdd.protocol.names import AgentId, AssignmentId, RunId, UnitId
from crowdd.protocol.packets import FileNote
from crowdd.storage.contract import Storage
from crowdd.storage.errors import Duplicate, InvalidRecord, NotFound
from crowdd.storage.records import Agent, JournalEntry, LiveUpdate, Metadata, PageError

from .world import LATER, NOW, World

FILE = FileNote("cd" * 32, 3, "f", "é.txt", "text/plain")


async def test_the_same_told_twice_is_stored_once(world: World) -> None:
    agent = await world.at_work()
    first = await world.storage.add_metadata(agent.id, "feedback", {"text": "é"}, [FILE], "d1", NOW)
    assert first == Metadata(1, agent.id, "feedback", {"text": "é"}, [FILE], "d1", NOW)
    assert await world.storage.add_metadata(agent.id, "tips", None, [], "d1", LATER) == first
    second = await world.storage.add_metadata(agent.id, "tips", ["x"], [], "d2", NOW)
    assert await world.storage.metadata(agent.id) == [first, second]


async def test_metadata_belongs_to_an_agent_that_exists(storage: Storage) -> None:
    with pytest.raises(NotFound):
        await storage.add_metadata(AgentId(7), "tips", {}, [], "d", NOW)


async def test_errors_are_listed_in_pages(world: World) -> None:
    agent = await world.at_work()
    first = await world.storage.add_error(agent.run_id, agent.id, "page", {"error": "x is null"}, NOW)
    second = await world.storage.add_error(agent.run_id, None, "hook", "boom", LATER)
    assert first == PageError(1, agent.run_id, agent.id, "page", {"error": "x is null"}, NOW)
    assert await world.storage.errors(agent.run_id) == [first, second]
    assert await world.storage.errors(agent.run_id, after=1) == [second]
    assert await world.storage.errors(agent.run_id, limit=1) == [first]


async def test_an_error_is_of_a_run_and_an_agent_that_exist(world: World) -> None:
    agent = await world.at_work()
    with pytest.raises(NotFound):
        await world.storage.add_error(RunId(7), None, "page", {}, NOW)
    with pytest.raises(NotFound):
        await world.storage.add_error(agent.run_id, AgentId(7), "page", {}, NOW)
    assert await world.storage.errors(agent.run_id) == []


def _update(agent: Agent, sequence: int, **changes: Any) -> LiveUpdate:
    return attrs.evolve(LiveUpdate(agent.id, False, 1, sequence, {"n": sequence}, NOW), **changes)


def _entry(agent: Agent, position: int, unit: bool = True) -> JournalEntry:
    unit_id = agent.unit_id if unit else None
    return JournalEntry(unit_id, agent.assignment_id, position, "update", agent.id, {"n": position}, NOW)


async def test_updates_come_back_in_order_per_direction(world: World) -> None:
    agent = await world.at_work()
    later, first = _update(agent, 1, epoch=2), _update(agent, 1)
    second, out = _update(agent, 2), _update(agent, 1, outgoing=True)
    await world.storage.add_updates([later, second, out, first], [])
    assert await world.storage.updates(agent.id, False) == [first, second, later]
    assert await world.storage.updates(agent.id, True) == [out]


async def test_a_repeated_update_stores_nothing_of_its_transaction(world: World) -> None:
    agent = await world.at_work()
    await world.storage.add_updates([_update(agent, 1)], [])
    with pytest.raises(Duplicate):
        await world.storage.add_updates([_update(agent, 2), _update(agent, 1)], [_entry(agent, 1)])
    assert len(await world.storage.updates(agent.id, False)) == 1
    assert await world.storage.journal(agent.assignment_id, agent.unit_id) == []


async def test_a_unit_and_its_assignment_have_journals_of_their_own(world: World) -> None:
    agent = await world.at_work()
    of_unit = [_entry(agent, position) for position in (1, 2)]
    of_assignment = _entry(agent, 1, unit=False)
    await world.storage.add_updates([], [of_unit[1], of_assignment, of_unit[0]])
    assert await world.storage.journal(agent.assignment_id, agent.unit_id) == of_unit
    assert await world.storage.journal(agent.assignment_id, None) == [of_assignment]


@pytest.mark.parametrize("unit", [True, False])
async def test_a_place_in_a_journal_is_taken_once(world: World, unit: bool) -> None:
    agent = await world.at_work()
    await world.storage.add_updates([], [_entry(agent, 1, unit)])
    with pytest.raises(Duplicate):
        await world.storage.add_updates([_update(agent, 1)], [_entry(agent, 1, unit)])
    assert await world.storage.updates(agent.id, False) == []


@pytest.mark.parametrize(
    "changes", [{"agent_id": AgentId(7)}, {"unit_id": UnitId(7)}, {"assignment_id": AssignmentId(7)}], ids=str
)
async def test_s25_a_journal_is_of_things_that_exist(world: World, changes: dict[str, Any]) -> None:
    agent = await world.at_work()
    with pytest.raises(InvalidRecord):
        await world.storage.add_updates([], [attrs.evolve(_entry(agent, 1), **changes)])


async def test_s25_an_update_is_of_an_agent_that_exists(world: World) -> None:
    agent = await world.at_work()
    with pytest.raises(InvalidRecord):
        await world.storage.add_updates([_update(agent, 1, agent_id=AgentId(7))], [])


async def test_a_fact_is_kept_replaced_and_removed(storage: Storage) -> None:
    await storage.put_fact("provider:mock", "b", {"x": [1, None]})
    await storage.put_fact("provider:mock", "a", 1)
    await storage.put_fact("daemon", "a", False)
    assert await storage.facts("provider:mock") == {"a": 1, "b": {"x": [1, None]}}
    await storage.put_fact("provider:mock", "a", "two")
    assert await storage.fact("provider:mock", "a") == "two"
    assert await storage.fact("daemon", "a") is False
    await storage.put_fact("provider:mock", "a", None)
    await storage.put_fact("provider:mock", "never there", None)
    assert await storage.fact("provider:mock", "a") is None
    assert await storage.facts("provider:mock") == {"b": {"x": [1, None]}}
    with pytest.raises(InvalidRecord):
        await storage.put_fact("daemon", "a", object())
