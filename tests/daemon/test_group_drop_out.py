"""What becomes of started groups that somebody leaves, and how long a seat will probably stay empty."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdd.daemon.groups import (
    DropOutStep,
    EndForAll,
    GoOn,
    GroupRules,
    Loss,
    Member,
    Policy,
    Replace,
    Seek,
    drop_out,
    expected_s,
)
from crowdd.protocol.names import AgentId

ANN, BOB, CAT = (Member(AgentId(number)) for number in (1, 2, 3))
BOT = Member(AgentId(9), simulated=True)


def done(member: Member) -> Member:
    return attrs.evolve(member, submitted=True)


def after_loss(
    policy: Policy,
    *remaining: Member,
    otherwise: Policy = Policy.END,
    size_min: int = 2,
    now: float = 100.0,
    partner: bool = False,
    can_be_taken: bool = True,
) -> DropOutStep:
    rules = GroupRules(size_min, 3, policy=policy, replace_s=300, otherwise=otherwise)
    return drop_out(rules, remaining, Loss(100.0, can_be_taken), now, partner)


@pytest.mark.parametrize(
    ("policy", "remaining", "expected"),
    [
        (Policy.END, [ANN, BOB], EndForAll()),
        (Policy.GO_ON, [ANN, BOB], GoOn()),
        (Policy.GO_ON, [ANN], EndForAll()),
        (Policy.GO_ON, [ANN, done(BOB)], GoOn()),
        (Policy.REPLACE, [ANN], Seek(400.0)),
        (Policy.SIMULATED, [ANN], EndForAll()),
    ],
)
def test_each_policy_says_what_becomes_of_the_others(
    policy: Policy, remaining: list[Member], expected: DropOutStep
) -> None:
    assert after_loss(policy, *remaining) == expected


def test_a_lone_worker_goes_on_where_one_is_enough() -> None:
    assert after_loss(Policy.GO_ON, ANN, size_min=1) == GoOn()


def test_a_simulated_partner_takes_the_seat_where_there_is_one() -> None:
    assert after_loss(Policy.SIMULATED, ANN, partner=True) == Replace()


def test_nobody_is_sought_for_ever() -> None:
    assert after_loss(Policy.REPLACE, ANN, BOB, now=399) == Seek(400.0)
    assert after_loss(Policy.REPLACE, ANN, BOB, now=400) == EndForAll()
    assert after_loss(Policy.REPLACE, ANN, BOB, now=400, otherwise=Policy.GO_ON) == GoOn()


def test_nobody_is_sought_for_a_seat_that_nobody_can_take() -> None:
    assert after_loss(Policy.REPLACE, ANN, BOB, can_be_taken=False) == EndForAll()


def test_where_too_few_would_go_on_after_a_search_in_vain_it_ends() -> None:
    assert after_loss(Policy.REPLACE, ANN, now=400, otherwise=Policy.GO_ON) == EndForAll()


@pytest.mark.parametrize("policy", Policy)
def test_nobody_new_is_brought_into_a_group_in_which_no_worker_is_left(policy: Policy) -> None:
    assert after_loss(policy, partner=True) == EndForAll()
    assert after_loss(policy, BOT, partner=True) == EndForAll()
    assert after_loss(policy, done(ANN), BOT, partner=True) == EndForAll()
    assert after_loss(policy, done(ANN), done(BOB), partner=True) == GoOn()


members = st.lists(
    st.builds(Member, st.integers(1, 99).map(AgentId), simulated=st.booleans(), submitted=st.booleans()),
    max_size=4,
)


@given(
    members,
    st.sampled_from(Policy),
    st.sampled_from(Policy),
    st.integers(1, 4),
    st.floats(0, 1000),
    st.booleans(),
    st.booleans(),
)
def test_whatever_happens_there_is_an_answer_and_a_search_has_an_end_that_lies_ahead(
    remaining: list[Member],
    policy: Policy,
    otherwise: Policy,
    size_min: int,
    late_s: float,
    partner: bool,
    can_be_taken: bool,
) -> None:
    step = after_loss(
        policy,
        *remaining,
        otherwise=otherwise,
        size_min=size_min,
        now=100 + late_s,
        partner=partner,
        can_be_taken=can_be_taken,
    )
    at_work = [member for member in remaining if not (member.simulated or member.submitted)]
    match step:
        case Seek(until):
            assert can_be_taken
            assert at_work
            assert 100 + late_s < until <= 400
        case Replace():
            assert partner
            assert at_work
        case GoOn():
            assert len(remaining) >= size_min or not at_work
        case EndForAll():
            pass


# --- the estimate


def test_nothing_is_told_while_too_few_have_come() -> None:
    assert expected_s([], 1, 10) is None
    assert expected_s([1, 2], 1, 10) is None


def test_workers_who_come_every_minute_fill_two_seats_in_two_minutes() -> None:
    assert expected_s([0, 60, 120, 180], 2, 200) == 120


def test_a_pause_in_the_night_does_not_decide() -> None:
    assert expected_s([0, 60, 30_000, 30_060, 30_120], 1, 30_130) == 60


def test_who_waits_for_longer_than_usual_is_not_told_soon_for_ever() -> None:
    assert expected_s([0, 60, 120], 1, 1020) == 900


def test_a_full_group_waits_for_nobody() -> None:
    assert expected_s([], 0, 10) == 0


@given(st.lists(st.floats(0, 1e6), max_size=60).map(sorted), st.integers(0, 9), st.floats(0, 2e6))
def test_an_estimate_is_nothing_or_a_time_that_is_not_negative(
    arrivals: list[float], missing: int, now: float
) -> None:
    told = expected_s(arrivals, missing, now)
    assert told is None or told >= 0
