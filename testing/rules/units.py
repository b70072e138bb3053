"""Rule (b): one agent at a time holds a unit, in the store and as browsers saw it; nothing is done twice."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import combinations

import attrs

from ...protocol.names import LIVE_AGENT, ONLY_WAITED, AgentId, UnitId, UnitStatus
from ...storage.records import Agent, HistoryEntry
from ..history import Invoke, Ok, Operation
from .case import Call, Case, Rule, Violation

_ONLY_WAITED = {reason.value for reason in ONLY_WAITED}
_LIVE = {status.value for status in LIVE_AGENT}
_FREE = {UnitStatus.CREATED.value, UnitStatus.LAUNCHED.value, UnitStatus.EXPIRED.value}


def check_units(case: Case) -> Iterator[Violation]:
    """Walk the store's history unit by unit, then compare with what pages were told when."""
    yield from _check_held_once(case)
    yield from _check_workers(case)
    yield from _check_seen(case)


@attrs.define
class _Unit:
    """What is known about a unit at one point of the store's history."""

    holder: AgentId | None = None
    live: set[AgentId] = attrs.Factory(set[AgentId])
    taken: bool = False
    completed: int = 0


def _check_held_once(case: Case) -> Iterator[Violation]:
    units: defaultdict[UnitId, _Unit] = defaultdict(_Unit)
    unit_of = {agent.id: agent.unit_id for agent in case.facts.agents}
    for entry in case.facts.history:
        if entry.kind == "agent" and (agent_id := AgentId(entry.subject_id)) in unit_of:
            for text in _agent_moved(units[unit_of[agent_id]], agent_id, entry):
                yield Violation(Rule.UNIT, f"unit {unit_of[agent_id]}", text)
        elif entry.kind == "unit":
            for text in _unit_moved(units[UnitId(entry.subject_id)], entry):
                yield Violation(Rule.UNIT, f"unit {entry.subject_id}", text)


def _agent_moved(unit: _Unit, agent_id: AgentId, entry: HistoryEntry) -> Iterator[str]:
    if entry.before is None:
        if unit.holder is not None:
            yield f"given to agent {agent_id} while agent {unit.holder} held it"
        unit.holder = agent_id
    if entry.after not in _LIVE:
        unit.live.discard(agent_id)
        return
    unit.live.add(agent_id)
    if len(unit.live) > 1:
        yield f"agents {sorted(unit.live)} were at work on it at once"


def _unit_moved(unit: _Unit, entry: HistoryEntry) -> Iterator[str]:
    if entry.after in _FREE:
        unit.holder, unit.taken = None, False
    elif entry.after == UnitStatus.ASSIGNED.value:
        if unit.taken:
            yield "assigned again without having been given back"
        unit.taken = True
    elif entry.after == UnitStatus.COMPLETED.value:
        unit.completed += 1
        if unit.completed > 1:
            yield f"completed {unit.completed} times"


def _check_workers(case: Case) -> Iterator[Violation]:
    worked = {
        (agent.worker_id, agent.assignment_id, agent.unit_id)
        for agent in case.facts.agents
        if agent.reason not in _ONLY_WAITED
    }
    units = Counter((worker, assignment) for worker, assignment, _ in worked)
    for (worker, assignment), count in units.items():
        if count > 1:
            text = f"worker {worker} was given {count} units of it"
            yield Violation(Rule.UNIT, f"assignment {assignment}", text)


# --- what browsers saw -------------------------------------------------------------------------------------


@attrs.frozen
class _Seen:
    """An agent held its unit at some moment of each `witness`, and all the time from `since` to `until`."""

    agent: Agent
    witnesses: list[tuple[float, float]]

    @property
    def since(self) -> float:
        return min(told for _, told in self.witnesses)

    @property
    def until(self) -> float:
        return max(asked for asked, _ in self.witnesses)

    def clashes(self, other: "_Seen") -> bool:
        """True when `other` held the same unit at a moment at which this one surely did."""
        inside = any(self.since <= asked and told <= self.until for asked, told in other.witnesses)
        return inside or max(self.since, other.since) < min(self.until, other.until)


def _check_seen(case: Case) -> Iterator[Violation]:
    by_unit: defaultdict[UnitId, list[_Seen]] = defaultdict(list)
    for seen in _seen(case):
        by_unit[seen.agent.unit_id].append(seen)
    for unit_id, holders in by_unit.items():
        for one, other in combinations(holders, 2):
            if one.clashes(other) or other.clashes(one):
                text = f"pages of agents {one.agent.id} and {other.agent.id} both had it at one time"
                yield Violation(Rule.UNIT, f"unit {unit_id}", text)


def _seen(case: Case) -> Iterator[_Seen]:
    witnesses: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for call in case.calls:
        if (key := _proves_held(call)) and call.answer is not None:
            witnesses[key].append((call.invoke.at, call.answer.at))
    for key, spans in witnesses.items():
        agent = case.agents.get(key)
        if agent is not None and agent.id not in case.unsteady:  # those held nothing in between
            yield _Seen(agent, spans)


def _proves_held(call: Call) -> str:
    """The key of the agent whose unit was its own when the call was answered, else ""."""
    match call:
        case Call(Invoke(operation=Operation.REGISTER), Ok(agent=key, finished=False)):
            return key
        case Call(Invoke(operation=Operation.SUBMIT, agent=key), Ok()):
            return key
        case _:
            return ""
