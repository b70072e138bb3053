"""How a worker gets a unit, in memory: the facts, the candidates, and the reservation itself."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice

import attrs

from ...protocol.names import AgentId, AssignmentId, QueueOrder, RunId, UnitId, UnitStatus, WorkerId
from .. import admission_rules, rules
from ..admission import Candidate, NewSpecial, WorkerFacts
from ..contract import Arrival, Arrived, NotReserved, Registration, Reserved
from ..errors import Duplicate
from ..hand import Hand
from ..records import GOLD_UNIT_INDEX, SCREENING_UNIT_INDEX, Agent, Assignment, TaskRun, Unit
from ..rows import fresh
from .body import MemoryBody, note
from .decisions import record_decision
from .people import change_grants, register_worker
from .runs import move_unit, next_position
from .tables import Tables


class MemoryReserving(MemoryBody):
    """What `Storage` says about giving units to workers."""

    async def reserve(self, registration: Registration, now: datetime) -> Reserved | NotReserved:
        async with self._write() as tables:
            return _reserve(tables, registration, now)

    async def arrive(self, arrival: Arrival, now: datetime) -> Arrived:
        async with self._write() as tables:
            worker, is_new = register_worker(
                tables, arrival.provider, arrival.name, arrival.provider_data, now
            )
            if not is_new:
                return Arrived(worker, None)
            _check_fresh(tables, arrival)
            facts = worker_facts(tables, arrival.run_id, worker.id)
            chosen = None if arrival.choose is None else arrival.choose(facts)
            return Arrived(worker, facts, None if chosen is None else _reserve(tables, chosen, now))

    async def worker_facts(self, run_id: RunId, worker_id: WorkerId) -> WorkerFacts:
        return worker_facts(await self._read(), run_id, worker_id)

    async def candidates(
        self, run_id: RunId, worker_id: WorkerId, after: Candidate | None = None, limit: int = 64
    ) -> list[Candidate]:
        tables = await self._read()
        units = _free(tables, _run(tables, run_id), worker_id, after)
        return [
            Candidate(unit, fresh(_assignment(tables, unit.assignment_id)))
            for unit in islice(units, max(limit, 0))
        ]

    async def special_digests(self, run_id: RunId, worker_id: WorkerId, unit_index: int) -> frozenset[str]:
        tables = await self._read()
        return frozenset(
            _assignment(tables, agent.assignment_id).digest
            for agent in tables.agents.having("worker", worker_id)
            if agent.run_id == run_id and _unit(tables, agent.unit_id).unit_index == unit_index
        )

    async def special_count(self, run_id: RunId, unit_index: int) -> int:
        kind = admission_rules.unit_kind(unit_index)
        return (await self._read()).counts.units[run_id, kind].total()


def _check_fresh(tables: Tables, arrival: Arrival) -> None:
    """Duplicate for a link that led somebody to an agent of the run."""
    place = arrival.run_id, arrival.fresh_link
    led = tables.agents.having("link", place) or tables.onboarding_agents.having("link", place)
    admission_rules.check_fresh_link(bool(led))


def worker_facts(tables: Tables, run_id: RunId, worker_id: WorkerId) -> WorkerFacts:
    """All facts of a worker about a run."""
    run = _run(tables, run_id)
    worker = rules.found(tables.workers.get(worker_id), "worker", worker_id)
    holding, task_units = _units_of_worker(tables, run, worker_id)
    onboarding = tables.onboarding_agents.having("worker", (run_id, worker_id))
    newest = max(onboarding, key=lambda agent: agent.id, default=None)
    return WorkerFacts(
        worker=fresh(worker),
        state=run.state,
        paused=run.paused,
        grants=grants_by_name(tables, worker_id),
        holding=holding,
        task_units=task_units,
        onboarding=None if newest is None else fresh(newest),
        screening_units=_special_units(tables, run_id, SCREENING_UNIT_INDEX),
        gold_units=_special_units(tables, run_id, GOLD_UNIT_INDEX),
        free_units=_free_units(tables, run_id),
    )


def grants_by_name(tables: Tables, worker_id: WorkerId) -> dict[str, int]:
    """The worker's values, by name of the qualification."""
    return {
        rules.found(tables.qualifications.get(grant.qualification_id), "qualification", "").name: grant.value
        for grant in tables.grants.having("worker", worker_id)
    }


def _reserve(tables: Tables, registration: Registration, now: datetime) -> Reserved | NotReserved:
    rules.check_registration(registration)
    admission_rules.check_choice(registration)
    at = rules.moment(now)
    run = _run(tables, registration.run_id)
    worker = rules.found(tables.workers.get(registration.worker_id), "worker", registration.worker_id)
    for agent in tables.agents.having("link", (run.id, registration.link)):
        if agent.after == registration.after:
            rules.check_same_worker(agent, registration)
            return _reserved(tables, agent, existing=True)
    refusal = (
        rules.closed_to(worker.blocked, run.state, run.paused)
        or admission_rules.grants_changed(registration.expect, grants_by_name(tables, worker.id))
        or rules.over_limit(registration, *_units_of_worker(tables, run, worker.id))
    )
    if refusal:
        return refusal
    unit = _choose(tables, registration, run, at)
    return unit if isinstance(unit, NotReserved) else _take(tables, registration, run, unit, at)


def _units_of_worker(tables: Tables, run: TaskRun, worker_id: WorkerId) -> tuple[int, int]:
    """How many units of the run they hold, and how many of the task they hold or have done."""
    units = tables.units.having("worker", worker_id)
    held = sum(unit.run_id == run.id and unit.status is UnitStatus.ASSIGNED for unit in units)
    counted = sum(
        unit.status in rules.HELD_OR_DONE
        and unit.unit_index >= 0
        and _run(tables, unit.run_id).task_id == run.task_id
        for unit in units
    )
    return held, counted


def _choose(tables: Tables, registration: Registration, run: TaskRun, at: datetime) -> Unit | NotReserved:
    """The unit to take; one that is made for the worker is staged then."""
    worker_id = registration.worker_id
    if registration.special is not None:
        return _make_special(tables, registration, registration.special, at)
    if registration.candidates is not None:
        candidates = (tables.units.get(unit_id) for unit_id in registration.candidates)
        for unit in candidates:
            free = unit is not None and unit.run_id == run.id and unit.status is UnitStatus.LAUNCHED
            if unit is not None and free and not _has_worked(tables, worker_id, unit):
                return unit
        return admission_rules.candidates_gone(_free_units(tables, run.id))
    unit = next(_free(tables, run, worker_id, None), None)
    return unit if unit is not None else rules.none_left(_free_units(tables, run.id))


def _free(tables: Tables, run: TaskRun, worker_id: WorkerId, after: Candidate | None) -> Iterator[Unit]:
    if after is not None:
        place = (after.unit.rank, after.unit.position)
    else:
        cursor = tables.cursors.get((worker_id, run.id)) or 0
        place = (0, cursor) if run.queue is QueueOrder.FIFO else (-rules.VALUE_MAX, 0)
    for unit_id in tables.free.behind(run.id, place):
        unit = _unit(tables, unit_id)
        if not _has_worked(tables, worker_id, unit):
            yield unit


def _has_worked(tables: Tables, worker_id: WorkerId, unit: Unit) -> bool:
    return (worker_id, unit.assignment_id) in tables.worked


def _make_special(
    tables: Tables, registration: Registration, special: NewSpecial, at: datetime
) -> Unit | NotReserved:
    run_id = registration.run_id
    refusal = admission_rules.over_cap(special, _special_units(tables, run_id, special.unit_index))
    if refusal is not None:
        return refusal
    assignment = admission_rules.special_assignment(registration, special)
    assignment = attrs.evolve(assignment, id=AssignmentId(tables.assignments.next_id()))
    tables.assignments.put(assignment.id, assignment)
    unit = admission_rules.special_unit(assignment, special, next_position(tables, run_id))
    unit = attrs.evolve(unit, id=UnitId(tables.units.next_id()))
    made = attrs.evolve(unit, status=UnitStatus.CREATED)
    hand = Hand("daemon", admission_rules.SPECIAL_WHY, at)
    note(tables, hand.unit(None, made), hand.unit(made, unit))
    return tables.units.put(unit.id, unit)


def _take(tables: Tables, registration: Registration, run: TaskRun, unit: Unit, at: datetime) -> Reserved:
    if tables.agents.the("wire_id", registration.wire_id):
        raise Duplicate("there is an agent with this wire id")
    agent = rules.new_agent(registration, unit, at)
    agent = attrs.evolve(agent, id=AgentId(tables.agents.next_id()))
    hand = Hand("worker", f"took unit {unit.id}", at)
    tables.agents.put(agent.id, agent)
    move_unit(tables, unit, rules.taken_unit(unit, agent), hand)
    note(tables, *hand.path(agent, registration.path))
    tables.worked.put((agent.worker_id, unit.assignment_id), True)
    if rules.moves_cursor(registration, run.queue):
        tables.cursors.put((agent.worker_id, agent.run_id), unit.position)
    change_grants(tables, registration.worker_id, registration.grants, at)
    if registration.decision is not None:
        record_decision(tables, admission_rules.decision_about(registration.decision, agent), at)
    return _reserved(tables, agent, existing=False)


def _reserved(tables: Tables, agent: Agent, existing: bool) -> Reserved:
    assignment = _assignment(tables, agent.assignment_id)
    return Reserved(fresh(agent), _unit(tables, agent.unit_id), fresh(assignment), existing)


def _special_units(tables: Tables, run_id: RunId, unit_index: int) -> int:
    counts = tables.counts.units[run_id, admission_rules.unit_kind(unit_index)]
    return counts.total() - counts[UnitStatus.EXPIRED]


def _free_units(tables: Tables, run_id: RunId) -> int:
    return tables.counts.units[run_id, "unit"][UnitStatus.LAUNCHED]


def _assignment(tables: Tables, assignment_id: AssignmentId) -> Assignment:
    return rules.found(tables.assignments.get(assignment_id), "assignment", assignment_id)


def _unit(tables: Tables, unit_id: UnitId) -> Unit:
    return rules.found(tables.units.get(unit_id), "unit", unit_id)


def _run(tables: Tables, run_id: RunId) -> TaskRun:
    return rules.found(tables.runs.get(run_id), "run", run_id)
