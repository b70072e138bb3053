"""Limits, onboarding, screening, golds, orders: each rule by itself."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdd.daemon.admission.gold import GoldCounts, GoldRules, counts_of, goes_without, needs_gold, qualifies
from crowdd.daemon.admission.limits import WorkerLimits, over_limit
from crowdd.daemon.admission.onboarding import OnboardingState, failed_name, onboarding_state
from crowdd.daemon.admission.orders import RANK_MAX, OrderFault, priority_rank, random_rank
from crowdd.daemon.admission.screening import ScreeningRules, is_due
from crowdd.protocol.names import AgentStatus, Reason

GOLD = GoldRules("g", max_units=10, min_golds=2, max_incorrect_golds=1)


def test_no_limits_refuse_nobody() -> None:
    assert over_limit(WorkerLimits(), 10**6, 10**6) is None


@pytest.mark.parametrize(
    ("holding", "refused"), [(1, None), (2, Reason.TOO_MANY_CONCURRENT), (3, Reason.TOO_MANY_CONCURRENT)]
)
def test_as_many_at_once_as_allowed_are_enough(holding: int, refused: Reason | None) -> None:
    assert over_limit(WorkerLimits(allowed_concurrent=2), holding, 0) is refused


@pytest.mark.parametrize(("task_units", "refused"), [(1, None), (2, Reason.MAX_FOR_TASK)])
def test_as_many_in_all_as_allowed_are_enough(task_units: int, refused: Reason | None) -> None:
    assert over_limit(WorkerLimits(maximum_units_per_worker=2), 0, task_units) is refused


@pytest.mark.parametrize(
    ("grants", "newest", "state"),
    [
        ({}, None, OnboardingState.NEEDED),
        ({}, AgentStatus.ONBOARDING, OnboardingState.UNDER_WAY),
        ({}, AgentStatus.WAITING, OnboardingState.UNDER_WAY),
        ({}, AgentStatus.DISCONNECT, OnboardingState.NEEDED),
        ({}, AgentStatus.REJECTED, OnboardingState.NEEDED),  # staff revoked the grant: another chance
        ({"trained": 1}, None, OnboardingState.PASSED),
        ({"trained": 0}, None, OnboardingState.FAILED),
        ({"trained": 0}, AgentStatus.ONBOARDING, OnboardingState.FAILED),
        ({"trained-failed": 0}, None, OnboardingState.NEEDED),
    ],
)
def test_the_grant_says_where_a_worker_stands_with_the_onboarding(
    grants: dict[str, int], newest: AgentStatus | None, state: OnboardingState
) -> None:
    assert onboarding_state("trained", grants, newest) is state
    assert onboarding_state(None, grants, newest) is OnboardingState.NOT_ASKED
    assert failed_name("trained") == "trained-failed"


def test_who_passed_is_not_screened_again_unless_the_hook_says_so() -> None:
    rules = ScreeningRules("passed", 5)
    assert is_due(rules, {}, None)
    assert not is_due(rules, {"passed": 1}, None)
    assert is_due(rules, {"passed": 1}, True)
    assert not is_due(rules, {}, False)


def test_golds_are_counted_in_qualifications() -> None:
    assert counts_of(GOLD, {}) == GoldCounts(0, 0, 0)
    assert counts_of(GOLD, {"g-completed-count": 9, "g-correct-golds": 2, "g-wrong-golds": 1}) == GoldCounts(
        9, 2, 1
    )


def test_one_wrong_gold_more_than_allowed_is_too_many() -> None:
    assert qualifies(GOLD, GoldCounts(wrong=1))
    assert not qualifies(GOLD, GoldCounts(wrong=2))


def test_a_worker_begins_with_golds() -> None:
    assert needs_gold(GOLD, GoldCounts(correct=1))
    assert not needs_gold(GOLD, GoldCounts(correct=2))


@given(st.integers(0, 10**6), st.integers(0, 50), st.integers(0, 50), st.integers(0, 10))
def test_golds_are_due_as_the_reference_says(completed: int, correct: int, wrong: int, minimum: int) -> None:
    rules = GoldRules("g", 5, min_golds=minimum)
    due = correct < minimum or correct - (minimum + wrong) < math.ceil(math.log10(completed + 1) ** 2.2) - 1
    assert needs_gold(rules, GoldCounts(completed, correct, wrong)) == due


def test_when_all_golds_were_made_only_proven_workers_go_on() -> None:
    assert goes_without(GOLD, GoldCounts(correct=2), made=10)
    assert not goes_without(GOLD, GoldCounts(correct=1), made=10)
    assert not goes_without(GOLD, GoldCounts(correct=2), made=9)


@given(st.integers(), st.integers(0), st.integers(-2, 10**6))
def test_a_random_rank_fits_a_column_and_is_the_same_again(seed: int, row: int, index: int) -> None:
    assert 0 <= random_rank(seed, row, index) <= RANK_MAX
    assert random_rank(seed, row, index) == random_rank(seed, row, index)


def test_other_seeds_shuffle_otherwise() -> None:
    orders = [sorted(range(50), key=lambda row: random_rank(seed, row, 0)) for seed in (1, 2)]
    assert orders[0] != orders[1] != sorted(orders[1])


def test_a_priority_is_a_whole_number_also_from_csv() -> None:
    assert priority_rank("first", {"first": -3}) == -3
    assert priority_rank("first", {"first": "12"}) == 12


@pytest.mark.parametrize(
    "data", [{}, {"first": None}, {"first": "soon"}, {"first": True}, {"first": 1.5}, {"first": 2**63}]
)
def test_a_row_without_a_usable_priority_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(OrderFault, match="first"):
        priority_rank("first", data)
