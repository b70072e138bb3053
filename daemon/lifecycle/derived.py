"""What statuses mean to others: the refusal a page reads, the status of an assignment. Pure."""

from collections.abc import Sequence

from ...protocol.names import AgentStatus, AssignmentStatus, Reason, UnitStatus
from ...storage.records import Agent, Unit
from .steps import holds


def refusal_of_ended(agent: Agent, unit: Unit) -> Reason:
    """What a page is told that wants to go on with an agent that has ended.

    "Pausing, come back" only while there is something to come back to.
    """
    if agent.reason == Reason.SHUTDOWN.value and not holds(agent, unit):
        return Reason.TASK_MISSING
    if agent.reason is not None and agent.reason in Reason._value2member_map_:
        return Reason(agent.reason)
    match agent.status:
        case AgentStatus.COMPLETED | AgentStatus.APPROVED | AgentStatus.SOFT_REJECTED | AgentStatus.REJECTED:
            return Reason.ALREADY_SUBMITTED
        case AgentStatus.TIMEOUT:
            return Reason.TIME_OVER
        case AgentStatus.RETURNED:
            return Reason.RETURNED
        case AgentStatus.EXPIRED:
            return Reason.EXPIRED
        case _:
            return Reason.TASK_MISSING


def assignment_status(units: Sequence[UnitStatus]) -> AssignmentStatus:
    """The status of an assignment, derived from its units."""
    if not units:
        return AssignmentStatus.CREATED
    if len(set(units)) == 1:
        return AssignmentStatus(units[0].value)
    for status in (UnitStatus.CREATED, UnitStatus.LAUNCHED, UnitStatus.ASSIGNED):
        if status in units:
            return AssignmentStatus(status.value)
    if set(units) <= {UnitStatus.ACCEPTED, UnitStatus.REJECTED}:
        return AssignmentStatus.MIXED
    return AssignmentStatus.COMPLETED
