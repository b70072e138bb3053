"""What is told beside the answer, on every body: metadata, errors, facts."""

import pytest

from crowdd.protocol.names import AgentId, RunId
from crowdd.protocol.packets import FileNote
from crowdd.storage.contract import Storage
from crowdd.storage.errors import InvalidRecord, NotFound
from crowdd.storage.records import Metadata, PageError

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
