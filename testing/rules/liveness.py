"""Rule (f): every request is answered in bounded time, and at rest every unit is free, taken or done."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from ...protocol.names import LIVE_AGENT, AgentStatus, UnitStatus
from ...storage.records import Agent, Unit
from ..history import GAVE_UP, Invoke, Ok, Refused, Unknown
from .case import Call, Case, Rule, Violation

_KEEPS_ITS_UNIT = LIVE_AGENT | {AgentStatus.DISCONNECT, AgentStatus.PARTNER_DISCONNECT}
"""Who is at work, may come back to it, or has still to hand in what was done together."""


def check_calls_answered(case: Case) -> Iterator[Violation]:
    """Every single call got some answer, or lost its connection, in bounded time."""
    for call in case.calls:
        answered_at = call.answer.at if call.answer else case.ends_at
        if answered_at - call.invoke.at > case.hold_s:
            text = f"{call.invoke.call} hung for {answered_at - call.invoke.at:.1f} s"
            yield Violation(Rule.LIVENESS, call.invoke.client, text)


def check_requests_settled(case: Case) -> Iterator[Violation]:
    """What a client kept asking for was settled, yes or no, soon after it asked or things were healed."""
    requests: defaultdict[object, list[Call]] = defaultdict(list)
    for call in case.calls:
        requests[_request(call.invoke)].append(call)
    for calls in requests.values():
        latest = max(calls[0].invoke.at, case.healed_at) + case.answer_s
        settled_at = min((_definite_at(call) for call in calls), default=float("inf"))
        if min(settled_at, case.ends_at) > latest and not _gave_up(calls):
            first = calls[0].invoke
            text = f"{first.operation.value} of {first.call}: no definite answer in {case.answer_s} s"
            yield Violation(Rule.LIVENESS, first.client, text)


def check_units_at_rest(case: Case) -> Iterator[Violation]:
    """No unit is missing, taken by nobody, or done without an answer; no live agent is without its unit."""
    agents = {agent.id: agent for agent in case.facts.agents}
    for unit in case.facts.units:
        if text := _unit_fault(case, unit, agents.get(unit.agent_id) if unit.agent_id else None):
            yield Violation(Rule.LIVENESS, f"unit {unit.id}", text)
    units = {unit.id: unit for unit in case.facts.units}
    for agent in case.facts.agents:
        if text := _agent_fault(agent, units.get(agent.unit_id)):
            yield Violation(Rule.LIVENESS, f"agent {agent.id}", text)
    yield from _check_units_complete(case)


def _request(invoke: Invoke) -> object:
    return (invoke.client, invoke.operation, invoke.link, invoke.after, invoke.agent, invoke.digest)


def _definite_at(call: Call) -> float:
    return call.answer.at if isinstance(call.answer, Ok | Refused) else float("inf")


def _gave_up(calls: list[Call]) -> bool:
    last = calls[-1].answer
    return isinstance(last, Unknown) and last.why == GAVE_UP


def _unit_fault(case: Case, unit: Unit, agent: Agent | None) -> str | None:
    free = (UnitStatus.CREATED, UnitStatus.LAUNCHED, UnitStatus.EXPIRED)
    if unit.status in free:
        return None if unit.agent_id is None else f"is {unit.status.value} and names an agent"
    if agent is None or agent.unit_id != unit.id:
        return f"is {unit.status.value} by nobody"
    if unit.status is UnitStatus.ASSIGNED:
        kept = agent.status in _KEEPS_ITS_UNIT
        return None if kept else f"is assigned to agent {agent.id}, who is {agent.status.value}"
    if unit.unit_index >= 0 and case.keys[agent.id] not in case.submissions:
        return f"is {unit.status.value} without an answer"
    return None


def _agent_fault(agent: Agent, unit: Unit | None) -> str | None:
    if agent.status in LIVE_AGENT or agent.status is AgentStatus.COMPLETED:
        expected = UnitStatus.ASSIGNED if agent.status in LIVE_AGENT else UnitStatus.COMPLETED
        if unit is None or unit.agent_id != agent.id or unit.status is not expected:
            return f"is {agent.status.value} and does not have its unit"
    return None


def _check_units_complete(case: Case) -> Iterator[Violation]:
    there = Counter(unit.assignment_id for unit in case.facts.units if unit.unit_index >= 0)
    for assignment in case.facts.assignments:
        if there[assignment.id] != len(assignment.unit_data):
            text = f"has {there[assignment.id]} units of {len(assignment.unit_data)}"
            yield Violation(Rule.LIVENESS, f"assignment {assignment.id}", text)
