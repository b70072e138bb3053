"""Late answers that staff pay, on every body: once at most, and never beside a review of the same agent."""

import sqlite3
from contextlib import closing
from pathlib import Path

import attrs
import pytest

from crowdd.storage import open_storage
from crowdd.storage.contract import Storage
from crowdd.storage.errors import Duplicate, InvalidRecord, NotFound, StaleWrite
from crowdd.storage.records import Agent, LateAnswer
from crowdd.storage.writes import LatePaid, OweLate

from .test_late import late, taken_back, timed_out
from .world import LATER, World

OWED = OweLate(1, 30, "thank you", "staff:ada")


async def too_late(world: World, *texts: str) -> Agent:
    """An agent whose time was over, and whose answers came all the same."""
    agent = await timed_out(world)
    run = await world.storage.run(agent.run_id)
    for text in texts or ("seven",):
        await world.storage.add_late(late(run, agent, text))
    return agent


def pay_of(late: LateAnswer) -> tuple[object, ...]:
    return late.owed_cents, late.owed_note, late.owed_by, late.owed_at, late.paid_at


async def test_what_is_decided_about_its_pay_is_kept_with_a_late_answer(storage: Storage) -> None:
    world = World(storage)
    await too_late(world)
    await world.commit(OWED)
    assert pay_of(await storage.late_answer(1)) == (30, "thank you", "staff:ada", LATER, None)


async def test_what_the_provider_took_is_paid(storage: Storage) -> None:
    world = World(storage)
    await too_late(world)
    await world.commit(OWED)
    await world.commit(LatePaid(1))
    assert (await storage.late_answer(1)).paid_at == LATER


async def test_a_late_answer_that_comes_is_never_paid_already(storage: Storage) -> None:
    world = World(storage)
    agent = await too_late(world)
    run = await storage.run(agent.run_id)
    claimed = attrs.evolve(
        late(run, agent, "claims"), owed_cents=9, owed_by="x", owed_at=LATER, paid_at=LATER
    )
    await storage.add_late(claimed)
    assert pay_of(await storage.late_answer(2)) == (None,) * 5


@pytest.mark.parametrize(
    "again", [OWED, OweLate(1, 31, None, "staff:bob")], ids=["the same", "another amount"]
)
async def test_pay_is_decided_once(storage: Storage, again: OweLate) -> None:
    world = World(storage)
    await too_late(world)
    await world.commit(OWED)
    before = await world.everything()
    with pytest.raises(StaleWrite):
        await world.commit(again)
    assert await world.everything() == before


async def test_of_all_late_answers_of_an_agent_one_is_paid(storage: Storage) -> None:
    world = World(storage)
    agent = await too_late(world, "seven", "eight")
    await world.commit(OWED)
    with pytest.raises(Duplicate):
        await world.commit(attrs.evolve(OWED, id=2))
    assert [each.owed_cents for each in await storage.late_of_agent(agent.id)] == [30, None]


async def test_nothing_is_paid_twice(storage: Storage) -> None:
    world = World(storage)
    await too_late(world)
    await world.commit(OWED)
    await world.commit(LatePaid(1))
    with pytest.raises(StaleWrite):
        await world.commit(LatePaid(1))


async def test_nothing_is_paid_that_nobody_decided(storage: Storage) -> None:
    world = World(storage)
    await too_late(world)
    with pytest.raises(StaleWrite):
        await world.commit(LatePaid(1))


async def test_who_has_the_unit_is_paid_by_a_review(storage: Storage) -> None:
    world = World(storage)
    agent = await world.at_work()
    await storage.add_late(late(await storage.run(agent.run_id), agent))
    with pytest.raises(StaleWrite):
        await world.commit(OWED)


async def test_who_is_paid_for_a_late_answer_gets_the_unit_back_no_more(storage: Storage) -> None:
    world = World(storage)
    agent = await too_late(world)
    await world.commit(OWED)
    before = await world.everything()
    with pytest.raises(StaleWrite):
        await world.commit(*taken_back(agent))
    assert await world.everything() == before


async def test_who_took_the_unit_back_is_not_paid_for_a_late_answer(storage: Storage) -> None:
    world = World(storage)
    agent = await too_late(world)
    await world.commit(*taken_back(agent))
    with pytest.raises(StaleWrite):
        await world.commit(OWED)


@pytest.mark.parametrize("cents", [0, -1, 2**63], ids=["nothing", "less than nothing", "more than there is"])
async def test_no_other_amount_is_owed_than_there_is(storage: Storage, cents: int) -> None:
    world = World(storage)
    await too_late(world)
    with pytest.raises(InvalidRecord):
        await world.commit(attrs.evolve(OWED, cents=cents))


async def test_what_is_no_answer_or_nobody_s_is_not_paid(storage: Storage) -> None:
    world = World(storage)
    agent = await too_late(world)
    run = await storage.run(agent.run_id)
    await storage.add_late(attrs.evolve(late(run, agent, "tips"), is_answer=False))
    await storage.add_late(late(run, None))
    for number in (2, 3):
        with pytest.raises(InvalidRecord):
            await world.commit(attrs.evolve(OWED, id=number))


async def test_a_late_answer_that_is_not_there_is_not_paid(storage: Storage) -> None:
    for write in (OWED, LatePaid(1)):
        with pytest.raises(NotFound):
            await World(storage).commit(write)


async def test_a_late_answer_of_a_store_from_before_is_unpaid_and_may_be_paid(database: Path) -> None:
    async with open_storage(database) as storage:
        await too_late(World(storage))
    with closing(sqlite3.connect(database, isolation_level=None)) as db:
        db.execute("DROP INDEX late_owed_once")
        for column in ("owed_cents", "owed_note", "owed_by", "owed_at", "paid_at"):
            db.execute(f"ALTER TABLE late_answer DROP COLUMN {column}")
        db.execute("PRAGMA user_version = 8")
    async with open_storage(database) as storage:
        assert pay_of(await storage.late_answer(1)) == (None,) * 5
        await World(storage).commit(OWED)
        assert (await storage.late_answer(1)).owed_cents == 30
