"""Workers, qualifications and grants, on every body."""

import pytest

from crowdd.protocol.names import WorkerId
from crowdd.storage.contract import Storage
from crowdd.storage.errors import Duplicate, InvalidRecord, NotFound
from crowdd.storage.records import Grant, Qualification, Worker
from crowdd.storage.writes import PutFact, SetBlocked, SetGrant, TakeGrant

from .world import LATER, NOW, World


async def test_s23_a_worker_is_found_again(storage: Storage) -> None:
    worker = await storage.register_worker("mock", "ann", {"country": "NZ"}, NOW)
    assert worker == Worker(WorkerId(1), "mock", "ann", False, {"country": "NZ"}, NOW)
    assert await storage.worker(worker.id) == worker
    assert await storage.register_worker("mock", "ann", {"other": 1}, LATER) == worker
    assert await storage.workers() == [worker]
    with pytest.raises(NotFound):
        await storage.worker(WorkerId(7))


async def test_a_name_is_known_per_provider(storage: Storage) -> None:
    mock = await storage.register_worker("mock", "ann", {}, NOW)
    inhouse = await storage.register_worker("inhouse", "ann", {}, NOW)
    assert mock.id != inhouse.id
    assert await storage.workers("inhouse") == [inhouse]
    assert await storage.workers(after=mock.id) == [inhouse]
    assert await storage.workers(limit=1) == [mock]


async def test_everybody_of_a_name_is_found_whatever_their_provider(storage: Storage) -> None:
    mock = await storage.register_worker("mock", "ann", {}, NOW)
    await storage.register_worker("mock", "bob", {}, NOW)
    inhouse = await storage.register_worker("inhouse", "ann", {}, NOW)
    assert await storage.workers_among([], ["ann", "ann", "dan"]) == [mock, inhouse]
    assert await storage.workers_among([], ["dan"]) == []


async def test_whoever_is_asked_for_twice_is_found_once(storage: Storage) -> None:
    ann = await storage.register_worker("mock", "ann", {}, NOW)
    bob = await storage.register_worker("mock", "bob", {}, NOW)
    assert await storage.workers_among([bob.id, bob.id, WorkerId(7)], ["bob", "ann"]) == [ann, bob]


@pytest.mark.parametrize("name", ["", " ", "\ud800"])
async def test_s24_a_worker_has_a_name(storage: Storage, name: str) -> None:
    with pytest.raises(InvalidRecord):
        await storage.register_worker("mock", name, {}, NOW)
    assert await storage.workers() == []


async def test_blocking_is_noted_once(world: World) -> None:
    worker = await world.worker()
    for _ in range(2):
        await world.storage.set_blocked(worker.id, True, NOW, "staff:ada", "spam")
    assert (await world.storage.worker(worker.id)).blocked
    await world.storage.set_blocked(worker.id, False, NOW, "staff:ada", "sorry")
    assert not (await world.storage.worker(worker.id)).blocked
    assert await world.story("worker", worker.id) == [("unblocked", "blocked"), ("blocked", "unblocked")]
    with pytest.raises(NotFound):
        await world.storage.set_blocked(WorkerId(7), True, NOW, "staff:ada", "spam")


async def test_s30_a_qualification_is_found_again(storage: Storage) -> None:
    qualification = await storage.create_qualification("trained", "passed the test", NOW)
    assert qualification == Qualification(1, "trained", "passed the test", NOW)
    assert await storage.qualification("trained") == qualification
    assert await storage.qualifications() == [qualification]
    with pytest.raises(NotFound):
        await storage.qualification("unknown")


async def test_s24_a_qualification_has_a_unique_name_and_a_short_description(storage: Storage) -> None:
    await storage.create_qualification("trained", None, NOW)
    with pytest.raises(Duplicate):
        await storage.create_qualification("trained", "again", NOW)
    with pytest.raises(InvalidRecord):
        await storage.create_qualification("", None, NOW)
    with pytest.raises(InvalidRecord):
        await storage.create_qualification("long", "x" * 501, NOW)
    assert len(await storage.qualifications()) == 1


async def test_s30_granting_again_replaces_the_value(world: World) -> None:
    storage, worker = world.storage, await world.worker()
    await storage.create_qualification("trained", None, NOW)
    first = await storage.grant("trained", worker.id, 1, NOW, "staff:ada", "passed")
    assert first == Grant(1, worker.id, 1, NOW, NOW)
    second = await storage.grant("trained", worker.id, 3, LATER, "staff:ada", "passed well")
    assert second == Grant(1, worker.id, 3, NOW, LATER)
    assert await storage.grants(worker.id) == [second]
    assert await world.story("grant", worker.id) == [(None, "trained=1"), ("trained=1", "trained=3")]


async def test_s30_a_grant_is_revoked_once(world: World) -> None:
    storage, worker = world.storage, await world.worker()
    await storage.create_qualification("trained", None, NOW)
    await storage.grant("trained", worker.id, 1, NOW, "staff:ada", "passed")
    await storage.revoke("trained", worker.id, NOW, "staff:ada", "by mistake")
    assert await storage.grants() == []
    assert (await world.story("grant", worker.id))[-1] == ("trained=1", "trained revoked")
    with pytest.raises(NotFound):
        await storage.revoke("trained", worker.id, NOW, "staff:ada", "again")


async def test_s30_deleting_a_qualification_takes_its_grants_along(world: World) -> None:
    storage, ann, bob = world.storage, await world.worker("ann"), await world.worker("bob")
    for name in ("trained", "fast"):
        await storage.create_qualification(name, None, NOW)
        for worker in (ann, bob):
            await storage.grant(name, worker.id, 1, NOW, "staff:ada", "passed")
    await storage.delete_qualification("trained", NOW, "staff:ada")
    assert [grant.qualification_id for grant in await storage.grants()] == [2, 2]
    assert (await world.story("grant", bob.id))[-1] == ("trained=1", "trained revoked")
    with pytest.raises(NotFound):
        await storage.delete_qualification("trained", NOW, "staff:ada")


async def test_a_deleted_qualification_made_again_is_another_one(storage: Storage) -> None:
    first = await storage.create_qualification("trained", None, NOW)
    await storage.delete_qualification("trained", NOW, "staff:ada")
    assert (await storage.create_qualification("trained", None, NOW)).id > first.id


async def test_a_qualification_leaves_its_story(world: World) -> None:
    await world.storage.create_qualification("trained", None, NOW, "staff:ada")
    await world.storage.delete_qualification("trained", LATER, "staff:bea")
    made, ended = await world.storage.history("qualification", 1)
    assert (made.who, made.before, made.after, made.at) == ("staff:ada", None, "trained", NOW)
    assert (ended.who, ended.before, ended.after, ended.at) == ("staff:bea", "trained", "deleted", LATER)


async def test_grants_blocks_and_facts_go_with_other_writes_or_not_at_all(world: World) -> None:
    storage, worker = world.storage, await world.worker()
    await storage.create_qualification("trained", None, NOW)
    given = SetGrant("trained", worker.id, 2, "daemon", "did well")
    await world.commit(given, SetBlocked(worker.id, True, "staff:ada", "spam"), PutFact("owed", "a", [1]))
    assert [grant.value for grant in await storage.grants(worker.id)] == [2]
    assert (await storage.worker(worker.id)).blocked
    assert await storage.facts("owed") == {"a": [1]}
    with pytest.raises(NotFound):
        await world.commit(
            TakeGrant("trained", worker.id, "staff:ada", "no"),
            SetBlocked(worker.id, False, "staff:ada", "sorry"),
            PutFact("owed", "a", None),
            SetGrant("unknown", worker.id, 1, "daemon", "did well"),
        )
    assert [grant.value for grant in await storage.grants(worker.id)] == [2]
    assert (await storage.worker(worker.id)).blocked
    assert await storage.fact("owed", "a") == [1]
    await world.commit(TakeGrant("trained", worker.id, "staff:ada", "no"), PutFact("owed", "a", None))
    assert await storage.grants(worker.id) == []
    assert await storage.fact("owed", "a") is None
    assert await world.story("grant", worker.id) == [(None, "trained=2"), ("trained=2", "trained revoked")]


async def test_grants_are_found_by_worker_and_by_qualification(world: World) -> None:
    storage, ann, bob = world.storage, await world.worker("ann"), await world.worker("bob")
    for name in ("trained", "fast"):
        await storage.create_qualification(name, None, NOW)
    for name, worker in (("fast", bob), ("fast", ann), ("trained", ann)):
        await storage.grant(name, worker.id, 1, NOW, "staff:ada", "passed")
    pairs = [(grant.qualification_id, grant.worker_id) for grant in await storage.grants()]
    assert pairs == [(1, ann.id), (2, ann.id), (2, bob.id)]
    assert len(await storage.grants(ann.id)) == 2
    assert len(await storage.grants(qualification="fast")) == 2
    assert len(await storage.grants(bob.id, "fast")) == 1
    assert await storage.grants(bob.id, "trained") == []


async def test_s30_what_does_not_exist_is_not_granted_or_looked_up(world: World) -> None:
    storage, worker = world.storage, await world.worker()
    await storage.create_qualification("trained", None, NOW)
    with pytest.raises(NotFound):
        await storage.grant("unknown", worker.id, 1, NOW, "x", "y")
    with pytest.raises(NotFound):
        await storage.grant("trained", WorkerId(7), 1, NOW, "x", "y")
    with pytest.raises(NotFound):
        await storage.grants(qualification="unknown")
    with pytest.raises(InvalidRecord):
        await storage.grant("trained", worker.id, 2**63, NOW, "x", "y")
    assert await storage.grants() == []


async def test_a_worker_is_looked_up_by_provider_and_name(world: World) -> None:
    ann = await world.worker("ann")
    assert await world.storage.worker_by_name("mock", "ann") == ann
    for provider, name in (("mock", "bob"), ("inhouse", "ann")):
        with pytest.raises(NotFound):
            await world.storage.worker_by_name(provider, name)


async def test_the_agents_of_a_worker_are_found_over_all_runs_in_pages(world: World) -> None:
    first = await world.at_work("one", "ann")
    await world.at_work("two", "bob")
    second, third = await world.at_work("three", "ann"), await world.at_work("four", "ann")
    ann = first.worker_id
    assert await world.storage.agents_of_worker(ann) == [first, second, third]
    assert await world.storage.agents_of_worker(ann, after=first.id, limit=1) == [second]
    assert await world.storage.agents_of_worker(WorkerId(99)) == []


async def test_what_a_worker_has_in_hand_is_found_over_all_runs(world: World) -> None:
    first, done = await world.at_work("one", "ann"), await world.at_work("two", "ann")
    await world.at_work("three", "bob")
    last = await world.at_work("four", "ann")
    await world.finish(done)
    assert [unit.agent_id for unit in await world.storage.held_units(first.worker_id)] == [first.id, last.id]
    assert await world.storage.held_units(WorkerId(99)) == []
