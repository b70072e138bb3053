"""The tables of the life cycles, which are the truth: what leads where. No code but the tables.

The domain's statuses are Mephisto's (the strings pages know); the moves between them are enforced here,
which Mephisto did not do.
"""

from collections.abc import Mapping

from ...protocol.names import AgentStatus, RunState, UnitStatus
from .events import (
    Accepted,
    AgentEvent,
    Approved,
    Dismissed,
    GaveBack,
    Joined,
    LinkRevoked,
    PartnerLeft,
    Rejected,
    SentAway,
    ShutDown,
    SlotExpired,
    SoftRejected,
    Started,
    Submitted,
    SubmittedLate,
    TaskFailed,
    TimeOver,
    Waited,
    WentAway,
)

_ENDS: dict[type[AgentEvent], AgentStatus] = {
    TimeOver: AgentStatus.TIMEOUT,
    WentAway: AgentStatus.DISCONNECT,
    ShutDown: AgentStatus.DISCONNECT,
    Dismissed: AgentStatus.DISCONNECT,
    GaveBack: AgentStatus.RETURNED,
    LinkRevoked: AgentStatus.RETURNED,
    SlotExpired: AgentStatus.EXPIRED,
    TaskFailed: AgentStatus.DISCONNECT,
}
_SUBMITS: dict[type[AgentEvent], AgentStatus] = {Submitted: AgentStatus.COMPLETED}

AGENT_NEXT: Mapping[AgentStatus, Mapping[type[AgentEvent], AgentStatus]] = {
    AgentStatus.NONE: {Accepted: AgentStatus.ACCEPTED, **_ENDS},
    AgentStatus.ACCEPTED: {Waited: AgentStatus.WAITING, Started: AgentStatus.IN_TASK, **_SUBMITS, **_ENDS},
    AgentStatus.ONBOARDING: {},  # onboarding agents have a table of their own: `onboarding.py`
    AgentStatus.WAITING: {
        Started: AgentStatus.IN_TASK,
        Joined: AgentStatus.IN_TASK,
        SentAway: AgentStatus.EXPIRED,
        **_ENDS,
    },
    AgentStatus.IN_TASK: {PartnerLeft: AgentStatus.PARTNER_DISCONNECT, **_SUBMITS, **_ENDS},
    AgentStatus.PARTNER_DISCONNECT: {**_SUBMITS, **_ENDS},
    AgentStatus.COMPLETED: {
        Approved: AgentStatus.APPROVED,
        SoftRejected: AgentStatus.SOFT_REJECTED,
        Rejected: AgentStatus.REJECTED,
    },
    # A worker whom a shutdown disconnected may rejoin; a late answer may still be taken.
    AgentStatus.DISCONNECT: {Accepted: AgentStatus.ACCEPTED, SubmittedLate: AgentStatus.COMPLETED},
    AgentStatus.TIMEOUT: {SubmittedLate: AgentStatus.COMPLETED},
    AgentStatus.EXPIRED: {},
    AgentStatus.RETURNED: {},
    AgentStatus.APPROVED: {},
    AgentStatus.SOFT_REJECTED: {},
    AgentStatus.REJECTED: {Approved: AgentStatus.APPROVED},
}

UNIT_NEXT: Mapping[UnitStatus, frozenset[UnitStatus]] = {
    UnitStatus.CREATED: frozenset({UnitStatus.LAUNCHED, UnitStatus.EXPIRED}),
    UnitStatus.LAUNCHED: frozenset({UnitStatus.ASSIGNED, UnitStatus.EXPIRED}),
    UnitStatus.ASSIGNED: frozenset({UnitStatus.COMPLETED, UnitStatus.LAUNCHED, UnitStatus.EXPIRED}),
    UnitStatus.COMPLETED: frozenset({UnitStatus.ACCEPTED, UnitStatus.REJECTED, UnitStatus.SOFT_REJECTED}),
    UnitStatus.ACCEPTED: frozenset(),
    UnitStatus.REJECTED: frozenset({UnitStatus.ACCEPTED}),
    UnitStatus.SOFT_REJECTED: frozenset(),
    UnitStatus.EXPIRED: frozenset(),
}

RUN_NEXT: Mapping[RunState, frozenset[RunState]] = {
    RunState.LAUNCHING: frozenset({RunState.RUNNING, RunState.STOPPED, RunState.FAILED}),
    RunState.RUNNING: frozenset({RunState.DRAINING, RunState.COMPLETED, RunState.STOPPED}),
    RunState.DRAINING: frozenset({RunState.STOPPED}),
    RunState.COMPLETED: frozenset(),
    RunState.STOPPED: frozenset(),
    RunState.FAILED: frozenset(),
}
