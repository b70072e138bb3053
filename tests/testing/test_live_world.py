"""The simulated world with live work: workers talk with the task's code, and nothing said is lost."""

from collections.abc import Mapping
from typing import Any

import attrs
import pytest

from crowdd.protocol.names import AgentId, AgentStatus, RunState, UnitStatus
from crowdd.storage.memory import MemoryStorage
from crowdd.storage.records import JournalEntry, LiveUpdate
from crowdd.testing.checker import Rule
from crowdd.testing.history import Assured, Saw, Spoke
from crowdd.testing.simulation.live import ECHO, PAIRS
from crowdd.testing.simulation.stores import MakeStore
from crowdd.testing.world import (
    ALL_FAULTS,
    CROWD,
    LIVE_FAULTS,
    NO_FAULTS,
    Fault,
    Faults,
    SimulationReport,
    memory_store,
    rehearse,
    sqlite_store,
)

from .test_world import Mutant, store_of

WORKERS, UNITS = 10, 20
OFTEN_RELOADED = attrs.evolve(CROWD, reload=0.4)


def _is_all_done(report: SimulationReport) -> bool:
    units = {unit.status for unit in report.facts.units}
    return units == {UnitStatus.COMPLETED} and report.facts.run.state is RunState.COMPLETED


def test_workers_and_code_hear_each_other_and_the_checker_finds_nothing() -> None:
    report = rehearse(1, WORKERS, UNITS, live=ECHO)
    assert report.violations == []
    assert _is_all_done(report)
    kinds = {type(entry) for entry in report.history}
    assert kinds >= {Spoke, Assured, Saw}


@pytest.mark.parametrize(("seed", "make_store"), [(1, memory_store), (2, memory_store), (3, sqlite_store)])
def test_nothing_said_is_lost_repeated_or_turned_around_while_all_goes_wrong(
    seed: int, make_store: MakeStore
) -> None:
    report = rehearse(
        seed, WORKERS, UNITS, LIVE_FAULTS, live=ECHO, crowd=OFTEN_RELOADED, make_store=make_store
    )
    assert report.violations == []
    assert _is_all_done(report)


@pytest.mark.parametrize("seed", [1, 2])
def test_pairs_hear_all_that_their_partners_say_while_all_goes_wrong(seed: int) -> None:
    report = rehearse(seed, WORKERS, UNITS, LIVE_FAULTS, live=PAIRS)
    assert report.violations == []
    assert report.facts.run.state is RunState.COMPLETED


@pytest.mark.parametrize("seed", [1, 2])
def test_newcomers_are_onboarded_by_code_while_all_goes_wrong(seed: int) -> None:
    report = rehearse(seed, WORKERS, UNITS, LIVE_FAULTS, live=ECHO, onboarded=True)
    assert report.violations == []
    assert _is_all_done(report)
    passed = {agent.worker_id for agent in report.facts.onboarding if agent.status is AgentStatus.APPROVED}
    assert {agent.worker_id for agent in report.facts.agents} <= passed


@pytest.mark.parametrize("fault", Fault)
def test_one_kind_of_fault_again_and_again_does_live_work_no_harm(fault: Fault) -> None:
    faults = Faults((fault,), count=8, over_s=400.0, lost_requests=0.1, socket_s=60.0)
    report = rehearse(4, WORKERS, UNITS, faults, live=ECHO)
    assert report.violations == []
    assert _is_all_done(report)


@pytest.mark.parametrize("seed", [2, 3])
def test_unchanged_pages_get_what_is_promised_to_them(seed: int) -> None:
    report = rehearse(seed, WORKERS, WORKERS, ALL_FAULTS, live=ECHO, unchanged=1.0)
    assert report.violations == []
    assert any(isinstance(entry, Spoke) and not entry.page for entry in report.history)


def test_the_same_seed_says_the_same_again() -> None:
    first, second = (rehearse(8, 6, 12, ALL_FAULTS, live=ECHO) for _ in range(2))
    assert first.history == second.history


# --- bugs planted in the store of the real daemon ----------------------------------------------------------


def _found(mutant: Mutant, faults: Faults = NO_FAULTS) -> set[Rule]:
    report = rehearse(11, 6, 12, faults, live=ECHO, make_store=store_of(mutant))
    return {violation.rule for violation in report.violations}


class AltersWords(MemoryStorage):
    """What a page says for the third time is stored in other words."""

    async def add_live(self, updates: list[LiveUpdate], journal: list[JournalEntry]) -> None:  # type: ignore[override]  # a list is all that the daemon gives
        await super().add_live([_altered(update) for update in updates], journal)


def _altered(update: LiveUpdate) -> LiveUpdate:
    wrong: Mapping[str, Any] = {**update.update, "words": "?"}
    return (
        attrs.evolve(update, update=dict(wrong)) if (update.number, update.outgoing) == (3, False) else update
    )


class ForgetsWhatItSent(MemoryStorage):
    """What was sent to an agent is there for pages that are connected, and gone for those that come."""

    async def live_updates(
        self, onboarding: bool, agent_id: AgentId, outgoing: bool, after: int = 0, limit: int = 1000
    ) -> list[LiveUpdate]:
        found = await super().live_updates(onboarding, agent_id, outgoing, after, limit)
        return [update for update in found if not outgoing or update.number != 2]


def test_words_that_are_stored_otherwise_are_found() -> None:
    assert Rule.STREAM in _found(AltersWords)


def test_words_that_a_store_forgets_are_found() -> None:
    assert Rule.STREAM in _found(ForgetsWhatItSent, Faults((Fault.KILL_ROUTER,), count=4, over_s=240.0))
