"""What moves agents, units and runs, in memory: commit; and reading agents and their answers."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import assert_never

import attrs

from ...protocol.names import AgentId, AgentStatus, AssignmentId, RunId, UnitStatus, WireId, WorkerId
from .. import late_rules, rules
from ..contract import Bar, ExportRow, LastOfLink, Plan
from ..errors import Duplicate
from ..hand import Hand
from ..records import Agent, Review, Submission, TaskRun, Unit
from ..rows import fresh
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
from .body import MemoryBody, copies, note, page
from .decisions import record_decision
from .late import late_paid, of_agent, owe_late
from .live import add_owed, talk_of
from .onboarding import move_onboarding
from .people import add_to_grant, set_blocked, set_grant, take_grant
from .reserving import worker_facts
from .runs import move_unit, next_position
from .tables import Tables
from .telling import put_fact


class MemoryLives(MemoryBody):
    """What `Storage` says about the life of agents, and what they leave."""

    async def commit(self, writes: Sequence[Write], now: datetime) -> Mapping[AgentId, Agent]:
        async with self._write() as tables:
            return _commit(tables, writes, now)

    async def commit_for(self, wire_id: WireId, plan: Plan, now: datetime) -> Mapping[AgentId, Agent]:
        async with self._write() as tables:
            agent = tables.agents.the("wire_id", wire_id)
            writes = plan(fresh(agent), _unit(tables, agent.unit_id)) if agent else ()
            return _commit(tables, writes, now)

    async def agent(self, agent_id: AgentId) -> Agent:
        return fresh(_agent(await self._read(), agent_id))

    async def agent_by_wire_id(self, wire_id: WireId) -> Agent:
        tables = await self._read()
        return fresh(rules.found(tables.agents.the("wire_id", wire_id), "agent", "with this wire id"))

    async def agent_with_unit(self, wire_id: WireId) -> tuple[Agent, Unit]:
        tables = await self._read()
        agent = rules.found(tables.agents.the("wire_id", wire_id), "agent", "with this wire id")
        return fresh(agent), _unit(tables, agent.unit_id)

    async def agents_among(self, wire_ids: Collection[WireId]) -> list[Agent]:
        tables = await self._read()
        found = {agent.id: agent for name in wire_ids if (agent := tables.agents.the("wire_id", name))}
        return copies(found[number] for number in sorted(found))

    async def agents(
        self,
        run_id: RunId,
        statuses: frozenset[AgentStatus] | None = None,
        worker_id: WorkerId | None = None,
        after: int = 0,
        limit: int = 1000,
    ) -> list[Agent]:
        tables = await self._read()
        chosen = [
            agent
            for agent in tables.agents.having("run", run_id)
            if statuses is None or agent.status in statuses
            if worker_id is None or agent.worker_id == worker_id
        ]
        return page(chosen, after, limit)

    async def agents_of_link(self, run_id: RunId, link: str) -> list[Agent]:
        tables = await self._read()
        return copies(tables.agents.having("link", (run_id, link)))

    async def last_of_link(
        self, run_id: RunId, link: str, after: str | None = None, bar: Bar | None = None
    ) -> LastOfLink | None:
        tables = await self._read()
        agents = tables.agents.having("link", (run_id, link))
        if not agents:
            return None
        agent = max(agents, key=lambda agent: agent.id)
        goes_on = rules.goes_on(agent, after) and (bar is None or tables.facts.get(bar) is None)
        return LastOfLink(
            agent=fresh(agent),
            unit=_unit(tables, agent.unit_id),
            assignment=fresh(rules.found(tables.assignments.get(agent.assignment_id), "assignment", "")),
            worker=fresh(rules.found(tables.workers.get(agent.worker_id), "worker", agent.worker_id)),
            facts=worker_facts(tables, run_id, agent.worker_id) if goes_on else None,
        )

    async def agents_of_assignment(self, assignment_id: AssignmentId) -> list[Agent]:
        tables = await self._read()
        return copies(tables.agents.having("assignment", assignment_id))

    async def agents_of_worker(self, worker_id: WorkerId, after: int = 0, limit: int = 1000) -> list[Agent]:
        tables = await self._read()
        return page(tables.agents.having("worker", worker_id), after, limit)

    async def reserved_agents(self, run_id: RunId) -> list[Agent]:
        tables = await self._read()
        holders = [unit.agent_id for unit in tables.units.having("run", run_id) if _is_held(unit)]
        return copies(_agent(tables, agent_id) for agent_id in sorted(filter(None, holders)))

    async def held_units(self, worker_id: WorkerId) -> list[Unit]:
        units = (await self._read()).units.having("worker", worker_id)
        return copies(sorted((unit for unit in units if _is_held(unit)), key=lambda unit: unit.id))

    async def submission(self, agent_id: AgentId) -> Submission:
        tables = await self._read()
        return fresh(rules.found(tables.submissions.get(agent_id), "submission of agent", agent_id))

    async def submissions_count(self, run_id: RunId) -> int:
        return len((await self._read()).submissions.having("run", run_id))

    async def last_submission_at(self, run_id: RunId) -> datetime | None:
        tables = await self._read()
        return max((each.submitted_at for each in tables.submissions.having("run", run_id)), default=None)

    async def reviews(self, agent_id: AgentId) -> list[Review]:
        return copies((await self._read()).reviews.having("agent", agent_id))

    async def export(self, run_id: RunId, after: int = 0, limit: int = 200) -> list[ExportRow]:
        tables = await self._read()
        run = rules.found(tables.runs.get(run_id), "run", run_id)
        rules.check_kept(run)
        submissions = sorted(tables.submissions.having("run", run_id), key=lambda each: each.agent_id)
        chosen = [each for each in submissions if each.agent_id > after][:limit]
        return [_export_row(tables, run, submission) for submission in chosen]


def _commit(tables: Tables, writes: Sequence[Write], now: datetime) -> dict[AgentId, Agent]:
    at = rules.moment(now)
    holders = {agent_id for write in writes if (agent_id := _do(tables, write, at)) is not None}
    for agent_id in sorted(holders):
        agent = _agent(tables, agent_id)
        rules.check_hold(agent, _unit(tables, agent.unit_id))
    return {agent_id: fresh(_agent(tables, agent_id)) for agent_id in rules.moved_by(writes)}


def _do(tables: Tables, write: Write, at: datetime) -> AgentId | None:
    """Stage one write; returns the agent whose unit was moved: at the end, if live, it must hold it."""
    match write:
        case MoveAgent():
            _move_agent(tables, write, at)
        case MoveUnit():
            _move_unit(tables, write, at)
            return write.held_by
        case TakeBack():
            _take_back(tables, write, at)
            return write.agent_id
        case AddSubmission():
            _add_submission(tables, write, at)
        case AddReview():
            number = tables.reviews.next_id()
            review = rules.new_review(_agent(tables, write.agent_id), write, at)
            tables.reviews.put(number, attrs.evolve(review, id=number))
        case MoveRun():
            _move_run(tables, write, at)
        case SetDue():
            agent = rules.with_due(_agent(tables, write.agent_id), write)
            tables.agents.put(agent.id, agent)
        case SetGrant():
            set_grant(tables, write.name, write.worker_id, write.value, Hand(write.who, write.why, at))
        case TakeGrant():
            take_grant(tables, write.name, write.worker_id, Hand(write.who, write.why, at))
        case AddToGrant():
            add_to_grant(tables, write.name, write.worker_id, write.by, Hand(write.who, write.why, at))
        case SetBlocked():
            set_blocked(tables, write.worker_id, write.blocked, Hand(write.who, write.why, at))
        case MoveOnboarding():
            move_onboarding(tables, write, at)
        case RecordDecision():
            record_decision(tables, write.decision, at)
        case PutFact():
            put_fact(tables, write.scope, write.key, write.value)
        case AddOwed():
            add_owed(tables, _agent(tables, write.agent_id), write, at)
        case OweLate():
            owe_late(tables, write, at)
        case LatePaid():
            late_paid(tables, write, at)
        case _:
            assert_never(write)
    return None


def _move_agent(tables: Tables, move: MoveAgent, at: datetime) -> None:
    old = _agent(tables, move.id)
    new = rules.moved_agent(old, move, at)
    rules.check_hold(new, _unit(tables, old.unit_id))
    tables.agents.put(old.id, new)
    if rules.only_waited(new):
        tables.worked.drop((new.worker_id, new.assignment_id))
    note(tables, Hand(move.who, move.why, at).agent(old, new))


def _move_unit(tables: Tables, move: MoveUnit, at: datetime) -> None:
    old = _unit(tables, move.id)
    run = rules.found(tables.runs.get(old.run_id), "run", old.run_id)
    new = rules.moved_unit(old, move, run.queue, tables.positions.get(old.run_id) or 1)
    if new.position != old.position:
        next_position(tables, old.run_id)
    move_unit(tables, old, new, Hand(move.who, move.why, at))


def _take_back(tables: Tables, write: TakeBack, at: datetime) -> None:
    old, agent = _unit(tables, write.id), _agent(tables, write.agent_id)
    late_rules.refuse_if_owed(agent, of_agent(tables, agent.id))
    new = rules.unit_taken_back(old, agent)
    move_unit(tables, old, new, Hand(write.who, write.why, at))


def _move_run(tables: Tables, move: MoveRun, at: datetime) -> None:
    old = rules.found(tables.runs.get(move.id), "run", move.id)
    new = tables.runs.put(old.id, rules.moved_run(old, move, at))
    note(tables, Hand(move.who, move.why, at).run(old, new))


def _add_submission(tables: Tables, write: AddSubmission, at: datetime) -> None:
    agent = _agent(tables, write.agent_id)
    if agent.id in tables.submissions:
        raise Duplicate(f"agent {agent.id} has submitted")
    tables.submissions.put(agent.id, rules.new_submission(agent, write, at))


def _last_review(tables: Tables, agent: Agent) -> Review | None:
    if agent.status not in rules.REVIEWS:
        return None
    return next(reversed(copies(tables.reviews.having("agent", agent.id))), None)


def _export_row(tables: Tables, run: TaskRun, submission: Submission) -> ExportRow:
    agent = _agent(tables, submission.agent_id)
    return ExportRow(
        run=fresh(run),
        assignment=fresh(rules.found(tables.assignments.get(agent.assignment_id), "assignment", "")),
        unit=_unit(tables, agent.unit_id),
        agent=fresh(agent),
        worker=fresh(rules.found(tables.workers.get(agent.worker_id), "worker", agent.worker_id)),
        submission=fresh(submission),
        metadata=copies(tables.metadata.having("agent", agent.id)),
        review=_last_review(tables, agent),
        updates=talk_of(tables, agent.id),
    )


def _is_held(unit: Unit) -> bool:
    return unit.status is UnitStatus.ASSIGNED


def _agent(tables: Tables, agent_id: AgentId) -> Agent:
    return rules.found(tables.agents.get(agent_id), "agent", agent_id)


def _unit(tables: Tables, unit_id: int) -> Unit:
    return rules.found(tables.units.get(unit_id), "unit", unit_id)
