"""What every write promises, whichever it is: fenced by the lease, nothing done when cancelled before."""

import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from crowdd.protocol.names import (
    AgentId,
    PieceKind,
    RunId,
    RunState,
    WireId,
    WorkerId,
)
from crowdd.storage import IN_MEMORY, open_storage
from crowdd.storage.admission import NewDecision, NewOnboarding
from crowdd.storage.contract import Arrival, ChangeRun, Registration, Storage
from crowdd.storage.errors import LeaseLost
from crowdd.storage.memory import MemoryStorage, Tables
from crowdd.storage.records import Agent, JournalEntry, LateAnswer, Unit
from crowdd.storage.writes import SetDue, Write

from .world import AT_WORK, LATER, NOW, World, new_run, rows

RUN, WORKER, AGENT = RunId(1), WorkerId(1), AgentId(1)
ENDED, GOING, EMPTY = RunId(2), RunId(3), RunId(4)
NEWCOMER = NewOnboarding(RUN, WORKER, WireId("onboarding_x"), "l", "", None)
ENTRY = JournalEntry(PieceKind.UNIT, 1, 1, "receive", None, {}, NOW)
LATE = LateAnswer(0, RUN, AGENT, WireId("w"), True, b"{}", [], "d", "too late", NOW)


def _later(agent: Agent, unit: Unit) -> list[Write]:
    return [SetDue(agent.id, LATER)]


WRITES: dict[str, Callable[[Storage], Awaitable[Any]]] = {
    "commit": lambda s: s.commit([SetDue(AGENT, LATER)], LATER),
    "commit_for": lambda s: s.commit_for(WireId("wire-1"), _later, LATER),
    "create_run": lambda s: s.create_run(new_run("second"), NOW, "staff:ada"),
    "set_trouble": lambda s: s.set_trouble(RUN, "trouble"),
    "set_paused": lambda s: s.set_paused(RUN, True, NOW, "staff:ada", "lunch"),
    "change_run": lambda s: s.change_run(ChangeRun(RUN, new_run().config, {}), NOW, "staff:ada", "y"),
    "begin_deletion": lambda s: s.begin_deletion(ENDED, NOW, "staff:ada"),
    "delete_assignments": lambda s: s.delete_assignments(GOING, 1),
    "finish_deletion": lambda s: s.finish_deletion(EMPTY, NOW, "staff:ada"),
    "add_assignments": lambda s: s.add_assignments(RUN, rows(2, 1), True, NOW),
    "launch_assignments": lambda s: s.launch_assignments(RUN, rows(2, 1), True, NOW),
    "launch_units": lambda s: s.launch_units(RUN, 9, NOW),
    "expire_units": lambda s: s.expire_units(RUN, NOW, "staff:ada", "y"),
    "reserve": lambda s: s.reserve(Registration(RUN, WORKER, WireId("w"), "l", "", AT_WORK, None), NOW),
    "arrive": lambda s: s.arrive(Arrival(RUN, "mock", "bob"), NOW),
    "register_worker": lambda s: s.register_worker("mock", "bob", {}, NOW),
    "set_blocked": lambda s: s.set_blocked(WORKER, True, NOW, "x", "y"),
    "create_qualification": lambda s: s.create_qualification("fast", None, NOW),
    "delete_qualification": lambda s: s.delete_qualification("trained", NOW, "x"),
    "grant": lambda s: s.grant("trained", WORKER, 5, NOW, "x", "y"),
    "revoke": lambda s: s.revoke("trained", WORKER, NOW, "x", "y"),
    "add_metadata": lambda s: s.add_metadata(AGENT, "tips", {}, [], "d", NOW),
    "add_error": lambda s: s.add_error(RUN, None, "page", {}, NOW),
    "add_late": lambda s: s.add_late(LATE),
    "add_live": lambda s: s.add_live([], [ENTRY]),
    "begin_onboarding": lambda s: s.begin_onboarding(NEWCOMER, NOW),
    "record_decision": lambda s: s.record_decision(
        NewDecision(RUN, WORKER, "admission", "refused", "blocked", {}), NOW
    ),
    "ensure_qualifications": lambda s: s.ensure_qualifications({"trained": "x", "golds": None}, NOW),
    "begin_audit": lambda s: s.begin_audit(0, 1, "staff:ada", "stop_run", "digits", NOW),
    "end_audit": lambda s: s.end_audit(1, "done", "digits", None, None),
    "renew_lease": lambda s: s.renew_lease(),
    "put_fact": lambda s: s.put_fact("daemon", "k", 2),
    "create_requester": lambda s: s.create_requester("other", "mock"),
    "create_project": lambda s: s.create_project("vision"),
    "create_task": lambda s: s.create_task("letters", "static", None),
    "update_task": lambda s: s.update_task(2, "numbers", None),
}


READS = {
    "agent_with_unit",
    "audit",
    "candidates",
    "check_lease",
    "decisions",
    "late_count",
    "live_onboarding_agents",
    "special_count",
    "special_digests",
    "worker_facts",
    "workers_among",
    "added_rows",
    "agents_among",
    "agents_of_assignment",
    "agents_of_link",
    "last_of_link",
    "agents_of_worker",
    "counted_runs",
    "counts",
    "export",
    "fact",
    "facts",
    "history_end",
    "journal",
    "live_updates",
    "owed_of_agent",
    "heard",
    "held_units",
    "reserved_agents",
    "submission",
    "submissions_count",
    "workers",
}
"""The methods with a docstring that do not write; the others that do not write have none."""


def test_every_writing_method_is_here() -> None:
    documented = {name for name in Storage.__abstractmethods__ if getattr(Storage, name).__doc__}
    assert documented - READS == set(WRITES)


async def _furnish(storage: Storage) -> World:
    """One of everything that the writes above need."""
    world = World(storage)
    run = await storage.create_run(new_run(), NOW, "staff:ada")
    await storage.add_assignments(run.id, rows(0, 2, units=2), False, NOW)
    await storage.launch_units(run.id, 3, NOW)
    await world.move_run(run, RunState.RUNNING)
    await world.take(run, await world.worker())
    await storage.create_task("spare", "static", None)
    await storage.create_qualification("trained", None, NOW)
    await storage.grant("trained", WORKER, 1, NOW, "x", "y")
    await storage.put_fact("daemon", "k", 1)
    await storage.begin_audit(0, 1, "staff:ada", "launch_run", "digits", NOW)
    await _furnish_with_ended_runs(world)
    return world


async def _furnish_with_ended_runs(world: World) -> None:
    """One that has ended, and two that are going: with assignments, and without any more."""
    for run_id, assignments in ((ENDED, 1), (GOING, 2), (EMPTY, 0)):
        run = await world.run(f"run-{run_id}", assignments)
        assert run.id == run_id
        await world.move_run(run, RunState.STOPPED)
        if run_id != ENDED:
            await world.storage.begin_deletion(run_id, NOW, "staff:ada")


async def _state(world: World) -> list[object]:
    journal = await world.storage.journal(ENTRY.kind, ENTRY.piece_id)
    kept = [await world.storage.facts("daemon"), await world.storage.audit()]
    return [*await world.everything(), *kept, journal]


@pytest.mark.parametrize("name", WRITES)
async def test_a_write_cancelled_before_it_began_does_nothing(storage: Storage, name: str) -> None:
    world = await _furnish(storage)
    before = await _state(world)
    with trio.CancelScope() as scope:
        scope.cancel()
        await WRITES[name](storage)
    assert scope.cancelled_caught
    assert await _state(world) == before


@pytest.mark.parametrize("name", [name for name in WRITES if name != "renew_lease"])
async def test_a_write_changes_something(name: str) -> None:
    async with open_storage(IN_MEMORY, inline=True) as storage:
        world = await _furnish(storage)
        before = await _state(world)
        await WRITES[name](storage)
        assert await _state(world) != before


@pytest.mark.parametrize("name", WRITES)
async def test_who_lost_the_lease_writes_nothing_to_memory(name: str) -> None:
    tables = Tables()
    loser = MemoryStorage(tables)
    await _furnish(loser)
    winner = World(MemoryStorage(tables))
    before = await _state(winner)
    with pytest.raises(LeaseLost):
        await loser.check_lease()
    with pytest.raises(LeaseLost):
        await WRITES[name](loser)
    assert await _state(winner) == before


@pytest.mark.parametrize("inline", [False, True])
async def test_who_lost_the_lease_writes_nothing_to_sqlite(database: Path, inline: bool) -> None:
    async with open_storage(database, inline=inline) as storage:
        world = await _furnish(storage)
        before = await _state(world)
        _take_lease(database)
        for write in WRITES.values():
            with pytest.raises(LeaseLost):
                await write(storage)
        assert await _state(world) == before


def _take_lease(database: Path) -> None:
    """As another daemon would that ignored the lock, e.g. on a shared file system that has none."""
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("UPDATE lease SET epoch = epoch + 1")
    other.close()


@pytest.mark.parametrize("inline", [False, True])
async def test_who_lost_the_lease_sees_it_without_writing(database: Path, inline: bool) -> None:
    async with open_storage(database, inline=inline) as storage:
        await storage.check_lease()
        _take_lease(database)
        with pytest.raises(LeaseLost, match="epoch 2 has taken"):
            await storage.check_lease()


async def test_each_opening_has_a_higher_epoch(database: Path) -> None:
    epochs: list[int] = []
    for inline in (False, True, False):
        async with open_storage(database, inline=inline) as storage:
            epochs.append(storage.epoch)
    assert epochs == [1, 2, 3]
