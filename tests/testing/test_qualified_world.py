"""The simulated world with onboarding, gold or screening, hooks that fail and staff who meddle.

The checker finds nothing; and with a bug planted in the daemon's store it finds that.
"""

import functools
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

import attrs
import pytest

from crowdd.protocol.names import AgentId, AgentStatus, Reason, RunId, RunState, UnitStatus, WorkerId
from crowdd.storage.admission import WorkerFacts
from crowdd.storage.contract import Arrival, Arrived, NotReserved, Registration, Reserved
from crowdd.storage.memory import MemoryStorage
from crowdd.storage.records import Agent, Unit
from crowdd.storage.writes import (
    AddReview,
    AddToGrant,
    PutFact,
    RecordDecision,
    Write,
)
from crowdd.testing.checker import Rule, check_history
from crowdd.testing.simulation.qualified import ONBOARDING, suits
from crowdd.testing.simulation.stores import MakeStore
from crowdd.testing.tables import DAEMON_TABLES
from crowdd.testing.world import ALL_FAULTS, SimulationReport, memory_store, rehearse, sqlite_store

from .test_world import Mutant, store_of

WORKERS, UNITS = 24, 60
GOLD, SCREENING = "gold", "screening"
UNDONE = {UnitStatus.CREATED, UnitStatus.LAUNCHED, UnitStatus.ASSIGNED, UnitStatus.EXPIRED}
TURNED_AWAY = {Reason.BLOCKED.value, Reason.NOT_QUALIFIED.value}


@functools.cache
def world(seed: int, kind: str, make_store: MakeStore = memory_store) -> SimulationReport:
    return rehearse(seed, WORKERS, UNITS, ALL_FAULTS, qualified=kind, make_store=make_store)


def found(mutant: Mutant, kind: str, seed: int = 3) -> set[Rule]:
    return {violation.rule for violation in world(seed, kind, store_of(mutant)).violations}


def forgotten(report: SimulationReport) -> list[tuple[WorkerId, Unit]]:
    """What was not done and who might do it: neither turned away for good, nor refused by the task's rule.

    A unit that everybody left was refused or has worked beside stays, and its run rightly open.
    """
    facts = report.facts
    decided = sorted(facts.decisions, key=lambda decision: decision.last_at)
    told = {one.worker_id: one.reason for one in decided if one.kind == "admission" and one.worker_id}
    left = [worker for worker, reason in told.items() if reason not in TURNED_AWAY]
    been_beside = {(agent.worker_id, agent.assignment_id) for agent in facts.agents}
    return [
        (worker, unit)
        for unit in undone(report)
        for worker in left
        if suits(worker, unit.id) and (worker, unit.assignment_id) not in been_beside
    ]


def undone(report: SimulationReport) -> list[Unit]:
    """Of the rows; gold and screening are nobody's to do again."""
    return [unit for unit in report.facts.units if unit.unit_index >= 0 and unit.status in UNDONE]


@pytest.mark.parametrize(("seed", "make_store"), [(4, memory_store), (2, sqlite_store)])
@pytest.mark.parametrize("kind", [GOLD, SCREENING])
def test_whatever_goes_wrong_only_those_work_who_may(seed: int, kind: str, make_store: MakeStore) -> None:
    report = world(seed, kind, make_store)
    assert report.violations == []
    assert {unit.status for unit in undone(report)} <= {UnitStatus.LAUNCHED}
    assert forgotten(report) == []
    assert report.facts.run.state is (RunState.RUNNING if undone(report) else RunState.COMPLETED)
    kinds = Counter(decision.kind for decision in report.facts.decisions)
    assert kinds.keys() >= {"admission", "onboarding", "review", kind}
    assert any(unit.unit_index < 0 for unit in report.facts.units)
    assert {agent.status for agent in report.facts.onboarding} >= {AgentStatus.APPROVED, AgentStatus.REJECTED}


class LetsAnybodyIn(MemoryStorage):
    """Whoever asks is taken for somebody who passed the onboarding."""

    async def worker_facts(self, run_id: RunId, worker_id: WorkerId) -> WorkerFacts:
        read = await super().worker_facts(run_id, worker_id)
        return attrs.evolve(read, grants={**read.grants, ONBOARDING: 1})

    async def arrive(self, arrival: Arrival, now: datetime) -> Arrived:
        arrived = await super().arrive(arrival, now)
        return attrs.evolve(arrived, facts=await self.worker_facts(arrival.run_id, arrived.worker.id))

    async def reserve(self, registration: Registration, now: datetime) -> Reserved | NotReserved:
        return await super().reserve(attrs.evolve(registration, expect={}), now)


def test_somebody_who_was_not_onboarded_is_found() -> None:
    assert Rule.ADMISSION in found(LetsAnybodyIn, GOLD)


def test_special_units_beyond_their_cap_are_found() -> None:
    report = world(1, SCREENING)
    config = report.facts.run.config
    less = {**config, "screening": {**config["screening"], "max_units": 3}}
    facts = attrs.evolve(report.facts, run=attrs.evolve(report.facts.run, config=less))
    violations = check_history(report.history, facts, DAEMON_TABLES)
    assert Rule.ADMISSION in {violation.rule for violation in violations}


class Rewrites(MemoryStorage):
    """Commits something else than it was told."""

    def rewritten(self, writes: list[Write]) -> list[Write]:
        raise NotImplementedError

    async def commit(self, writes: Sequence[Write], now: datetime) -> Mapping[AgentId, Agent]:
        return await super().commit(self.rewritten(list(writes)), now)


def test_a_special_unit_in_the_pool_is_found() -> None:
    report = world(1, GOLD)  # no store lets it happen: what it would look like
    (special, *_) = [unit for unit in report.facts.units if unit.unit_index < 0]
    free = attrs.evolve(special, status=UnitStatus.LAUNCHED, agent_id=None, worker_id=None)
    units = [free if unit.id == special.id else unit for unit in report.facts.units]
    violations = check_history(report.history, attrs.evolve(report.facts, units=units), DAEMON_TABLES)
    assert Rule.ADMISSION in {violation.rule for violation in violations}


class CountsTwice(Rewrites):
    """What follows from an answer is written, and what says so is not: it follows again after a crash."""

    def rewritten(self, writes: list[Write]) -> list[Write]:
        return [write for write in writes if not (isinstance(write, PutFact) and write.value is None)]


def test_what_follows_twice_from_one_answer_is_found() -> None:
    assert Rule.ADMISSION in found(CountsTwice, GOLD)


class LosesCounts(Rewrites):
    """How many units a worker finished is not counted."""

    def rewritten(self, writes: list[Write]) -> list[Write]:
        return [write for write in writes if not _counts_units(write)]


def _counts_units(write: Write) -> bool:
    return isinstance(write, AddToGrant) and write.name.endswith("-completed-count")


def test_a_counter_that_does_not_count_is_found() -> None:
    assert Rule.ADMISSION in found(LosesCounts, GOLD)


class ForgetsWhy(Rewrites):
    """Nothing that was decided about answers is kept."""

    def rewritten(self, writes: list[Write]) -> list[Write]:
        return [write for write in writes if not isinstance(write, RecordDecision)]


def test_an_outcome_without_a_decision_is_found() -> None:
    assert found(ForgetsWhy, GOLD) >= {Rule.ADMISSION, Rule.REVIEW}


class LosesReviews(Rewrites):
    """Agents are judged, and by whom is not kept."""

    def rewritten(self, writes: list[Write]) -> list[Write]:
        return [write for write in writes if not isinstance(write, AddReview)]


def test_a_judged_agent_without_its_review_is_found() -> None:
    assert Rule.REVIEW in found(LosesReviews, GOLD)


def test_an_onboarding_that_never_ends_is_found() -> None:
    report = world(1, GOLD)
    first, *others = report.facts.onboarding
    waiting = [attrs.evolve(first, status=AgentStatus.WAITING), *others]
    facts = attrs.evolve(report.facts, onboarding=waiting)
    violations = check_history(report.history, facts, DAEMON_TABLES)
    assert Rule.LIVENESS in {violation.rule for violation in violations}
