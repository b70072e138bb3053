"""What becomes of workers who are being onboarded: their own table, and what follows from an event. Pure.

Onboarding agents hold no unit. What a page is shown of the verdict is `waiting`: the answer to what it
submitted says the rest.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, assert_never

import attrs

from ...protocol.names import LIVE_AGENT, AgentStatus, Reason
from ...storage.records import OnboardingAgent
from ...storage.writes import MoveOnboarding
from .events import Dismissed, GaveBack, ShutDown, TaskFailed, TimeOver, WentAway
from .steps import IllegalEvent


@attrs.frozen
class Answered:
    """The onboarding is to be judged: the worker submitted it, or the code that accompanied it has ended."""

    data: Any
    who: str = "worker"


@attrs.frozen
class Passed:
    """What the worker submitted was found good."""


@attrs.frozen
class Failed:
    """What the worker submitted was not good enough."""


@attrs.frozen
class Resumed:
    """The worker is back after a shutdown."""

    due_at: datetime | None = None


@attrs.frozen
class TimeGiven:
    """The worker has more time: no router could be reached for a while."""

    due_at: datetime


@attrs.frozen
class RunOver:
    """The run has ended: nobody needs to be onboarded any more."""


OnboardingEvent = (
    RunOver
    | Answered
    | Passed
    | Failed
    | Resumed
    | TimeGiven
    | TimeOver
    | WentAway
    | TaskFailed
    | ShutDown
    | Dismissed
    | GaveBack
)

_LEAVES: dict[type[OnboardingEvent], AgentStatus] = {
    ShutDown: AgentStatus.DISCONNECT,
    Dismissed: AgentStatus.DISCONNECT,
    RunOver: AgentStatus.DISCONNECT,
    TaskFailed: AgentStatus.DISCONNECT,
}

ONBOARDING_NEXT: Mapping[AgentStatus, Mapping[type[OnboardingEvent], AgentStatus]] = {
    AgentStatus.ONBOARDING: {
        Answered: AgentStatus.WAITING,
        TimeGiven: AgentStatus.ONBOARDING,
        TimeOver: AgentStatus.TIMEOUT,
        GaveBack: AgentStatus.RETURNED,
        WentAway: AgentStatus.DISCONNECT,
        **_LEAVES,
    },
    # Nothing is asked of the worker any more: only the verdict ends it, or task code that broke.
    AgentStatus.WAITING: {Passed: AgentStatus.APPROVED, Failed: AgentStatus.REJECTED, **_LEAVES},
    # After a shutdown. Who had submitted waits again: see `next_onboarding_status`.
    AgentStatus.DISCONNECT: {Resumed: AgentStatus.ONBOARDING},
    AgentStatus.TIMEOUT: {},
    AgentStatus.RETURNED: {},
    AgentStatus.APPROVED: {},
    AgentStatus.REJECTED: {},
}

_HIDDEN = frozenset({AgentStatus.APPROVED, AgentStatus.REJECTED})


def next_onboarding_status(agent: OnboardingAgent, event: OnboardingEvent) -> AgentStatus:
    """Where the table leads; IllegalEvent when it leads nowhere."""
    after = ONBOARDING_NEXT.get(agent.status, {}).get(type(event))
    if after is None:
        raise IllegalEvent(f"{type(event).__name__} while {agent.status.value} in onboarding")
    return AgentStatus.WAITING if isinstance(event, Resumed) and agent.data is not None else after


def step_onboarding(agent: OnboardingAgent, event: OnboardingEvent) -> MoveOnboarding:
    """The move that `event` means. IllegalEvent."""
    after = next_onboarding_status(agent, event)
    who, why, reason = _told(event)
    return MoveOnboarding(
        agent.id,
        agent.status,
        after,
        who,
        why,
        reason=None if reason is None else reason.value,
        data=event.data if isinstance(event, Answered) else None,
        due_at=_due(event),
    )


def may_resume(agent: OnboardingAgent, now: datetime) -> bool:
    """A shutdown interrupted the onboarding, and the worker is back in time."""
    interrupted = agent.status is AgentStatus.DISCONNECT and agent.reason == Reason.SHUTDOWN.value
    return interrupted and (agent.due_at is None or now < agent.due_at)


def shown_status(agent: OnboardingAgent) -> AgentStatus:
    """What the agent's page is told of its status."""
    return AgentStatus.WAITING if agent.status in _HIDDEN else agent.status


def refusal_of_onboarding(agent: OnboardingAgent, now: datetime) -> Reason | None:
    """What a page is told that wants to go on with an onboarding that is over; None: it is not over."""
    match agent.status:
        case status if status in LIVE_AGENT or status is AgentStatus.APPROVED:
            return None
        case AgentStatus.REJECTED:
            return Reason.NOT_QUALIFIED
        case AgentStatus.DISCONNECT if agent.reason == Reason.SHUTDOWN.value:
            return Reason.SHUTDOWN if may_resume(agent, now) else Reason.TASK_MISSING
        case _:
            known = agent.reason in Reason._value2member_map_
            return Reason(agent.reason) if known else Reason.TASK_MISSING


def _due(event: OnboardingEvent) -> datetime | None:
    match event:
        case Resumed() | TimeGiven():
            return event.due_at
        case ShutDown():
            return event.rejoin_until
        case _:
            return None


def _told(event: OnboardingEvent) -> tuple[str, str, Reason | None]:
    """Who, why, and the reason a page is told."""
    match event:
        case Answered(who="worker"):
            return "worker", "submitted the onboarding", None
        case Answered():
            return event.who, "its code has ended", None
        case Passed():
            return "daemon", "passed the onboarding", None
        case Failed():
            return "daemon", "failed the onboarding", Reason.NOT_QUALIFIED
        case Resumed():
            return "worker", "rejoined", None
        case TimeGiven():
            return "daemon", "no router was reached for a while", None
        case TimeOver():
            return "daemon", "time over", Reason.TIME_OVER
        case WentAway():
            return "daemon", "page gone for too long", Reason.TASK_MISSING
        case TaskFailed():
            return "daemon", "task code failed", Reason.TASK_ERROR
        case ShutDown():
            return "daemon", "the daemon stops", Reason.SHUTDOWN
        case Dismissed():
            return "staff", "run ended by staff", Reason.RUN_ENDED
        case RunOver():
            return "daemon", "the run has ended", Reason.RUN_ENDED
        case GaveBack():
            return event.who, "given back", Reason.RETURNED
    assert_never(event)
