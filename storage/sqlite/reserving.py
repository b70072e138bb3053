"""How a worker gets a unit, in SQLite: the facts, the candidates, and the reservation itself."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import attrs

from ...protocol.names import AgentId, QueueOrder, RunId, RunState, UnitStatus, WorkerId
from .. import admission_rules, rules
from ..admission import Candidate, NewSpecial, WorkerFacts
from ..contract import Arrival, Arrived, NotReserved, Registration, Reserved
from ..hand import Hand
from ..records import Assignment, OnboardingAgent, Unit, Worker
from ..sql import statements
from .ask import Db, count, do, first, first_beside, keep, note, one, pair, pairs, value
from .body import SqliteBody, the_agent, the_assignment, the_unit
from .decisions import record_first_decision
from .people import change_grants, register_worker
from .units import save_unit, take_positions

_FREE = ("unit", UnitStatus.LAUNCHED.value)
"""Under what the units are counted that anybody may get."""


class SqliteReserving(SqliteBody):
    """What `Storage` says about giving units to workers."""

    async def reserve(self, registration: Registration, now: datetime) -> Reserved | NotReserved:
        return await self._engine.write(_reserve, registration, now)

    async def arrive(self, arrival: Arrival, now: datetime) -> Arrived:
        return await self._engine.write(_arrive, arrival, now)

    async def worker_facts(self, run_id: RunId, worker_id: WorkerId) -> WorkerFacts:
        return await self._engine.read(_worker_facts, run_id, worker_id)

    async def candidates(
        self, run_id: RunId, worker_id: WorkerId, after: Candidate | None = None, limit: int = 64
    ) -> list[Candidate]:
        return await self._engine.read(_candidates, run_id, worker_id, after, limit)

    async def special_digests(self, run_id: RunId, worker_id: WorkerId, unit_index: int) -> frozenset[str]:
        return await self._engine.read(_special_digests, run_id, worker_id, unit_index)

    async def special_count(self, run_id: RunId, unit_index: int) -> int:
        kind = admission_rules.unit_kind(unit_index)
        made: int | None = await self._engine.read(
            value, statements.SPECIAL_UNITS_COUNT, run_id=run_id, kind=kind
        )
        return made or 0


@attrs.frozen
class _RunFacts:
    """What a reservation looks at of a run."""

    task_id: int
    state: RunState
    paused: bool
    queue: QueueOrder


@attrs.frozen
class _Place:
    """What a reservation looks at: the run, its worker, and who has the place already."""

    run: _RunFacts
    blocked: bool
    existing: AgentId | None
    held: int
    """How many units of the run the worker holds; not looked at where no limit is set for it."""
    counted: int
    """How many units of the task they hold or have done."""


def run_facts(db: Db, run_id: RunId) -> _RunFacts:
    """Of a run, or NotFound."""
    return _run_of(rules.found(first(db, statements.RUN_FOR_WORKER, run_id=run_id), "run", run_id))


def run_and_block(db: Db, run_id: RunId, worker_id: WorkerId) -> tuple[_RunFacts, bool]:
    """Of a run, and whether the worker is blocked; or NotFound."""
    row = first(db, statements.RUN_AND_WORKER, run_id=run_id, worker_id=worker_id)
    *run, blocked = rules.found(row, "run", run_id)
    return _run_of(run), bool(rules.found(blocked, "worker", worker_id))


def _run_of(row: Sequence[Any]) -> _RunFacts:
    return _RunFacts(row[0], RunState(row[1]), bool(row[2]), QueueOrder(row[3]))


def grants_by_name(db: Db, worker_id: WorkerId) -> dict[str, int]:
    """The worker's values, by name of the qualification."""
    return dict(db.execute(statements.GRANTS_BY_NAME, {"worker_id": worker_id}))


def _arrive(db: Db, arrival: Arrival, now: datetime) -> Arrived:
    worker, is_new = register_worker(db, arrival.provider, arrival.name, arrival.provider_data, now)
    if not is_new:
        return Arrived(worker, None)
    run, *units = _run_for_newcomer(db, arrival.run_id, arrival.fresh_link)
    facts = _facts_of_new(worker, run, *units)
    chosen = None if arrival.choose is None else arrival.choose(facts)
    if chosen is None:
        return Arrived(worker, facts)
    # Of who was just made nothing is held, and no agent: a place that another has is refused by its index.
    place = _Place(run, blocked=False, existing=None, held=0, counted=0)
    return Arrived(worker, facts, _reserve(db, chosen, now, place))


def _run_for_newcomer(db: Db, run_id: RunId, link: str | None) -> tuple[_RunFacts, int, int, int]:
    """As `_run_with_units`; Duplicate for a link that led somebody to an agent of the run."""
    row = first_beside(db, statements.RUN_FOR_NEWCOMER, run_id=run_id, link=link)
    *run, led_somewhere = rules.found(row, "run", run_id)
    admission_rules.check_fresh_link(bool(led_somewhere))
    return _with_units(run, db.held.counted(run_id))


def _run_with_units(db: Db, run_id: RunId) -> tuple[_RunFacts, int, int, int]:
    """Of a run, and how many of its units are for screening, gold, and free; or NotFound."""
    row = rules.found(first_beside(db, statements.RUN_WITH_UNITS, run_id=run_id), "run", run_id)
    return _with_units(row, db.held.counted(run_id))


def _with_units(
    row: Sequence[Any], unwritten: Mapping[tuple[str, str], int]
) -> tuple[_RunFacts, int, int, int]:
    """`unwritten`: by how much the counts differ from those that were read."""
    *run, screening, gold, free = row
    made = {"screening": screening or 0, "gold": gold or 0}
    for (kind, status), number in unwritten.items():
        if kind in made and status != UnitStatus.EXPIRED.value:
            made[kind] += number
    return _run_of(run), made["screening"], made["gold"], (free or 0) + unwritten.get(_FREE, 0)


def _facts_of_new(worker: Worker, run: _RunFacts, screening: int, gold: int, free: int) -> WorkerFacts:
    """As if the worker had no grant, no unit and no onboarding: so it is of who was just made."""
    return WorkerFacts(worker, run.state, run.paused, {}, 0, 0, None, screening, gold, free)


def _worker_facts(db: Db, run_id: RunId, worker_id: WorkerId) -> WorkerFacts:
    worker = one(db, Worker, statements.WORKER, id=worker_id)
    return facts_of_worker(db, run_id, rules.found(worker, "worker", worker_id))


def facts_of_worker(db: Db, run_id: RunId, worker: Worker) -> WorkerFacts:
    """All facts of a worker whose record was read in the same transaction."""
    run, *units = _run_with_units(db, run_id)
    holding, task_units = _units_of_worker(db, run_id, worker.id, run.task_id)
    onboarding = one(db, OnboardingAgent, statements.NEWEST_ONBOARDING, run_id=run_id, worker_id=worker.id)
    return attrs.evolve(
        _facts_of_new(worker, run, *units),
        grants=grants_by_name(db, worker.id),
        holding=holding,
        task_units=task_units,
        onboarding=onboarding,
    )


def _units_of_worker(db: Db, run_id: RunId, worker_id: WorkerId, task_id: int) -> tuple[int, int]:
    """How many units of the run they hold, and how many of the task they hold or have done."""
    whose = {"run_id": run_id, "worker_id": worker_id, "task_id": task_id}
    held, counted = first(db, statements.UNITS_OF_WORKER, **whose)
    return held, counted or 0


def _special_units(db: Db, run_id: RunId, unit_index: int) -> int:
    kind = admission_rules.unit_kind(unit_index)
    return value(db, statements.SPECIAL_UNITS_KEPT, run_id=run_id, kind=kind) or 0


def _free_units(db: Db, run_id: RunId) -> int:
    return value(db, statements.FREE_UNITS_COUNT, run_id=run_id) or 0


def _candidates(
    db: Db, run_id: RunId, worker_id: WorkerId, after: Candidate | None, limit: int
) -> list[Candidate]:
    run = run_facts(db, run_id)
    if after is not None:
        rank, position = after.unit.rank, after.unit.position
    elif run.queue is QueueOrder.FIFO:
        rank, position = 0, value(db, statements.CURSOR, worker_id=worker_id, run_id=run_id) or 0
    else:
        rank, position = -rules.VALUE_MAX, 0
    found = pairs(
        db,
        Unit,
        Assignment,
        statements.FREE_UNITS_BEHIND,
        run_id=run_id,
        worker_id=worker_id,
        rank=rank,
        position=position,
        limit=max(limit, 0),
    )
    return [Candidate(unit, assignment) for unit, assignment in found]


def _special_digests(db: Db, run_id: RunId, worker_id: WorkerId, unit_index: int) -> frozenset[str]:
    rows = db.execute(
        statements.SPECIAL_DIGESTS, {"run_id": run_id, "worker_id": worker_id, "unit_index": unit_index}
    )
    return frozenset(row[0] for row in rows)


def _reserve(
    db: Db, registration: Registration, now: datetime, place: _Place | None = None
) -> Reserved | NotReserved:
    rules.check_registration(registration)
    admission_rules.check_choice(registration)
    place = place or _look(db, registration)
    if place.existing is not None:
        return _again(db, registration, place.existing)
    run = place.run
    refusal = (
        rules.closed_to(place.blocked, run.state, run.paused)
        or _grants_changed(db, registration)
        or rules.over_limit(registration, place.held, place.counted)
    )
    if refusal:
        return refusal
    at = rules.moment(now)
    chosen = _choose(db, registration, run.queue, at)
    return chosen if isinstance(chosen, NotReserved) else _take(db, registration, run.queue, *chosen, at)


def _look(db: Db, registration: Registration) -> _Place:
    row = first(
        db,
        statements.RUN_FOR_RESERVATION,
        run_id=registration.run_id,
        worker_id=registration.worker_id,
        link=registration.link,
        after=registration.after,
        limited=registration.allowed_concurrent > 0,
    )
    *run, blocked, existing, held, counted = rules.found(row, "run", registration.run_id)
    known = rules.found(blocked, "worker", registration.worker_id)
    return _Place(_run_of(run), bool(known), existing, held, counted or 0)


def _again(db: Db, registration: Registration, agent_id: AgentId) -> Reserved:
    agent = the_agent(db, agent_id)
    rules.check_same_worker(agent, registration)
    unit, assignment = the_unit(db, agent.unit_id), the_assignment(db, agent.assignment_id)
    return Reserved(agent, unit, assignment, existing=True)


def _grants_changed(db: Db, registration: Registration) -> NotReserved | None:
    if not registration.expect:
        return None
    return admission_rules.grants_changed(registration.expect, grants_by_name(db, registration.worker_id))


def _choose(
    db: Db, registration: Registration, queue: QueueOrder, at: datetime
) -> tuple[Unit, Assignment] | NotReserved:
    """The unit to take, with its assignment; one that is made for the worker is there then."""
    if registration.special is not None:
        return _make_special(db, registration, registration.special, at)
    free = partial(pair, db, Unit, Assignment, run_id=registration.run_id, worker_id=registration.worker_id)
    if registration.candidates is not None:
        for unit_id in registration.candidates:
            candidate = free(statements.FREE_CANDIDATE, id=unit_id)
            if candidate is not None:
                return candidate
        return admission_rules.candidates_gone(_free_units(db, registration.run_id))
    next_free = free(statements.FREE_UNIT if queue is QueueOrder.FIFO else statements.FIRST_RANKED_UNIT)
    return next_free or rules.none_left(_free_units(db, registration.run_id))


def _make_special(
    db: Db, registration: Registration, special: NewSpecial, at: datetime
) -> tuple[Unit, Assignment] | NotReserved:
    run_id = registration.run_id
    refusal = admission_rules.over_cap(special, _special_units(db, run_id, special.unit_index))
    if refusal is not None:
        return refusal
    assignment = keep(db, admission_rules.special_assignment(registration, special))
    unit = keep(db, admission_rules.special_unit(assignment, special, take_positions(db, run_id, 1)))
    count(db, admission_rules.unit_kind(unit.unit_index), run_id, unit.status, 1)
    made = attrs.evolve(unit, status=UnitStatus.CREATED)
    hand = Hand("daemon", admission_rules.SPECIAL_WHY, at)
    note(db, hand.unit(None, made), hand.unit(made, unit))
    return unit, assignment


def _take(
    db: Db,
    registration: Registration,
    queue: QueueOrder,
    unit: Unit,
    assignment: Assignment,
    at: datetime,
) -> Reserved:
    agent = keep(db, rules.new_agent(registration, unit, at))
    hand = Hand("worker", f"took unit {unit.id}", at)
    path = hand.path(agent, registration.path)
    taken = save_unit(db, queue, unit, rules.taken_unit(unit, agent), hand, also=path)
    count(db, "agent", agent.run_id, agent.status, 1)
    do(db, statements.ADD_WORKED, worker_id=agent.worker_id, assignment_id=agent.assignment_id)
    if rules.moves_cursor(registration, queue):
        do(
            db,
            statements.MOVE_CURSOR,
            worker_id=agent.worker_id,
            run_id=agent.run_id,
            position=unit.position,
        )
    change_grants(db, registration.worker_id, registration.grants, at)
    if registration.decision is not None:
        record_first_decision(db, admission_rules.decision_about(registration.decision, agent), at)
    return Reserved(agent, taken, assignment, existing=False)
