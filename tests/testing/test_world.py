"""The whole daemon with its routers' cores and a crowd on the virtual clock: the checker finds nothing.

And with a bug planted in the daemon's store it finds that. Slow runs say so by their numbers.
"""

import copy
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import attrs
import pytest

from crowdd.protocol.names import AgentId, RunState, UnitStatus, WireId
from crowdd.storage.contract import Arrival, Arrived, NotReserved, Plan, Registration, Reserved, Storage
from crowdd.storage.memory import MemoryStorage, Tables
from crowdd.storage.records import Agent
from crowdd.storage.writes import AddSubmission, Write
from crowdd.testing.checker import Rule
from crowdd.testing.history import Ok, Told, Unknown
from crowdd.testing.simulation.stores import MakeStore, OpenStore
from crowdd.testing.world import (
    ALL_FAULTS,
    CROWD,
    NO_FAULTS,
    Fault,
    Faults,
    SimulationReport,
    rehearse,
    sqlite_store,
)

FEW, MANY = 20, 200


def _is_all_done(report: SimulationReport) -> bool:
    units = {unit.status for unit in report.facts.units}
    return units == {UnitStatus.COMPLETED} and report.facts.run.state is RunState.COMPLETED


def test_200_workers_do_everything_and_the_checker_finds_nothing() -> None:
    report = rehearse(seed=1, workers=MANY, units=300)
    assert report.violations == []
    assert _is_all_done(report)
    assert len({agent.worker_id for agent in report.facts.agents}) > MANY / 2
    assert not any(isinstance(entry, Unknown) and entry.why == "connection lost" for entry in report.history)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_200_workers_do_everything_while_all_goes_wrong(seed: int) -> None:
    report = rehearse(seed, workers=MANY, units=300, faults=ALL_FAULTS)
    assert report.violations == []
    assert _is_all_done(report)
    assert len(report.faults) == ALL_FAULTS.count
    assert any(isinstance(entry, Unknown) for entry in report.history)


@pytest.mark.parametrize("fault", Fault)
def test_one_kind_of_fault_again_and_again_does_no_harm(fault: Fault) -> None:
    report = rehearse(4, FEW, 60, Faults((fault,), count=8, over_s=400.0, lost_requests=0.1))
    assert report.violations == []
    assert _is_all_done(report)


def test_two_routers_serve_one_run() -> None:
    report = rehearse(5, FEW, 60, ALL_FAULTS, routers=2)
    assert report.violations == []
    assert _is_all_done(report)
    assert {one.router for one in report.faults} == {0, 1}


@pytest.mark.parametrize("seed", [6, 7])
def test_a_store_on_disk_keeps_its_word_as_well(seed: int) -> None:
    report = rehearse(seed, FEW, 60, ALL_FAULTS, make_store=sqlite_store)
    assert report.violations == []
    assert _is_all_done(report)


def test_the_same_seed_does_the_same_again() -> None:
    first, second, other = (rehearse(seed, FEW, 40, ALL_FAULTS) for seed in (8, 8, 9))
    assert first.history == second.history
    assert first.facts.history == second.facts.history
    assert first.history != other.history


def test_pages_hear_of_a_stop_and_go_on_after_the_next_start() -> None:
    listening = attrs.evolve(CROWD, socket=1.0)
    report = rehearse(11, FEW, 60, Faults((Fault.STOP_DAEMON,), count=3, over_s=300.0), crowd=listening)
    told = {entry.status.value for entry in report.history if isinstance(entry, Told)}
    paths = [(entry.before, entry.after) for entry in report.facts.history if entry.kind == "agent"]
    assert "disconnect" in told
    assert ("disconnect", "accepted") in paths
    assert report.violations == []


# --- bugs planted in the store of the real daemon ----------------------------------------------------------

Mutant = Callable[[Tables], Storage]
ONE_CRASH = Faults((Fault.KILL_DAEMON,), count=1, over_s=240.0)


def store_of(mutant: Mutant) -> MakeStore:
    def make(folder: Path) -> OpenStore:
        tables = Tables()

        @asynccontextmanager
        async def opened() -> AsyncGenerator[Storage, None]:
            yield mutant(tables)

        return opened

    return make


def _found(mutant: Mutant, faults: Faults = NO_FAULTS) -> set[Rule]:
    report = rehearse(11, FEW, 40, faults, make_store=store_of(mutant))
    return {violation.rule for violation in report.violations}


def test_the_planted_bugs_are_all_that_the_checker_finds() -> None:
    assert _found(MemoryStorage, ONE_CRASH) == set()


class DropsAnswers(MemoryStorage):
    """Every tenth answer is acknowledged, its agent completed, and the answer itself not stored."""

    def __init__(self, tables: Tables) -> None:
        super().__init__(tables)
        self.answers = 0

    async def commit(self, writes: Sequence[Write], now: datetime) -> Mapping[AgentId, Agent]:
        return await super().commit(self._kept(writes), now)

    async def commit_for(self, wire_id: WireId, plan: Plan, now: datetime) -> Mapping[AgentId, Agent]:
        return await super().commit_for(wire_id, lambda agent, unit: self._kept(plan(agent, unit)), now)

    def _kept(self, writes: Sequence[Write]) -> Sequence[Write]:
        kept = [write for write in writes if not isinstance(write, AddSubmission)]
        self.answers += len(kept) < len(writes)
        return kept if self.answers % 10 == 0 else writes


def test_an_answer_that_is_acknowledged_and_dropped_is_found() -> None:
    assert Rule.SUBMISSION in _found(DropsAnswers)


class GivesUnitsTwice(MemoryStorage):
    """Every tenth reservation leaves the unit free, as if it were taken in a transaction of its own."""

    def __init__(self, tables: Tables) -> None:
        super().__init__(tables)
        self.reservations = 0

    async def reserve(self, registration: Registration, now: datetime) -> Reserved | NotReserved:
        outcome = await super().reserve(registration, now)
        self._free_some(outcome)
        return outcome

    async def arrive(self, arrival: Arrival, now: datetime) -> Arrived:
        arrived = await super().arrive(arrival, now)
        self._free_some(arrived.reserved)
        return arrived

    def _free_some(self, outcome: Reserved | NotReserved | None) -> None:
        self.reservations += 1
        if isinstance(outcome, Reserved) and not outcome.existing and self.reservations % 10 == 0:
            free = attrs.evolve(outcome.unit, status=UnitStatus.LAUNCHED, agent_id=None, worker_id=None)
            self._tables.units.put(free.id, free)
            self._tables.apply()


def test_a_unit_that_is_given_twice_is_found() -> None:
    assert Rule.UNIT in _found(GivesUnitsTwice)


class LosesItsTail:
    """After a crash its last transactions are gone, as with `synchronous=NORMAL` and a power cut."""

    def __init__(self) -> None:
        self.opened = 0
        self.tables = self.on_disk = Tables()

    def __call__(self, tables: Tables) -> Storage:
        self.opened += 1
        if self.opened == 2:  # the life after the crash; the third opening is the checker's
            self.tables = self.on_disk
        return _Lazy(self)


class _Lazy(MemoryStorage):
    def __init__(self, disk: LosesItsTail) -> None:
        super().__init__(disk.tables)
        self.disk = disk
        self.commits = 0

    async def commit(self, writes: Sequence[Write], now: datetime) -> Mapping[AgentId, Agent]:
        moved = await super().commit(writes, now)
        self._write_out()
        return moved

    async def commit_for(self, wire_id: WireId, plan: Plan, now: datetime) -> Mapping[AgentId, Agent]:
        moved = await super().commit_for(wire_id, plan, now)
        self._write_out()
        return moved

    def _write_out(self) -> None:
        self.commits += 1
        if self.commits % 5 == 1:
            self.disk.on_disk = copy.deepcopy(self._tables)


def test_answers_that_a_crash_takes_back_are_found() -> None:
    found = _found(LosesItsTail(), ONE_CRASH)
    assert found & {Rule.SUBMISSION, Rule.ANSWER}


def test_a_report_says_what_was_answered() -> None:
    report = rehearse(12, FEW, 6)
    submitted = [entry for entry in report.history if isinstance(entry, Ok)]
    assert len(submitted) >= 6
    assert report.lasted_s > 0
