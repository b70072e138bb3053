"""What follows from an event: the table says where it leads, this adds the consequences. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

import attrs

from ...protocol.names import LIVE_AGENT, AgentId, AgentStatus, Reason, UnitStatus
from ...storage.records import Agent, Unit
from ...storage.writes import MoveAgent, MoveUnit, TakeBack, Write
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
from .tables import AGENT_NEXT, UNIT_NEXT


class IllegalEvent(Exception):
    """This cannot happen in this state; nothing was decided."""


@attrs.frozen
class Save:
    """Commit these in one transaction, before anything else is done."""

    writes: Sequence[Write]


@attrs.frozen
class Tell:
    """Say the agent's new status to its page."""

    agent_id: AgentId
    status: AgentStatus
    reason: Reason | None


@attrs.frozen
class MarkDone:
    """Tell the provider that the agent's work is complete."""

    agent_id: AgentId


@attrs.frozen
class Refill:
    """A released unit ended or is free again: the launcher may have something to do."""


Command = Save | Tell | MarkDone | Refill


def step(agent: Agent, unit: Unit, event: AgentEvent, run_goes_on: bool) -> list[Command]:
    """Decide what `event` means for an agent and its unit.

    `run_goes_on`: units given back return to the pool; else they expire, as special units always do. Raises
    IllegalEvent.
    """
    after = next_status(agent.status, event)
    move = MoveAgent(
        agent.id,
        agent.status,
        after,
        _who(event),
        _why(event),
        _value(_reason(agent, event)),
        due_after(agent, event),
    )
    writes: list[Write] = [*_answer(event), move, *_unit_writes(agent, unit, event, run_goes_on)]
    commands: list[Command] = [Save(writes), Tell(agent.id, after, _reason(agent, event))]
    if len(writes) > 1 and after not in LIVE_AGENT:
        commands.append(Refill())
    if after is AgentStatus.COMPLETED:
        commands.append(MarkDone(agent.id))  # last: a provider that breaks at it holds up nothing else
    return commands


def next_status(status: AgentStatus, event: AgentEvent) -> AgentStatus:
    """Where the table leads; IllegalEvent when it leads nowhere."""
    try:
        return AGENT_NEXT[status][type(event)]
    except KeyError:
        raise IllegalEvent(f"{type(event).__name__} while {status.value}") from None


def holds(agent: Agent, unit: Unit) -> bool:
    """Whether the unit is still reserved for this agent, alive or not."""
    return unit.status is UnitStatus.ASSIGNED and unit.agent_id == agent.id


def may_rejoin(agent: Agent, unit: Unit) -> bool:
    """A shutdown disconnected the agent, and its unit was kept."""
    return (
        agent.status is AgentStatus.DISCONNECT
        and agent.reason == Reason.SHUTDOWN.value
        and holds(agent, unit)
    )


def may_take_back(agent: Agent, unit: Unit) -> bool:
    """The agent had ended, and its unit is still free: nobody else has it."""
    had_ended = SubmittedLate in AGENT_NEXT[agent.status]
    return had_ended and unit.status is UnitStatus.LAUNCHED and unit.agent_id is None


def release(agent: Agent, unit: Unit, run_goes_on: bool) -> list[Command]:
    """The worker did not come back after a shutdown: free the unit, leave the agent as it is."""
    return [Save([_freed(unit, agent.id, run_goes_on, "nobody came back in time")]), Refill()]


def not_needed(unit: Unit) -> list[Command]:
    """A group began, or goes on, without this free seat. IllegalEvent when somebody has it."""
    if unit.agent_id is not None:
        raise IllegalEvent(f"unit {unit.id} is held by agent {unit.agent_id}")
    if UnitStatus.EXPIRED not in UNIT_NEXT[unit.status]:
        raise IllegalEvent(f"unit {unit.id}: not needed while {unit.status.value}")
    return [Save([MoveUnit(unit.id, unit.status, UnitStatus.EXPIRED, "daemon", "not needed")]), Refill()]


def _unit_writes(agent: Agent, unit: Unit, event: AgentEvent, run_goes_on: bool) -> list[Write]:
    match event:
        case Submitted():
            return [_unit_move(unit, UnitStatus.COMPLETED, agent.id, "submitted")]
        case SubmittedLate() if holds(agent, unit):
            return [_unit_move(unit, UnitStatus.COMPLETED, agent.id, "submitted late")]
        case SubmittedLate() if may_take_back(agent, unit):
            taken = attrs.evolve(unit, status=UnitStatus.ASSIGNED, agent_id=agent.id)
            why = "taken back: its answer had been called submitted"
            return [
                TakeBack(unit.id, agent.id, "worker", why),
                _unit_move(taken, UnitStatus.COMPLETED, agent.id, "submitted late"),
            ]
        case SubmittedLate():
            raise IllegalEvent("a late answer to a unit that is not the agent's any more")
        case TimeOver() | WentAway() | GaveBack() | LinkRevoked() | TaskFailed() | SentAway():
            return [_freed(unit, agent.id, run_goes_on, _why(event))]
        case Dismissed() | SlotExpired():
            return [_freed(unit, agent.id, False, _why(event))]
        case Approved():
            return [_unit_move(unit, UnitStatus.ACCEPTED, agent.id, "approved", event.who)]
        case SoftRejected():
            return [_unit_move(unit, UnitStatus.SOFT_REJECTED, agent.id, "soft-rejected", event.who)]
        case Rejected():
            return [_unit_move(unit, UnitStatus.REJECTED, agent.id, "rejected", event.who)]
        case Accepted() | Waited() | Started() | Joined() | ShutDown() | PartnerLeft():
            return []
    assert_never(event)


def _unit_move(unit: Unit, after: UnitStatus, agent_id: AgentId, why: str, who: str = "worker") -> MoveUnit:
    if after not in UNIT_NEXT[unit.status]:
        raise IllegalEvent(f"unit {unit.id}: {after.value} while {unit.status.value}")
    return MoveUnit(unit.id, unit.status, after, who, why, held_by=agent_id)


def _freed(unit: Unit, agent_id: AgentId, run_goes_on: bool, why: str) -> MoveUnit:
    """Back to the pool; but a special unit was made for its worker alone, and nobody else is to get it."""
    returns = run_goes_on and unit.unit_index >= 0
    after = UnitStatus.LAUNCHED if returns else UnitStatus.EXPIRED
    move = _unit_move(unit, after, agent_id, why, "daemon")
    return attrs.evolve(move, release=True)


def _answer(event: AgentEvent) -> list[Write]:
    return [event.answer] if isinstance(event, Submitted | SubmittedLate) else []


def due_after(agent: Agent, event: AgentEvent) -> datetime | None:
    """Until when the agent has time once `event` has happened; None: no limit."""
    match event:
        case Accepted() | Joined():
            return event.due_at
        case ShutDown():
            return event.rejoin_until
        case Waited() | Started() | PartnerLeft():
            return agent.due_at
        case _:
            return None


_REASONS: dict[type[AgentEvent], Reason] = {
    TimeOver: Reason.TIME_OVER,
    WentAway: Reason.TASK_MISSING,
    ShutDown: Reason.SHUTDOWN,
    Dismissed: Reason.RUN_ENDED,
    GaveBack: Reason.RETURNED,
    LinkRevoked: Reason.IDENTITY_UNVERIFIED,
    SlotExpired: Reason.EXPIRED,
    TaskFailed: Reason.TASK_ERROR,
    PartnerLeft: Reason.PARTNER_LEFT,
    SentAway: Reason.NO_PARTNER,
}

_WHYS: dict[type[AgentEvent], str] = {
    Accepted: "rejoined",
    Waited: "waits for others",
    Started: "work began",
    Joined: "the group began",
    Submitted: "submitted",
    SubmittedLate: "submitted late",
    TimeOver: "time over",
    WentAway: "page gone for too long",
    ShutDown: "the daemon stops",
    Dismissed: "run ended by staff",
    GaveBack: "given back",
    LinkRevoked: "link revoked",
    SlotExpired: "slot expired at the provider",
    TaskFailed: "task code failed",
    PartnerLeft: "partner left",
    SentAway: "nobody came to work with",
    Approved: "approved",
    SoftRejected: "soft-rejected",
    Rejected: "rejected",
}


def _reason(agent: Agent, event: AgentEvent) -> Reason | None:
    if isinstance(event, WentAway) and agent.status is AgentStatus.WAITING:
        return Reason.NOT_THERE
    return _REASONS.get(type(event))


def _value(reason: Reason | None) -> str | None:
    return None if reason is None else reason.value


def _why(event: AgentEvent) -> str:
    return _WHYS[type(event)]


def _who(event: AgentEvent) -> str:
    match event:
        case Approved() | SoftRejected() | Rejected() | GaveBack() | LinkRevoked():
            return event.who
        case Submitted() | SubmittedLate() | Accepted():
            return "worker"
        case SlotExpired():
            return "provider"
        case Dismissed():
            return "staff"
        case _:
            return "daemon"
