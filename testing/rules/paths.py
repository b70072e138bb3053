"""Rule (d): statuses move along the table, without gaps, to where the record is; pages were told true."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TypeVar

from ...protocol.names import AgentStatus, UnitStatus
from ...storage.records import HistoryEntry
from ..history import Told
from .case import Case, Rule, Violation

_Status = TypeVar("_Status", AgentStatus, UnitStatus)
_Table = Mapping[_Status, Collection[_Status]]

_FIRST_AGENT = frozenset({AgentStatus.NONE, AgentStatus.ACCEPTED, AgentStatus.IN_TASK})
_FIRST_UNIT = frozenset({UnitStatus.CREATED, UnitStatus.LAUNCHED})


def check_paths(case: Case) -> Iterator[Violation]:
    """Follow every agent and unit through the store's history, and compare with what pages were told."""
    agents, units = _paths(case, "agent"), _paths(case, "unit")
    for agent in case.facts.agents:
        path = agents.get(agent.id, [])
        for text in _faults(path, case.tables.agent, _FIRST_AGENT, agent.status):
            yield Violation(Rule.PATH, f"agent {agent.id}", text)
    for unit in case.facts.units:
        path = units.get(unit.id, [])
        for text in _faults(path, case.tables.unit, _FIRST_UNIT, unit.status):
            yield Violation(Rule.PATH, f"unit {unit.id}", text)
    yield from _check_told(case, {"agent": agents, "onboarding": _paths(case, "onboarding")})


def _paths(case: Case, kind: str) -> dict[int, list[HistoryEntry]]:
    paths: defaultdict[int, list[HistoryEntry]] = defaultdict(list)
    for entry in case.facts.history:
        if entry.kind == kind:
            paths[entry.subject_id].append(entry)
    return paths


def _faults(
    path: Sequence[HistoryEntry], table: _Table[_Status], first: Collection[_Status], now: _Status
) -> Iterator[str]:
    status: _Status | None = None
    for entry in path:
        before, after = status.value if status else None, type(now)(entry.after)
        if entry.before != before:
            yield f"went from {entry.before} to {entry.after} while it was {before}"
        elif after not in (first if status is None else table[status]):
            yield f"went from {before} to {entry.after}, which the table does not have"
        status = after
    if status is not now:
        yield f"is {now.value}; its history ends with {status.value if status else None}"


def _check_told(case: Case, paths: Mapping[str, Mapping[int, Sequence[HistoryEntry]]]) -> Iterator[Violation]:
    agents = {key: paths["agent"].get(agent.id, ()) for key, agent in case.agents.items()}
    agents |= {key: paths["onboarding"].get(agent.id, ()) for key, agent in case.onboarding.items()}
    for entry in case.entries:
        if not isinstance(entry, Told):
            continue
        been = {move.after for move in agents.get(entry.agent, ())}
        if entry.status.value not in been:
            text = f"its page was told {entry.status.value}, which it never was"
            yield Violation(Rule.ANSWER, entry.agent, text)
