"""The full check finds what it is there to find: each breach is planted and must be named."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from crowdd.protocol.names import AgentId, PieceKind, QueueOrder
from crowdd.storage import check_store, open_storage
from crowdd.storage.records import Agent, LateAnswer
from crowdd.storage.sql.invariants import INVARIANTS
from crowdd.storage.writes import AddOwed

from .live import an_entry, an_update
from .world import NOW, World

CHECK = """
import sys
from pathlib import Path
from crowdd.storage import check_store
print(check_store(Path(sys.argv[1])))
"""
BREACHES = {
    "no unit is held by two live agents": (
        "DROP INDEX agent_holding",
        "UPDATE agent SET unit_id = 2 WHERE id = 1",
    ),
    "an assigned unit has the agent who took it": ("UPDATE unit SET agent_id = 9 WHERE id = 2",),
    "a live agent holds its unit": (
        "UPDATE unit SET status = 'launched', agent_id = NULL, worker_id = NULL WHERE id = 2",
    ),
    "an agent's assignment and run are its unit's": ("UPDATE agent SET assignment_id = 3 WHERE id = 2",),
    "no worker has two units of one assignment": ("UPDATE agent SET worker_id = 1, assignment_id = 1",),
    "every worker is noted to have worked on what they took": ("DELETE FROM worked",),
    "no two units have one place in a queue": ("UPDATE unit SET position = 4",),
    "the kept counts of units are right": ("UPDATE run_count SET number = number + 1 WHERE kind = 'unit'",),
    "the kept counts of agents are right": ("DELETE FROM run_count WHERE kind = 'agent'",),
    "the kept counts of onboarding agents are right": ("DELETE FROM run_count WHERE kind = 'onboarding'",),
    "the kept counts of workers' units are right": ("UPDATE task_worker SET units = units + 1",),
    "no worker is onboarded twice at once": (
        "DROP INDEX onboarding_live",
        "UPDATE onboarding_agent SET worker_id = 1, status = 'waiting'",
    ),
    "a unit made for one worker is never free": (
        "UPDATE unit SET status = 'launched', agent_id = NULL, worker_id = NULL WHERE unit_index = -1",
    ),
    "only runs that go by ranks have them": ("UPDATE unit SET rank = 3 WHERE id = 3",),
    "what is left of an assignment has its highest ranks, where the least covered come first": (
        "UPDATE unit SET rank = 1 WHERE rank > 1",
    ),
    "in a run of groups what is left of an assignment comes first while somebody is at it": (
        "UPDATE unit SET rank = 1 - rank WHERE rank < 2",
    ),
    "a late answer is of its agent and run": ("UPDATE late_answer SET wire_id = 'another'",),
    "a late answer is owed for what was decided, and paid after it": (
        "UPDATE late_answer SET paid_at = received_at",
    ),
    "who is owed for a late answer has not their unit": (
        "UPDATE late_answer SET owed_at = received_at, owed_cents = 5, owed_by = 'staff:ada'",
    ),
    "what is owed is owed to its agent's worker": ("UPDATE owed SET worker_id = 1",),
    "the live updates of an agent and direction are numbered without a gap": (
        "UPDATE live_update SET number = 4 WHERE number = 3",
    ),
    "what a page counts is stored in its order": ("UPDATE live_update SET page_number = 1",),
    "the places of a journal are taken without a gap": (
        "UPDATE journal_entry SET position = 3 WHERE position = 2",
    ),
    "the agents of a journal are those of its unit, assignment or onboarding": (
        "UPDATE journal_entry SET agent_id = 9 WHERE kind = 'unit'",
    ),
    "a decision's agent is its worker's": ("UPDATE decision SET worker_id = 1",),
    "a submission is of its agent's run": ("UPDATE submission SET run_id = 2",),
    "history is without gaps": ("DELETE FROM history WHERE kind = 'unit' AND after = 'launched'",),
    "history ends where things are": ("UPDATE agent SET status = 'returned' WHERE id = 1",),
}


async def furnish_live(world: World, agent: Agent) -> None:
    """What a live agent leaves."""
    updates = [an_update(agent.id, number, page="x", page_number=number) for number in (1, 2, 3)]
    of_unit = [an_entry(PieceKind.UNIT, agent.unit_id, position, agent_id=agent.id) for position in (1, 2)]
    of_group = an_entry(PieceKind.ASSIGNMENT, agent.assignment_id, agent_id=agent.id)
    await world.storage.add_live([*updates, an_update(agent.id, outgoing=True)], [*of_unit, of_group])
    await world.storage.add_live(
        [an_update(AgentId(1), onboarding=True)], [an_entry(PieceKind.ONBOARDING, 1)]
    )
    await world.commit(AddOwed(agent.id, "waiting", 61.5, 10, "waited"))


@pytest.fixture
async def store(database: Path) -> Path:
    async with open_storage(database) as storage:
        world = World(storage)
        run = await world.run(assignments=3)
        await world.run("other")
        await world.finish((await world.take(run, await world.worker("ann"))).agent)
        bob = await world.worker("bob")
        await world.take(run, bob, decision=world.decision(run, bob))
        await world.begin_onboarding(run, bob)
        await world.begin_onboarding(run, await world.worker("cid"))
        await world.take_special(run, bob)
        covered = await world.run("covered", units=3, queue=QueueOrder.LEAST_COVERED)
        await world.take(covered, bob)
        grouped = await world.run("grouped", assignments=2, units=3, queue=QueueOrder.GROUPED)
        agent = (await world.take(grouped, bob)).agent
        await furnish_live(world, agent)
        await storage.add_late(
            LateAnswer(0, grouped.id, agent.id, agent.wire_id, True, b"{}", [], "digest", "too late", NOW)
        )
    return database


def spoil(database: Path, *statements: str) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        for statement in statements:
            db.execute(statement)


def test_every_invariant_has_a_planted_breach() -> None:
    assert set(BREACHES) == set(INVARIANTS)


async def test_a_sound_store_has_nothing_to_report(store: Path) -> None:
    assert check_store(store) == []


@pytest.mark.parametrize("promise", BREACHES)
async def test_a_planted_breach_is_named(store: Path, promise: str) -> None:
    if promise == "no unit is held by two live agents":
        spoil(store, "UPDATE agent SET status = 'in task'")
    spoil(store, *BREACHES[promise])
    assert [line for line in check_store(store) if line.startswith(f"not true that {promise}: ")]


async def test_a_lost_reference_is_named(store: Path) -> None:
    spoil(store, "DELETE FROM worker WHERE id = 2")
    assert "row 2 of agent refers to a worker that is not there" in check_store(store)


@pytest.mark.parametrize("parent", ["agent", "onboarding_agent"])
async def test_a_lost_agent_of_a_live_update_is_named(store: Path, parent: str) -> None:
    spoil(store, f"DELETE FROM {parent}")
    lost = [line for line in check_store(store) if "of live_update refers" in line]
    assert lost
    assert all(f"a {parent} that" in line for line in lost)


@pytest.mark.parametrize("parent", ["unit", "assignment", "onboarding_agent"])
async def test_a_lost_piece_of_a_journal_is_named(store: Path, parent: str) -> None:
    spoil(store, f"DELETE FROM {parent}")
    lost = [line for line in check_store(store) if "of journal_entry refers" in line]
    assert lost
    assert all(f"a {parent} that" in line for line in lost)


async def test_a_flipped_page_is_found(store: Path) -> None:
    with store.open("r+b") as file:
        file.seek(5 * 4096)
        file.write(bytes(4096))
    assert "damaged" in check_store(store)[0]


def test_a_file_that_is_not_there_is_said_not_to_be_there(tmp_path: Path) -> None:
    assert check_store(tmp_path / "none.db") == [f"there is no file {tmp_path / 'none.db'}"]


async def test_a_store_in_use_may_be_checked_from_outside(database: Path) -> None:
    async with open_storage(database) as storage:
        world = World(storage)
        await world.at_work()
        said = subprocess.run(
            [sys.executable, "-c", CHECK, str(database)], capture_output=True, text=True, check=True
        )
        assert said.stdout == "[]\n"
        await world.at_work("second", "bob")
    assert check_store(database) == []
