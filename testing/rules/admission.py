"""Who was let in: nobody barred or not onboarded, caps kept, onboardings ended, everything recorded once.

Judges runs with a configuration: those of real daemons. Others are not touched.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from heapq import merge
from typing import Any

import attrs

from ...daemon.grouping import is_simulated
from ...protocol.names import LIVE_AGENT, UNFINISHED_RUN, AgentId, AgentStatus, UnitStatus, WorkerId
from ...storage.records import GOLD_UNIT_INDEX, SCREENING_UNIT_INDEX, HistoryEntry
from .case import Case, Rule, Violation

_KINDS = {"screening": SCREENING_UNIT_INDEX, "gold": GOLD_UNIT_INDEX}
_VERDICTS = {AgentStatus.APPROVED: "passed", AgentStatus.REJECTED: "failed"}


def check_admission(case: Case) -> Iterator[Violation]:
    """Walk the store's history with what was known of each worker at the time; then count."""
    if not case.facts.run.config:
        return
    known = _Known()
    yield from _check_let_in(case, known)
    yield from _check_caps(case)
    yield from _check_onboardings(case)
    yield from _check_recorded(case)
    if case.facts.run.state not in UNFINISHED_RUN:
        yield from _check_judged(case)
        yield from _check_counted(case, known)


@attrs.define
class _Known:
    """What is known of workers at one point of the store's history."""

    blocked: set[int] = attrs.Factory(set[int])
    values: dict[tuple[int, str], int] = attrs.Factory(dict[tuple[int, str], int])

    def learn(self, entry: HistoryEntry) -> None:
        if entry.kind == "worker":
            (self.blocked.add if entry.after == "blocked" else self.blocked.discard)(entry.subject_id)
        elif entry.after.endswith(" revoked"):
            self.values.pop((entry.subject_id, entry.after.removesuffix(" revoked")), None)
        else:
            name, _, value = entry.after.rpartition("=")
            self.values[entry.subject_id, name] = int(value)


def _check_let_in(case: Case, known: _Known) -> Iterator[Violation]:
    workers = {int(agent.id): agent.worker_id for agent in case.facts.agents}
    barring = _barring(case)
    for entry in merge(case.facts.history, case.facts.people, key=lambda entry: entry.id):
        if entry.kind in ("worker", "grant"):
            known.learn(entry)
        elif entry.kind == "agent" and entry.before is None and entry.subject_id in workers:
            for why in _bars(case, known, workers[entry.subject_id], barring):
                yield Violation(Rule.ADMISSION, f"agent {entry.subject_id}", f"was let in, {why}")


def _barring(case: Case) -> list[str]:
    """Qualifications that nobody has who is let in."""
    names: list[str | None] = [case.facts.run.config.get("block_qualification")]
    if gold := _section(case, "gold"):
        names.append(f"{gold['qualification_base']}-disqualified")
    return [name for name in names if name]


def _bars(case: Case, known: _Known, worker_id: WorkerId, barring: list[str]) -> Iterator[str]:
    if worker_id in known.blocked:
        yield "and its worker was blocked"
    for name in barring:
        if (worker_id, name) in known.values:
            yield f"and its worker had {name!r}"
    if onboarding := _section(case, "onboarding"):
        value = known.values.get((worker_id, onboarding["qualification"]))
        if not value:
            yield f"and its worker's onboarding was {value}"


def _check_caps(case: Case) -> Iterator[Violation]:
    units = {int(unit.id): unit for unit in case.facts.units if unit.unit_index < 0}
    caps = {
        index: section["max_units"] for kind, index in _KINDS.items() if (section := _section(case, kind))
    }
    there = Counter[int]()
    for entry in case.facts.history:
        unit = units.get(entry.subject_id) if entry.kind == "unit" else None
        if unit is None:
            continue
        there[unit.unit_index] += (entry.before is None) - (entry.after == UnitStatus.EXPIRED.value)
        if there[unit.unit_index] > caps.get(unit.unit_index, 0):
            text = f"is number {there[unit.unit_index]} of {caps.get(unit.unit_index, 0)} that may be"
            yield Violation(Rule.ADMISSION, f"special unit {unit.id}", text)
        if entry.before == UnitStatus.ASSIGNED.value and entry.after == UnitStatus.LAUNCHED.value:
            yield Violation(Rule.ADMISSION, f"special unit {unit.id}", "went to the pool")
    for unit in units.values():
        if unit.status in (UnitStatus.CREATED, UnitStatus.LAUNCHED):
            yield Violation(Rule.ADMISSION, f"special unit {unit.id}", f"is {unit.status.value}, for nobody")


def _check_onboardings(case: Case) -> Iterator[Violation]:
    over = case.facts.run.state not in UNFINISHED_RUN
    for agent in case.facts.onboarding:
        path = [e for e in case.facts.history if e.kind == "onboarding" and e.subject_id == agent.id]
        for before, entry in zip([None, *(e.after for e in path)], path, strict=False):
            after = AgentStatus(entry.after)
            allowed = (
                {AgentStatus.ONBOARDING} if before is None else case.tables.onboarding[AgentStatus(before)]
            )
            if entry.before != before or after not in allowed:
                text = f"went from {entry.before} to {entry.after}"
                yield Violation(Rule.PATH, f"onboarding {agent.id}", text)
        if over and agent.status in LIVE_AGENT:
            text = f"is {agent.status.value} though the run has ended"
            yield Violation(Rule.LIVENESS, f"onboarding {agent.id}", text)
    yield from _check_one_onboarding_at_a_time(case)


def _check_one_onboarding_at_a_time(case: Case) -> Iterator[Violation]:
    workers = {int(agent.id): agent.worker_id for agent in case.facts.onboarding}
    live: defaultdict[WorkerId, set[int]] = defaultdict(set)
    for entry in case.facts.history:
        if entry.kind != "onboarding":
            continue
        mine = live[workers[entry.subject_id]]
        (mine.add if AgentStatus(entry.after) in LIVE_AGENT else mine.discard)(entry.subject_id)
        if len(mine) > 1:
            text = f"onboardings {sorted(mine)} went on at once"
            yield Violation(Rule.ADMISSION, f"worker {workers[entry.subject_id]}", text)


def _check_recorded(case: Case) -> Iterator[Violation]:
    """Whoever got something got it by one decision, which is kept; simulated partners come without any."""
    led = Counter(
        (one.kind, one.agent_id, one.onboarding_id)
        for one in case.facts.decisions
        if one.agent_id is not None or one.onboarding_id is not None
    )
    for agent in case.facts.agents:
        if led["admission", agent.id, None] != (0 if is_simulated(agent) else 1):
            text = f"was let in by {led['admission', agent.id, None]} decisions"
            yield Violation(Rule.ADMISSION, f"agent {agent.id}", text)
    for one in case.facts.onboarding:
        begun, judged = led["admission", None, one.id], led["onboarding", None, one.id]
        if (begun, judged) != (1, int(one.status in _VERDICTS)):
            text = f"is {one.status.value}, begun by {begun} decisions and judged by {judged}"
            yield Violation(Rule.ADMISSION, f"onboarding {one.id}", text)
    verdicts = {one.onboarding_id: one.outcome for one in case.facts.decisions if one.kind == "onboarding"}
    for one in case.facts.onboarding:
        if one.status in _VERDICTS and verdicts.get(one.id) not in (None, _VERDICTS[one.status]):
            text = f"is {one.status.value}, decided as {verdicts[one.id]}"
            yield Violation(Rule.ADMISSION, f"onboarding {one.id}", text)


def _check_judged(case: Case) -> Iterator[Violation]:
    """Every special unit that was answered was judged, and once."""
    judged = Counter(one.agent_id for one in case.facts.decisions if one.kind in _KINDS)
    for agent_id, index in _answered(case):
        if index < 0 and judged[agent_id] != 1:
            text = f"answered a special unit and was judged {judged[agent_id]} times"
            yield Violation(Rule.ADMISSION, f"agent {agent_id}", text)


def _check_counted(case: Case, known: _Known) -> Iterator[Violation]:
    """A worker's counters are what was judged: each answer counts once, whatever crashed meanwhile."""
    gold = _section(case, "gold")
    if not gold or not case.everyone:
        return
    base, counts = gold["qualification_base"], Counter[tuple[int, str]]()
    for one in case.facts.decisions:
        if one.kind == "gold" and one.worker_id is not None and one.outcome in ("right", "wrong"):
            kind = "correct" if one.outcome == "right" else "wrong"
            counts[one.worker_id, f"{base}-{kind}-golds"] += 1
    workers = {agent.id: agent.worker_id for agent in case.facts.agents}
    for agent_id, index in _answered(case):
        if index >= 0:
            counts[workers[agent_id], f"{base}-completed-count"] += 1
    kept = {key: value for key, value in known.values.items() if key[1].startswith(f"{base}-")}
    for key in counts.keys() | kept.keys():
        if counts[key] != kept.get(key, 0):
            text = f"{key[1]} is {kept.get(key, 0)}, and it happened {counts[key]} times"
            yield Violation(Rule.ADMISSION, f"worker {key[0]}", text)


def _answered(case: Case) -> Iterator[tuple[AgentId, int]]:
    """Who answered: the agent's number and its unit's index."""
    units = {unit.id: unit.unit_index for unit in case.facts.units}
    agents = {agent.id: units[agent.unit_id] for agent in case.facts.agents}
    for one in case.facts.submissions:
        yield one.agent_id, agents[one.agent_id]


def _section(case: Case, name: str) -> Mapping[str, Any] | None:
    found: Mapping[str, Any] | None = case.facts.run.config.get(name)
    return found
