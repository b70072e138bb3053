"""What moves agents, units and runs, in SQLite: commit; and reading agents and their answers."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, assert_never

import attrs

from ...protocol.names import (
    LIVE_AGENT,
    AgentId,
    AgentStatus,
    AssignmentId,
    QueueOrder,
    RunId,
    UnitId,
    WireId,
    WorkerId,
)
from .. import late_rules, live_rules, rules
from ..contract import Bar, ExportRow, LastOfLink, Plan
from ..hand import Hand
from ..records import Agent, LiveUpdate, Metadata, Review, Submission, TaskRun, Unit, Worker
from ..rows import columns, dump_json, from_row, load_time
from ..sql import statements
from ..writes import (
    AddOwed,
    AddReview,
    AddSubmission,
    AddToGrant,
    LatePaid,
    MoveAgent,
    MoveOnboarding,
    MoveRun,
    MoveUnit,
    OweLate,
    PutFact,
    RecordDecision,
    SetBlocked,
    SetDue,
    SetGrant,
    TakeBack,
    TakeGrant,
    Write,
)
from .ask import Db, add, add_all, do, every, first, note, one, page, pair, recount, save, value
from .body import SqliteBody, the_agent, the_assignment, the_run, the_unit
from .decisions import record_decision
from .late import late_paid, of_agent, owe_late
from .onboarding import move_onboarding
from .people import add_to_grant, set_blocked, set_grant, take_grant
from .reserving import facts_of_worker
from .telling import put_fact
from .units import save_unit, take_positions

_AGENT_WIDTH = len(columns(Agent))


class SqliteLives(SqliteBody):
    """What `Storage` says about the life of agents, and what they leave."""

    async def commit(self, writes: Sequence[Write], now: datetime) -> Mapping[AgentId, Agent]:
        return await self._engine.write(_commit, writes, now)

    async def commit_for(self, wire_id: WireId, plan: Plan, now: datetime) -> Mapping[AgentId, Agent]:
        return await self._engine.write(_commit_for, wire_id, plan, now)

    async def agent(self, agent_id: AgentId) -> Agent:
        return await self._engine.read(the_agent, agent_id)

    async def agent_by_wire_id(self, wire_id: WireId) -> Agent:
        agent = await self._engine.read(one, Agent, statements.AGENT_OF_WIRE_ID, wire_id=wire_id)
        return rules.found(agent, "agent", "with this wire id")

    async def agent_with_unit(self, wire_id: WireId) -> tuple[Agent, Unit]:
        return rules.found(await self._engine.read(_seat, wire_id), "agent", "with this wire id")

    async def agents_among(self, wire_ids: Collection[WireId]) -> list[Agent]:
        return await self._engine.read(every, Agent, statements.AGENTS_AMONG, wire_ids=dump_json([*wire_ids]))

    async def agents(
        self,
        run_id: RunId,
        statuses: frozenset[AgentStatus] | None = None,
        worker_id: WorkerId | None = None,
        after: int = 0,
        limit: int = 1000,
    ) -> list[Agent]:
        return await self._engine.read_long(
            page, Agent, after, limit, statuses, run_id=run_id, worker_id=worker_id
        )

    async def agents_of_link(self, run_id: RunId, link: str) -> list[Agent]:
        return await self._engine.read(every, Agent, statements.AGENTS_OF_LINK, run_id=run_id, link=link)

    async def last_of_link(
        self, run_id: RunId, link: str, after: str | None = None, bar: Bar | None = None
    ) -> LastOfLink | None:
        return await self._engine.read(_last_of_link, run_id, link, after, bar)

    async def agents_of_assignment(self, assignment_id: AssignmentId) -> list[Agent]:
        return await self._engine.read(
            every, Agent, statements.AGENTS_OF_ASSIGNMENT, assignment_id=assignment_id
        )

    async def agents_of_worker(self, worker_id: WorkerId, after: int = 0, limit: int = 1000) -> list[Agent]:
        return await self._engine.read_long(
            every, Agent, statements.AGENTS_OF_WORKER, worker_id=worker_id, after_id=after, limit=limit
        )

    async def reserved_agents(self, run_id: RunId) -> list[Agent]:
        return await self._engine.read_long(every, Agent, statements.RESERVED_AGENTS, run_id=run_id)

    async def held_units(self, worker_id: WorkerId) -> list[Unit]:
        return await self._engine.read(every, Unit, statements.HELD_UNITS, worker_id=worker_id)

    async def submission(self, agent_id: AgentId) -> Submission:
        submission = await self._engine.read(one, Submission, statements.SUBMISSION, agent_id=agent_id)
        return rules.found(submission, "submission of agent", agent_id)

    async def submissions_count(self, run_id: RunId) -> int:
        count: int = await self._engine.read_long(value, statements.SUBMISSIONS_COUNT, run_id=run_id)
        return count

    async def last_submission_at(self, run_id: RunId) -> datetime | None:
        return load_time(await self._engine.read_long(value, statements.LAST_SUBMITTED_AT, run_id=run_id))

    async def reviews(self, agent_id: AgentId) -> list[Review]:
        return await self._engine.read(every, Review, statements.REVIEWS_OF_AGENT, agent_id=agent_id)

    async def export(self, run_id: RunId, after: int = 0, limit: int = 200) -> list[ExportRow]:
        return await self._engine.read_long(_export, run_id, after, limit)


@attrs.frozen
class _Place:
    """A unit, and what of its run it may move by."""

    unit: Unit
    queue: QueueOrder
    end: int
    """The next place at the end of the run's queue."""


class _Known:
    """What one transaction is about: each agent is read once, and known as it was written last."""

    def __init__(self, db: Db, agent: Agent | None = None, place: _Place | None = None) -> None:
        """`agent`, `place`: as they were just read in this transaction."""
        self._db = db
        self._agents = {} if agent is None else {agent.id: agent}
        self._place = place

    def the(self, agent_id: AgentId) -> Agent:
        """The agent, or NotFound."""
        if agent_id not in self._agents:
            self._agents[agent_id] = the_agent(self._db, agent_id)
        return self._agents[agent_id]

    def save(self, agent: Agent) -> None:
        """Write what changed in it."""
        save(self._db, statements.SAVE_AGENT, agent)
        self._agents[agent.id] = agent

    def place_to_move(self, unit_id: UnitId) -> _Place:
        """A unit's, which moves now: what was read before may be another afterwards. Or NotFound."""
        place, self._place = self._place, None
        if place is not None and place.unit.id == unit_id:
            return place
        return _place_of(rules.found(first(self._db, statements.UNIT_IN_QUEUE, id=unit_id), "unit", unit_id))


def _place_of(row: Sequence[Any]) -> _Place:
    *unit, queue, end = row
    return _Place(from_row(Unit, unit), QueueOrder(queue), end)


def _seat(db: Db, wire_id: WireId) -> tuple[Agent, Unit] | None:
    return pair(db, Agent, Unit, statements.AGENT_WITH_UNIT, wire_id=wire_id)


def _last_of_link(db: Db, run_id: RunId, link: str, after: str | None, bar: Bar | None) -> LastOfLink | None:
    agent = one(db, Agent, statements.LAST_OF_LINK, run_id=run_id, link=link)
    if agent is None:
        return None
    worker = rules.found(one(db, Worker, statements.WORKER, id=agent.worker_id), "worker", agent.worker_id)
    goes_on = rules.goes_on(agent, after) and not _barred(db, bar)
    facts = facts_of_worker(db, run_id, worker) if goes_on else None
    unit, assignment = the_unit(db, agent.unit_id), the_assignment(db, agent.assignment_id)
    return LastOfLink(agent, unit, assignment, worker, facts)


def _barred(db: Db, bar: Bar | None) -> bool:
    return bar is not None and value(db, statements.FACT, scope=bar[0], key=bar[1]) is not None


def _commit_for(db: Db, wire_id: WireId, plan: Plan, now: datetime) -> dict[AgentId, Agent]:
    row = first(db, statements.AGENT_WITH_UNIT_IN_QUEUE, wire_id=wire_id)
    if row is None:
        return {}
    agent, place = from_row(Agent, row[:_AGENT_WIDTH]), _place_of(row[_AGENT_WIDTH:])
    return _done(db, _Known(db, agent, place), plan(agent, place.unit), now)


def _commit(db: Db, writes: Sequence[Write], now: datetime) -> dict[AgentId, Agent]:
    return _done(db, _Known(db), writes, now)


def _done(db: Db, known: _Known, writes: Sequence[Write], now: datetime) -> dict[AgentId, Agent]:
    at = rules.moment(now)
    holders = {agent_id for write in writes if (agent_id := _do(db, known, write, at)) is not None}
    for agent_id in sorted(holders):
        _check_hold(db, known.the(agent_id))
    return {agent_id: known.the(agent_id) for agent_id in rules.moved_by(writes)}


def _check_hold(db: Db, agent: Agent) -> None:
    """StaleWrite when a live agent does not hold its unit; one that has ended may hold it or not."""
    if agent.status in LIVE_AGENT:
        rules.check_hold(agent, the_unit(db, agent.unit_id))


def _do(db: Db, known: _Known, write: Write, at: datetime) -> AgentId | None:
    """Do one write; returns the agent whose unit was moved: at the end, if live, it must hold it."""
    match write:
        case MoveAgent():
            _move_agent(db, known, write, at)
        case MoveUnit():
            _move_unit(db, known, write, at)
            return write.held_by
        case TakeBack():
            _take_back(db, known, write, at)
            return write.agent_id
        case AddSubmission():
            # A second one is a Duplicate by the table's key.
            add_all(db, [rules.new_submission(known.the(write.agent_id), write, at)])
        case AddReview():
            add(db, rules.new_review(known.the(write.agent_id), write, at))
        case MoveRun():
            _move_run(db, write, at)
        case SetDue():
            known.save(rules.with_due(known.the(write.agent_id), write))
        case SetGrant():
            set_grant(db, write.name, write.worker_id, write.value, Hand(write.who, write.why, at))
        case TakeGrant():
            take_grant(db, write.name, write.worker_id, Hand(write.who, write.why, at))
        case AddToGrant():
            add_to_grant(db, write.name, write.worker_id, write.by, Hand(write.who, write.why, at))
        case SetBlocked():
            set_blocked(db, write.worker_id, write.blocked, Hand(write.who, write.why, at))
        case MoveOnboarding():
            move_onboarding(db, write, at)
        case RecordDecision():
            record_decision(db, write.decision, at)
        case PutFact():
            put_fact(db, write.scope, write.key, write.value)
        case AddOwed():
            add(db, live_rules.new_owed(known.the(write.agent_id), write, at))
        case OweLate():
            owe_late(db, write, at)
        case LatePaid():
            late_paid(db, write, at)
        case _:
            assert_never(write)
    return None


def _move_agent(db: Db, known: _Known, move: MoveAgent, at: datetime) -> None:
    old = known.the(move.id)
    new = rules.moved_agent(old, move, at)
    _check_hold(db, new)
    known.save(new)
    if rules.only_waited(new):
        do(db, statements.DROP_WORKED, worker_id=new.worker_id, assignment_id=new.assignment_id)
    recount(db, "agent", old.run_id, old.status, new.status)
    note(db, Hand(move.who, move.why, at).agent(old, new))


def _move_unit(db: Db, known: _Known, move: MoveUnit, at: datetime) -> None:
    place = known.place_to_move(move.id)
    old = place.unit
    new = rules.moved_unit(old, move, place.queue, place.end)
    if new.position != old.position:
        take_positions(db, old.run_id, 1)
    save_unit(db, place.queue, old, new, Hand(move.who, move.why, at))


def _take_back(db: Db, known: _Known, write: TakeBack, at: datetime) -> None:
    agent, place = known.the(write.agent_id), known.place_to_move(write.id)
    late_rules.refuse_if_owed(agent, of_agent(db, agent.id))
    new = rules.unit_taken_back(place.unit, agent)
    save_unit(db, place.queue, place.unit, new, Hand(write.who, write.why, at))


def _move_run(db: Db, move: MoveRun, at: datetime) -> None:
    old = the_run(db, move.id)
    new = rules.moved_run(old, move, at)
    save(db, statements.SAVE_RUN, new)
    note(db, Hand(move.who, move.why, at).run(old, new))


def _export(db: Db, run_id: RunId, after: int, limit: int) -> list[ExportRow]:
    run = the_run(db, run_id)
    rules.check_kept(run)
    submissions = every(
        db, Submission, statements.SUBMISSIONS_OF_RUN, run_id=run_id, after_id=after, limit=limit
    )
    return [_export_row(db, run, submission) for submission in submissions]


def _last_review(db: Db, agent: Agent) -> Review | None:
    if agent.status not in rules.REVIEWS:
        return None  # asking for each row of a long export is worth avoiding
    reviews = every(db, Review, statements.REVIEWS_OF_AGENT, agent_id=agent.id)
    return reviews[-1] if reviews else None


def _export_row(db: Db, run: TaskRun, submission: Submission) -> ExportRow:
    agent = the_agent(db, submission.agent_id)
    return ExportRow(
        run=run,
        assignment=the_assignment(db, agent.assignment_id),
        unit=the_unit(db, agent.unit_id),
        agent=agent,
        worker=rules.found(one(db, Worker, statements.WORKER, id=agent.worker_id), "worker", agent.worker_id),
        submission=submission,
        metadata=every(db, Metadata, statements.METADATA_OF_AGENT, agent_id=agent.id),
        review=_last_review(db, agent),
        updates=every(db, LiveUpdate, statements.TALK_OF_AGENT, agent_id=agent.id),
    )
