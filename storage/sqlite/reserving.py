"""How a worker gets a unit, in SQLite: the facts, the candidates, and the reservation itself."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import attrs

from ...protocol.names import AgentId, AssignmentId, QueueOrder, RunId, RunState, UnitId, UnitStatus, WorkerId
from .. import admission_rules, rules
from ..admission import Arrived, Candidate, NewSpecial, WorkerFacts
from ..contract import NotReserved, Registration, Reserved
from ..hand import Hand
from ..records import Agent, OnboardingAgent, Unit, Worker
from ..rows import fresh
from ..sql import statements
from .ask import Db, add, count, do, every, first, note, one, value
from .body import SqliteBody, the_assignment, the_unit
from .decisions import record_first_decision
from .people import change_grants, register_worker
from .runs import save_unit, take_positions


class SqliteReserving(SqliteBody):
    """What `Storage` says about giving units to workers."""

    async def reserve(self, registration: Registration, now: datetime) -> Reserved | NotReserved:
        return await self._engine.write(_reserve, registration, now)

    async def arrive(
        self, run_id: RunId, provider: str, name: str, provider_data: dict[str, Any], now: datetime
    ) -> Arrived:
        return await self._engine.write(_arrive, run_id, provider, name, provider_data, now)

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


def _arrive(
    db: Db, run_id: RunId, provider: str, name: str, provider_data: dict[str, Any], now: datetime
) -> Arrived:
    worker, is_new = register_worker(db, provider, name, provider_data, now)
    return Arrived(worker, _facts_of_new(db, run_id, run_facts(db, run_id), worker) if is_new else None)


def _facts_of_new(db: Db, run_id: RunId, run: _RunFacts, worker: Worker) -> WorkerFacts:
    """As if the worker had no grant, no unit and no onboarding: so it is of who was just made."""
    screening, gold, free = first(db, statements.UNITS_FOR_WORKERS, run_id=run_id)
    return WorkerFacts(worker, run.state, run.paused, {}, 0, 0, None, screening or 0, gold or 0, free or 0)


def _worker_facts(db: Db, run_id: RunId, worker_id: WorkerId) -> WorkerFacts:
    run = run_facts(db, run_id)
    worker = rules.found(one(db, Worker, statements.WORKER, id=worker_id), "worker", worker_id)
    holding, task_units = _units_of_worker(db, run_id, worker_id, run.task_id)
    onboarding = one(db, OnboardingAgent, statements.NEWEST_ONBOARDING, run_id=run_id, worker_id=worker_id)
    return attrs.evolve(
        _facts_of_new(db, run_id, run, worker),
        grants=grants_by_name(db, worker_id),
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
    units = every(
        db,
        Unit,
        statements.FREE_UNITS_BEHIND,
        run_id=run_id,
        worker_id=worker_id,
        rank=rank,
        position=position,
        limit=max(limit, 0),
    )
    return [Candidate(unit, the_assignment(db, unit.assignment_id)) for unit in units]


def _special_digests(db: Db, run_id: RunId, worker_id: WorkerId, unit_index: int) -> frozenset[str]:
    rows = db.execute(
        statements.SPECIAL_DIGESTS, {"run_id": run_id, "worker_id": worker_id, "unit_index": unit_index}
    )
    return frozenset(row[0] for row in rows)


def _reserve(db: Db, registration: Registration, now: datetime) -> Reserved | NotReserved:
    rules.check_registration(registration)
    admission_rules.check_choice(registration)
    run_id, worker_id = registration.run_id, registration.worker_id
    run, blocked = run_and_block(db, run_id, worker_id)
    existing = one(
        db, Agent, statements.AGENT_OF_LINK, run_id=run_id, link=registration.link, after=registration.after
    )
    if existing:
        rules.check_same_worker(existing, registration)
        known = the_unit(db, existing.unit_id)
        return Reserved(existing, known, the_assignment(db, existing.assignment_id), existing=True)
    refusal = (
        rules.closed_to(blocked, run.state, run.paused)
        or _grants_changed(db, registration)
        or _over_limit(db, registration, run.task_id)
    )
    if refusal:
        return refusal
    at = rules.moment(now)
    unit = _choose(db, registration, run.queue, at)
    return unit if isinstance(unit, NotReserved) else _take(db, registration, run.queue, unit, at)


def _grants_changed(db: Db, registration: Registration) -> NotReserved | None:
    if not registration.expect:
        return None
    return admission_rules.grants_changed(registration.expect, grants_by_name(db, registration.worker_id))


def _over_limit(db: Db, registration: Registration, task_id: int) -> NotReserved | None:
    worker_id = registration.worker_id
    held = counted = 0  # what no limit is set for is not counted
    if registration.allowed_concurrent:
        held = value(db, statements.HELD_IN_RUN, worker_id=worker_id, run_id=registration.run_id)
    if registration.maximum_units_per_worker:
        counted = value(db, statements.COUNTED_IN_TASK, worker_id=worker_id, task_id=task_id) or 0
    return rules.over_limit(registration, held, counted)


def _choose(db: Db, registration: Registration, queue: QueueOrder, at: datetime) -> Unit | NotReserved:
    """The unit to take; one that is made for the worker is there then."""
    run_id, worker_id = registration.run_id, registration.worker_id
    if registration.special is not None:
        return _make_special(db, registration, registration.special, at)
    if registration.candidates is not None:
        for unit_id in registration.candidates:
            unit = one(db, Unit, statements.FREE_CANDIDATE, id=unit_id, run_id=run_id, worker_id=worker_id)
            if unit is not None:
                return unit
        return admission_rules.candidates_gone(_free_units(db, run_id))
    statement = statements.FREE_UNIT if queue is QueueOrder.FIFO else statements.FIRST_RANKED_UNIT
    unit = one(db, Unit, statement, run_id=run_id, worker_id=worker_id)
    return unit if unit is not None else rules.none_left(_free_units(db, run_id))


def _make_special(
    db: Db, registration: Registration, special: NewSpecial, at: datetime
) -> Unit | NotReserved:
    run_id = registration.run_id
    refusal = admission_rules.over_cap(special, _special_units(db, run_id, special.unit_index))
    if refusal is not None:
        return refusal
    assignment = admission_rules.special_assignment(registration, special)
    assignment = attrs.evolve(assignment, id=AssignmentId(add(db, assignment)))
    unit = admission_rules.special_unit(assignment, special, take_positions(db, run_id, 1))
    unit = attrs.evolve(unit, id=UnitId(add(db, unit)))
    count(db, admission_rules.unit_kind(unit.unit_index), run_id, unit.status, 1)
    made = attrs.evolve(unit, status=UnitStatus.CREATED)
    hand = Hand("daemon", admission_rules.SPECIAL_WHY, at)
    note(db, hand.unit(None, made), hand.unit(made, unit))
    return unit


def _take(db: Db, registration: Registration, queue: QueueOrder, unit: Unit, at: datetime) -> Reserved:
    agent = rules.new_agent(registration, unit, at)
    agent = fresh(attrs.evolve(agent, id=AgentId(add(db, agent))))
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
    return Reserved(agent, taken, the_assignment(db, agent.assignment_id), existing=False)
