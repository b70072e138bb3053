"""How SQLite finds things: by index, at a cost that does not grow with the run."""

import sqlite3
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager

import pytest

from crowdd.protocol.names import PieceKind, QueueOrder, UnitStatus
from crowdd.storage.records import TaskRun, Worker
from crowdd.storage.sql import statements
from crowdd.storage.sqlite import SqliteStorage
from crowdd.storage.sqlite.connecting import open_writer
from crowdd.storage.sqlite.engine import Inline

from .live import an_entry, an_update
from .world import NOW, World, rows

SCANS_ARE_FINE = {"GRANTS", "TAKE_LEASE", "LAUNCH_UNITS"}
"""Statements that read everything, or whose plan says nothing; LAUNCH_UNITS scans the few it has chosen."""
NO_TABLES = ("CONSTANT ROW", "json_each VIRTUAL TABLE")
"""Values of the statement itself, and a list that it is given: neither grows with the store."""
NEVER_REMOVED = {"worker_id", "requester_id", "project_id"}
"""References to what nothing removes."""


def plan(db: sqlite3.Connection, statement: str) -> list[str]:
    found = db.execute(f"EXPLAIN QUERY PLAN {statement}", dict.fromkeys(_parameters(statement), 1))
    return [row[3] for row in found]


def indexes(statement: str) -> set[str]:
    """What the steps of a statement use."""
    writer = open_writer(None)
    steps = plan(writer.db, statement)
    writer.close()
    return {step.partition(" USING ")[2] for step in steps}


def _parameters(statement: str) -> set[str]:
    words = statement.replace(",", " ").replace(")", " ").replace("(", " ").split()
    return {word[1:] for word in words if word.startswith(":")}


def named_statements() -> list[tuple[str, str]]:
    """Every statement by the name it has there; of several under one name, each."""
    named: list[tuple[str, str]] = []
    for name, value in vars(statements).items():
        if name.isupper() and not name.startswith("_") and isinstance(value, str):
            named.append((name, value))
    for name in ("LIVE_UPDATES", "LAST_HEARD", "IS_HEARD", "JOURNAL"):
        named += [(name, statement) for statement in getattr(statements, name).values()]
    for name in ("DELETE_ASSIGNMENT", "DELETE_RUN"):
        named += [(name, statement) for statement in getattr(statements, name)]
    return named


WAYS: dict[str, str] = {
    "FREE_UNIT": "SEARCH unit USING INDEX unit_free (run_id=? AND rank=? AND position>?)",
    "FIRST_RANKED_UNIT": "SEARCH unit USING INDEX unit_free (run_id=?)",
    "FREE_UNITS_BEHIND": "SEARCH unit USING INDEX unit_free (run_id=? AND (rank,position)>(?,?))",
    "WAITING_UNITS": "SEARCH unit USING INDEX unit_waiting (run_id=?)",
    "LOWEST_LEFT": "SEARCH unit USING INDEX unit_left (assignment_id=? AND rank>?)",
    "HELD_IN_RUN": "SEARCH unit USING COVERING INDEX unit_of_worker (worker_id=? AND run_id=? AND status=?)",
    "COUNTED_IN_TASK": "SEARCH task_worker USING PRIMARY KEY (task_id=? AND worker_id=?)",
    "SPECIAL_DIGESTS": "SEARCH agent USING INDEX agent_of_worker (worker_id=? AND run_id=?)",
    "RUN_FOR_RESERVATION": "SEARCH task_run USING INTEGER PRIMARY KEY (rowid=?)",
    "RUN_WITH_UNITS": "SEARCH task_run USING INTEGER PRIMARY KEY (rowid=?)",
    "RUN_FOR_NEWCOMER": "SEARCH task_run USING INTEGER PRIMARY KEY (rowid=?)",
    "AGENTS_OF_LINK": "SEARCH agent USING INDEX sqlite_autoindex_agent_2 (run_id=? AND link=?)",
    "LAST_OF_LINK": "SEARCH agent USING INTEGER PRIMARY KEY (rowid=?)",
    "ONBOARDING_OF_LINK": "SEARCH onboarding_agent USING INDEX onboarding_of_link (run_id=? AND link=?)",
    "HELD_UNITS": "SEARCH unit USING INDEX unit_of_worker (worker_id=?)",
    "NEWEST_ONBOARDING": ("SEARCH onboarding_agent USING INDEX onboarding_of_run (run_id=? AND worker_id=?)"),
    "LIVE_ONBOARDING_OF": ("SEARCH onboarding_agent USING INDEX onboarding_live (run_id=? AND worker_id=?)"),
    "LIVE_ONBOARDING": "SEARCH onboarding_agent USING INDEX onboarding_live (run_id=?)",
    "OTHERS_ASSIGNED": "SEARCH unit USING INDEX sqlite_autoindex_unit_1 (assignment_id=?)",
    "RANK_OTHERS_LEFT": "SEARCH unit USING INDEX sqlite_autoindex_unit_1 (assignment_id=?)",
    "NEWEST_DECISION": "SEARCH decision USING INDEX decision_of_run (run_id=? AND worker_id=?)",
}
"""How the statements of admission must begin: each at a place in an index, in the order it needs."""
SORTED = {"AGENTS_OF_LINK", "HELD_UNITS", "LIVE_ONBOARDING", "ONBOARDING_OF_LINK", "SPECIAL_DIGESTS"}
"""What is put in order, or rid of doubles, after it was found."""


@pytest.mark.parametrize("name", WAYS)
def test_admission_goes_straight_to_what_it_needs(name: str) -> None:
    writer = open_writer(None)
    steps = plan(writer.db, getattr(statements, name))
    writer.close()
    assert steps[0] == WAYS[name]
    assert not any("SCAN" in step for step in steps)
    assert name in SORTED or not any("TEMP B-TREE" in step for step in steps)


def test_what_a_reservation_looks_at_stands_in_indexes() -> None:
    assert {
        "COVERING INDEX sqlite_autoindex_agent_2 (run_id=? AND link=? AND after=?)",
        "COVERING INDEX unit_of_worker (worker_id=? AND run_id=? AND status=?)",
        "PRIMARY KEY (task_id=? AND worker_id=?)",
    } <= indexes(statements.RUN_FOR_RESERVATION)


def test_whether_a_newcomers_link_led_anywhere_stands_in_indexes() -> None:
    assert {
        "COVERING INDEX sqlite_autoindex_agent_2 (run_id=? AND link=?)",
        "COVERING INDEX onboarding_of_link (run_id=? AND link=?)",
    } <= indexes(statements.RUN_FOR_NEWCOMER)


def test_live_work_is_read_in_order_from_one_index() -> None:
    writer = open_writer(None)
    ways = {
        "live_agent_number (of_agent=? AND outgoing=? AND number>?)": statements.LIVE_UPDATES[False],
        "live_onboarding_number (of_onboarding=? AND outgoing=? AND number>?)": statements.LIVE_UPDATES[True],
        "journal_of_unit (of_unit=? AND position>?)": statements.JOURNAL[PieceKind.UNIT],
        "journal_of_assignment (of_assignment=? AND position>?)": statements.JOURNAL[PieceKind.ASSIGNMENT],
        "journal_of_onboarding (of_onboarding=? AND position>?)": statements.JOURNAL[PieceKind.ONBOARDING],
    }
    for way, statement in ways.items():
        (step,) = plan(writer.db, statement)
        assert step.endswith(f"USING INDEX {way}")
    writer.close()


async def _steps_to_add_live(agents: int, there: int) -> int:
    """SQLite's instructions for a small call, with so many agents who have so many updates each."""
    writer = open_writer(None)
    world = World(SqliteStorage(Inline(writer)))
    run = await world.run(assignments=agents, queue=QueueOrder.GROUPED)
    made = [(await world.take(run, await world.worker(f"w{number}"))).agent for number in range(agents)]
    for agent in made:
        updates = [an_update(agent.id, number) for number in range(1, there + 1)]
        entries = [an_entry(PieceKind.UNIT, agent.unit_id, number) for number in range(1, there + 1)]
        await world.storage.add_live(updates, entries)
    agent = made[len(made) // 2]
    update, entry = an_update(agent.id, there + 1), an_entry(PieceKind.UNIT, agent.unit_id, there + 1)
    with counted(writer.db) as steps:
        await world.storage.add_live([update, an_update(agent.id, 1, outgoing=True)], [entry])
    writer.close()
    return steps()


async def test_what_an_update_costs_does_not_grow_with_what_was_said_before() -> None:
    assert await _steps_to_add_live(30, 100) <= await _steps_to_add_live(2, 1)


@pytest.mark.parametrize(("name", "statement"), named_statements())
def test_no_statement_scans_a_table(name: str, statement: str) -> None:
    writer = open_writer(None)
    steps = plan(writer.db, statement)
    writer.close()
    scans = [step for step in steps if step.startswith("SCAN") and not any(map(step.__contains__, NO_TABLES))]
    assert scans == [] or name in SCANS_ARE_FINE


async def _steps_to_add(there: int) -> int:
    """SQLite's instructions for adding ten rows to a run of so many that are released."""
    writer = open_writer(None)
    world = World(SqliteStorage(Inline(writer)))
    run = await world.run(assignments=there)
    with counted(writer.db) as steps:
        await world.storage.add_assignments(run.id, rows(there, 10), True, NOW)
        await world.storage.launch_units(run.id, 10, NOW)
    writer.close()
    return steps()


async def test_the_cost_of_adding_rows_does_not_grow_with_the_run() -> None:
    small = await _steps_to_add(20)
    assert await _steps_to_add(2000) < small * 1.1


@contextmanager
def counted(db: sqlite3.Connection) -> Generator[Callable[[], int]]:
    """Counts SQLite's instructions until the block is left."""
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 0

    db.set_progress_handler(step, 1)
    yield lambda: steps
    db.set_progress_handler(None, 1)


async def _steps(
    doing: Callable[[World, TaskRun, Worker], Awaitable[object]],
    assignments: int,
    worked: int,
    queue: QueueOrder = QueueOrder.FIFO,
    others: int = 0,
) -> int:
    """SQLite's instructions for something about a worker who has worked on so many of the assignments.

    `others` are known as well, and were refused.
    """
    writer = open_writer(None)
    world = World(SqliteStorage(Inline(writer)))
    run = await world.run(assignments=assignments, units=5, queue=queue)
    worker = await world.worker()
    for _ in range(worked):
        await world.take(run, worker)
    for number in range(others):
        other = await world.worker(f"other-{number}")
        await world.storage.record_decision(world.decision(run, other, outcome="refused"), NOW)
    with counted(writer.db) as steps:
        await doing(world, run, worker)
    writer.close()
    return steps()


async def _take(world: World, run: TaskRun, worker: Worker) -> None:
    await world.take(run, worker, maximum_units_per_worker=1_000_000, expect={"trained": None})


async def _give_back(world: World, run: TaskRun, worker: Worker) -> None:
    (agent, *_) = await world.storage.agents(run.id, worker_id=worker.id, limit=1)
    await world.give_back(agent)


async def _look(world: World, run: TaskRun, worker: Worker) -> None:
    await world.facts(run, worker)
    await world.storage.candidates(run.id, worker.id)


async def _take_special(world: World, run: TaskRun, worker: Worker) -> None:
    await world.take_special(run, worker)
    await world.storage.special_digests(run.id, worker.id, -1)
    await world.storage.special_count(run.id, -1)


async def _look_at_the_group(world: World, run: TaskRun, worker: Worker) -> None:
    (agent, *_) = await world.storage.agents(run.id, worker_id=worker.id, limit=1)
    await world.storage.units(run.id, assignment_id=agent.assignment_id)
    await world.storage.units(run.id, frozenset({UnitStatus.LAUNCHED}), agent.assignment_id)


@pytest.mark.parametrize("queue", QueueOrder)
@pytest.mark.parametrize("doing", [_take, _give_back, _look, _take_special, _look_at_the_group])
async def test_nothing_about_a_worker_costs_more_in_a_larger_run(
    doing: Callable[[World, TaskRun, Worker], Awaitable[object]], queue: QueueOrder
) -> None:
    small = await _steps(doing, 50, 10, queue)
    assert await _steps(doing, 1000, 10, queue) < small * 1.1


async def test_the_cost_of_a_reservation_does_not_grow_with_what_the_worker_has_done() -> None:
    assert await _steps(_take, 1000, 200) < await _steps(_take, 1000, 10) * 1.1


async def test_many_known_workers_and_their_refusals_make_nothing_dearer() -> None:
    async def come(world: World, run: TaskRun, worker: Worker) -> None:
        await world.take(run, worker, decision=world.decision(run, worker))
        await world.facts(run, worker)

    assert await _steps(come, 20, 0, others=500) < await _steps(come, 20, 0, others=5) * 1.1


def test_nothing_is_removed_by_looking_through_a_whole_table() -> None:
    """For each row that goes the database looks for rows that refer to it, in every table that may."""
    writer = open_writer(None)
    tables = [name for (name,) in writer.db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    keys = [
        (table, row[3]) for table in tables for row in writer.db.execute(f"PRAGMA foreign_key_list({table})")
    ]
    scans = [
        f"{table}.{column}"
        for table, column in keys
        if column not in NEVER_REMOVED
        for step in plan(writer.db, f"SELECT 1 FROM {table} WHERE {column} = :key")
        if step.startswith("SCAN")
    ]
    writer.close()
    assert len(keys) > 20
    assert scans == []
