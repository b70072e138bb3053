"""The words of the field as enums: statuses, packet types, reasons. Holds no rules about them."""

import enum
from typing import NewType

RunId = NewType("RunId", int)
UnitId = NewType("UnitId", int)
AgentId = NewType("AgentId", int)
WorkerId = NewType("WorkerId", int)
AssignmentId = NewType("AssignmentId", int)
WireId = NewType("WireId", str)
"""What a browser knows an agent by: a capability, never logged, never shown to another agent."""

ONBOARDING_PREFIX = "onboarding_"
MEPHISTO_TASK_VERSION = "2.0.4"


class AgentStatus(enum.Enum):
    """Where one worker's try at one unit stands. The strings are what pages of `mephisto-task` know."""

    NONE = "none"
    ACCEPTED = "accepted"
    ONBOARDING = "onboarding"
    WAITING = "waiting"
    IN_TASK = "in task"
    COMPLETED = "completed"
    DISCONNECT = "disconnect"
    TIMEOUT = "timeout"
    PARTNER_DISCONNECT = "partner disconnect"
    EXPIRED = "expired"
    RETURNED = "returned"
    APPROVED = "approved"
    SOFT_REJECTED = "soft_rejected"
    REJECTED = "rejected"


LIVE_AGENT = frozenset(
    {
        AgentStatus.NONE,
        AgentStatus.ACCEPTED,
        AgentStatus.ONBOARDING,
        AgentStatus.WAITING,
        AgentStatus.IN_TASK,
    }
)
"""The statuses in which an agent holds its unit and may still work."""

AT_WORK_AGENT = frozenset({AgentStatus.IN_TASK, AgentStatus.PARTNER_DISCONNECT})
"""The statuses in which a task's code accompanies an agent."""

SUBMITTED_AGENT = frozenset(
    {AgentStatus.COMPLETED, AgentStatus.APPROVED, AgentStatus.SOFT_REJECTED, AgentStatus.REJECTED}
)
"""The statuses of an agent whose answer is stored and counts."""

COMPLETE_AGENT = frozenset(set(AgentStatus) - LIVE_AGENT - {AgentStatus.PARTNER_DISCONNECT})


class UnitStatus(enum.Enum):
    """Where one worker's part of an assignment stands."""

    CREATED = "created"
    LAUNCHED = "launched"
    ASSIGNED = "assigned"
    COMPLETED = "completed"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    SOFT_REJECTED = "soft_rejected"
    EXPIRED = "expired"


class AssignmentStatus(enum.Enum):
    """Derived from the units of an assignment, never stored."""

    CREATED = "created"
    LAUNCHED = "launched"
    ASSIGNED = "assigned"
    COMPLETED = "completed"
    ACCEPTED = "accepted"
    MIXED = "mixed"
    REJECTED = "rejected"
    SOFT_REJECTED = "soft_rejected"
    EXPIRED = "expired"


INCOMPLETE_UNIT = frozenset({UnitStatus.CREATED, UnitStatus.LAUNCHED, UnitStatus.ASSIGNED})
COMPLETED_UNIT = frozenset(
    {UnitStatus.COMPLETED, UnitStatus.ACCEPTED, UnitStatus.REJECTED, UnitStatus.SOFT_REJECTED}
)
PAYABLE_UNIT = frozenset(
    {
        UnitStatus.LAUNCHED,
        UnitStatus.ASSIGNED,
        UnitStatus.COMPLETED,
        UnitStatus.ACCEPTED,
        UnitStatus.SOFT_REJECTED,
    }
)
FINAL_UNIT = frozenset({UnitStatus.ACCEPTED, UnitStatus.EXPIRED, UnitStatus.SOFT_REJECTED})
REVIEWED_UNIT = frozenset({UnitStatus.ACCEPTED, UnitStatus.REJECTED, UnitStatus.SOFT_REJECTED})


class RunState(enum.Enum):
    """Where a task run stands. Every state but the last three is taken up again at the next start."""

    LAUNCHING = "launching"
    RUNNING = "running"
    DRAINING = "draining"
    COMPLETED = "completed"
    STOPPED = "stopped"
    FAILED = "failed"


UNFINISHED_RUN = frozenset({RunState.LAUNCHING, RunState.RUNNING, RunState.DRAINING})


class QueueOrder(enum.Enum):
    """In which order the free units of a run are given."""

    FIFO = "fifo"
    """As they became free."""
    RANKED = "ranked"
    """By the rank they were made with, the lowest first; then as they became free."""
    LEAST_COVERED = "least_covered"
    """Those of the assignment that has the fewest units taken or done first."""
    GROUPED = "grouped"
    """Those of assignments that somebody is at first; then as they were released. For groups."""


class PieceKind(enum.Enum):
    """Of what live user code runs for once: a solo unit, the assignment of a group, an onboarding."""

    UNIT = "unit"
    ASSIGNMENT = "assignment"
    ONBOARDING = "onboarding"


class Reason(enum.Enum):
    """Why somebody was refused, or why an agent ended; each has its own sentence for workers."""

    NOT_QUALIFIED = "not_qualified"
    TOO_MANY_CONCURRENT = "too_many_concurrent"
    MAX_FOR_TASK = "max_for_task"
    NO_AVAILABLE_UNITS = "no_available_units"
    NO_MATCH = "no_match"
    TASK_MISSING = "task_missing"
    RUN_ENDED = "run_ended"
    BLOCKED = "blocked"
    IDENTITY_UNVERIFIED = "identity_unverified"
    TRY_LATER = "try_later"
    PAUSED = "paused"
    ALREADY_SUBMITTED = "already_submitted"
    TIME_OVER = "time_over"
    RETURNED = "returned"
    EXPIRED = "expired"
    SHUTDOWN = "shutdown"
    BAD_REQUEST = "bad_request"
    UNKNOWN_AGENT = "unknown_agent"
    TOO_LARGE = "too_large"
    FILE_TYPE = "file_type"
    TOO_MANY_REQUESTS = "too_many_requests"
    TASK_ERROR = "task_error"
    PARTNER_LEFT = "partner_left"
    NOT_NEEDED = "not_needed"
    NO_PARTNER = "no_partner"
    NOT_THERE = "not_there"


SENTENCES: dict[Reason, str] = {
    Reason.NOT_QUALIFIED: "You are not currently qualified to work on this task.",
    Reason.TOO_MANY_CONCURRENT: "You are working on as many units of this task as you may at once. "
    "Finish one first, then come back.",
    Reason.MAX_FOR_TASK: "You have done as many units of this task as one person may. Thank you!",
    Reason.NO_AVAILABLE_UNITS: "There is currently no available work, please try again later.",
    Reason.NO_MATCH: "There is nothing more for you to do here at the moment: what is left is for others.",
    Reason.TASK_MISSING: "You have already completed this task, or were away so long that it was given "
    "to somebody else.",
    Reason.RUN_ENDED: "This task has ended. Thank you for your interest.",
    Reason.BLOCKED: "You cannot work on tasks of this requester.",
    Reason.IDENTITY_UNVERIFIED: "This link is not valid (any more). Please ask for a new one.",
    Reason.TRY_LATER: "We cannot take you in at this moment. Please try again in a few seconds.",
    Reason.PAUSED: "This task is pausing: nobody new is let in at the moment. Please come back later.",
    Reason.ALREADY_SUBMITTED: "An answer for this unit was already saved; it was not changed.",
    Reason.TIME_OVER: "The time for this unit is over; it was given back.",
    Reason.RETURNED: "You gave this unit back.",
    Reason.EXPIRED: "This unit is no longer needed.",
    Reason.SHUTDOWN: "The service is pausing. Your work is kept; come back in a few minutes.",
    Reason.BAD_REQUEST: "The page sent something we could not read.",
    Reason.UNKNOWN_AGENT: "We do not know this work session.",
    Reason.TOO_LARGE: "This is larger than what can be accepted.",
    Reason.FILE_TYPE: "This task does not take files of this type.",
    Reason.TOO_MANY_REQUESTS: "Too many requests; please wait a moment.",
    Reason.TASK_ERROR: "Something went wrong in this task. It was reported; you did nothing wrong.",
    Reason.PARTNER_LEFT: "Your partner has left.",
    Reason.NOT_NEEDED: "This part is not needed any more.",
    Reason.NO_PARTNER: "Nobody else came in time to work with you. Thank you for waiting; "
    "please try again later.",
    Reason.NOT_THERE: "You were not there when others came to work with you, and your place was given away. "
    "You may come again.",
}
ONLY_WAITED = frozenset({Reason.NO_PARTNER, Reason.NOT_THERE})
"""Why an agent ended that never began: to its worker the assignment is as new as before."""

"""What a worker reads. A task may word them differently (`[texts]` in task.toml)."""


class PacketType(enum.Enum):
    """What may cross the router link; the first twelve are Mephisto's names."""

    ALIVE = "alive"
    REGISTER_AGENT = "register_agent"
    AGENT_DETAILS = "agent_details"
    SUBMIT_ONBOARDING = "submit_onboarding"
    SUBMIT_UNIT = "submit_unit"
    SUBMIT_METADATA = "submit_metadata"
    CLIENT_BOUND_LIVE_UPDATE = "client_bound_live_update"
    MEPHISTO_BOUND_LIVE_UPDATE = "mephisto_bound_live_update"
    UPDATE_STATUS = "update_status"
    REQUEST_STATUSES = "request_statuses"
    RETURN_STATUSES = "return_statuses"
    LOG_ERROR = "log_error"
    HELLO = "hello"
    ANSWER = "answer"
    ACK = "ack"
    PART = "part"
    SUSPEND = "suspend"
    RETURN_UNIT = "return_unit"
    ROLL_CALL = "roll_call"


class Outcome(enum.Enum):
    """The only answers there are: done, a refusal that retrying will not change, or not now."""

    OK = "ok"
    REFUSED = "refused"
    TRY_LATER = "try_later"


class PageState(enum.Enum):
    """What a worker's page shows; crowdd.js has the same words."""

    CONNECTING = "connecting"
    ONBOARDING = "onboarding"
    WAITING = "waiting"
    IN_TASK = "in task"
    COMPLETED = "completed"
    POST_TASK = "post-task"
    DISCONNECTED = "disconnected"
    FAILED_TO_CONNECT = "failed to connect"
