"""The table of onboarding agents: every status and event, and what pages are told of an end."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import attrs
import pytest

from crowdd.daemon.lifecycle import (
    Dismissed,
    GaveBack,
    IllegalEvent,
    ShutDown,
    TaskFailed,
    TimeOver,
    WentAway,
)
from crowdd.daemon.lifecycle.onboarding import (
    ONBOARDING_NEXT,
    Answered,
    Failed,
    OnboardingEvent,
    Passed,
    Resumed,
    RunOver,
    TimeGiven,
    may_resume,
    refusal_of_onboarding,
    shown_status,
    step_onboarding,
)
from crowdd.protocol.ids import new_wire_id
from crowdd.protocol.names import LIVE_AGENT, AgentId, AgentStatus, Reason, RunId, WorkerId
from crowdd.storage.records import OnboardingAgent

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
EVENTS: tuple[OnboardingEvent, ...] = (
    Answered({"a": 1}),
    Passed(),
    Failed(),
    Resumed(LATER),
    TimeGiven(LATER),
    TimeOver(),
    WentAway(),
    TaskFailed(),
    ShutDown(LATER),
    Dismissed(),
    GaveBack(),
    RunOver(),
)


def an_agent(status: AgentStatus, reason: Reason | None = None, **changes: object) -> OnboardingAgent:
    agent = OnboardingAgent(
        id=AgentId(1),
        wire_id=new_wire_id(b"k" * 32, b"r" * 16, onboarding=True),
        run_id=RunId(1),
        worker_id=WorkerId(1),
        status=status,
        version=1,
        reason=None if reason is None else reason.value,
        link="l",
        after="",
        data=None,
        due_at=LATER,
        provider_data={},
        created_at=NOW,
        ended_at=None,
    )
    return attrs.evolve(agent, **changes)  # type: ignore[arg-type]  # each test names fields of its own


def test_every_event_is_tried() -> None:
    assert {type(event) for event in EVENTS} == set(get_args(OnboardingEvent))


@pytest.mark.parametrize("status", list(AgentStatus))
@pytest.mark.parametrize("event", EVENTS)
def test_an_event_leads_where_the_table_says_or_nowhere(status: AgentStatus, event: OnboardingEvent) -> None:
    after = ONBOARDING_NEXT.get(status, {}).get(type(event))
    if after is None:
        with pytest.raises(IllegalEvent):
            step_onboarding(an_agent(status), event)
        return
    move = step_onboarding(an_agent(status), event)
    assert (move.before, move.after) == (status, after)
    assert move.who
    assert move.why
    assert (move.reason is None) == (after in LIVE_AGENT or after is AgentStatus.APPROVED)


def test_who_had_submitted_waits_again_after_a_shutdown() -> None:
    submitted = an_agent(AgentStatus.DISCONNECT, Reason.SHUTDOWN, data={"a": 1})
    assert step_onboarding(submitted, Resumed(LATER)).after is AgentStatus.WAITING


def test_a_shutdown_can_be_made_good_until_its_time_is_over() -> None:
    interrupted = an_agent(AgentStatus.DISCONNECT, Reason.SHUTDOWN)
    assert may_resume(interrupted, NOW)
    assert not may_resume(interrupted, LATER)
    assert not may_resume(an_agent(AgentStatus.DISCONNECT, Reason.RUN_ENDED), NOW)
    assert may_resume(attrs.evolve(interrupted, due_at=None), LATER)


def test_a_verdict_is_shown_as_waiting() -> None:
    shown = {status: shown_status(an_agent(status)) for status in ONBOARDING_NEXT}
    assert shown[AgentStatus.APPROVED] is shown[AgentStatus.REJECTED] is AgentStatus.WAITING
    assert all(shown[status] is status for status in shown if status.value not in ("approved", "rejected"))


@pytest.mark.parametrize(
    ("status", "reason", "told"),
    [
        (AgentStatus.ONBOARDING, None, None),
        (AgentStatus.APPROVED, None, None),
        (AgentStatus.REJECTED, Reason.NOT_QUALIFIED, Reason.NOT_QUALIFIED),
        (AgentStatus.TIMEOUT, Reason.TIME_OVER, Reason.TIME_OVER),
        (AgentStatus.RETURNED, Reason.RETURNED, Reason.RETURNED),
        (AgentStatus.DISCONNECT, Reason.SHUTDOWN, Reason.SHUTDOWN),
        (AgentStatus.DISCONNECT, Reason.RUN_ENDED, Reason.RUN_ENDED),
        (AgentStatus.DISCONNECT, Reason.TASK_ERROR, Reason.TASK_ERROR),
        (AgentStatus.DISCONNECT, None, Reason.TASK_MISSING),
    ],
)
def test_an_end_is_told_with_its_reason(
    status: AgentStatus, reason: Reason | None, told: Reason | None
) -> None:
    assert refusal_of_onboarding(an_agent(status, reason), NOW) is told


def test_who_comes_back_too_late_is_not_told_to_come_back() -> None:
    interrupted = an_agent(AgentStatus.DISCONNECT, Reason.SHUTDOWN)
    assert refusal_of_onboarding(interrupted, LATER) is Reason.TASK_MISSING
