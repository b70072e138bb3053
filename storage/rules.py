"""What every body of storage decides alike: guards, limits, the shape of records. Pure, no I/O."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import attrs

from ..protocol.names import (
    COMPLETED_UNIT,
    LIVE_AGENT,
    ONLY_WAITED,
    UNFINISHED_RUN,
    AgentId,
    AgentStatus,
    AssignmentId,
    QueueOrder,
    Reason,
    RunId,
    RunState,
    UnitId,
    UnitStatus,
    WorkerId,
)
from .contract import ChangeRun, NewAssignment, NewRows, NewRun, NotReserved, Registration
from .errors import Duplicate, InvalidRecord, NotFound, StaleWrite
from .records import (
    AddedRows,
    Agent,
    Requester,
    Review,
    Submission,
    Task,
    TaskRun,
    Unit,
)
from .rows import changed
from .writes import AddReview, AddSubmission, MoveAgent, MoveRun, MoveUnit, SetDue, Write

DESCRIPTION_CHARS_MAX = 500
VALUE_MAX = 2**63 - 1  # what an integer column holds
NO_PROJECT = "NO_PROJECT"
HELD_OR_DONE = frozenset({UnitStatus.ASSIGNED, *COMPLETED_UNIT})
"""What counts against `maximum_units_per_worker`, see `worker_counted_for`."""
NEEDS_AGENT = HELD_OR_DONE
NEEDS_NO_AGENT = frozenset({UnitStatus.CREATED, UnitStatus.LAUNCHED})
ROW_ADDED, RELEASED = "row added", "released to workers"
"""Why a unit was made, and why it became free, in the words of history."""
_ONLY_WAITED = frozenset(reason.value for reason in ONLY_WAITED)
REVIEWS = frozenset({AgentStatus.APPROVED, AgentStatus.SOFT_REJECTED, AgentStatus.REJECTED})

R = TypeVar("R")


# --- values ------------------------------------------------------------------------------------------------


def moment(now: datetime) -> datetime:
    """`now` in UTC; InvalidRecord without a zone."""
    if now.tzinfo is None:
        raise InvalidRecord(f"a time without a zone: {now}")
    return now.astimezone(UTC)


def found(record: R | None, kind: str, key: object) -> R:
    """The record, or NotFound in words."""
    if record is None:
        raise NotFound(f"no {kind} {key}")
    return record


def check_name(kind: str, name: str) -> None:
    """InvalidRecord for a name that is empty or no text."""
    if not name.strip():
        raise InvalidRecord(f"the name of a {kind} may not be empty")
    if not name.isascii() and any("\ud800" <= char <= "\udfff" for char in name):
        raise InvalidRecord(f"the name of a {kind} is not valid text: {name!r}")


def check_project_name(name: str) -> None:
    """InvalidRecord also for the name that means: no project."""
    check_name("project", name)
    if name == NO_PROJECT:
        raise InvalidRecord(f"no project may be called {NO_PROJECT}")


def check_qualification(name: str, description: str | None) -> None:
    """InvalidRecord for an empty name or a long description."""
    check_name("qualification", name)
    if description is not None and len(description) > DESCRIPTION_CHARS_MAX:
        raise InvalidRecord(f"a description has at most {DESCRIPTION_CHARS_MAX} characters")


def check_value(value: int) -> None:
    """InvalidRecord for a number that no database column holds."""
    if abs(value) > VALUE_MAX:
        raise InvalidRecord(f"the value {value} is too large")


def check_run_names(new: NewRun) -> None:
    """InvalidRecord for an empty name among those of a new run."""
    check_name("task", new.task_name)
    check_name("requester", new.requester_name)
    check_name("launch", new.launch_id)
    check_name("run label", new.label)
    if new.project_name is not None:
        check_project_name(new.project_name)


def check_task_fits(task: Task, new: NewRun, project_id: int | None) -> None:
    """InvalidRecord when a run wants its task otherwise than the task is."""
    if task.blueprint != new.blueprint:
        raise InvalidRecord(f"task {task.name!r} has blueprint {task.blueprint!r}, not {new.blueprint!r}")
    if new.project_name is not None and task.project_id != project_id:
        raise InvalidRecord(f"task {task.name!r} does not belong to project {new.project_name!r}")


def check_requester_fits(requester: Requester, new: NewRun) -> None:
    """InvalidRecord when the requester's account is at another provider."""
    if requester.provider != new.provider:
        raise InvalidRecord(
            f"requester {requester.name!r} is at {requester.provider!r}, not {new.provider!r}"
        )


def new_run(new: NewRun, task_id: int, requester_id: int, now: datetime) -> TaskRun:
    """The record of a run that is being launched, without its id."""
    return TaskRun(
        id=RunId(0),
        task_id=task_id,
        requester_id=requester_id,
        launch_id=new.launch_id,
        label=new.label,
        blueprint=new.blueprint,
        provider=new.provider,
        architect=new.architect,
        sandbox=new.sandbox,
        config=new.config,
        key=new.key,
        state=RunState.LAUNCHING,
        trouble=None,
        rows_made=0,
        rows_done=False,
        created_at=now,
        ended_at=None,
        queue=new.queue,
    )


OPEN_RUN = frozenset({RunState.LAUNCHING, RunState.RUNNING})
"""Where a run may still be changed: it lets people in, or will."""


def check_unfinished(run: TaskRun) -> None:
    """StaleWrite when the run has ended."""
    if run.state not in UNFINISHED_RUN:
        raise StaleWrite(f"run {run.id} has ended: it is {run.state.value}")


def check_change(run: TaskRun, change: ChangeRun) -> None:
    """StaleWrite when the run is not what was changed any more."""
    if run.state not in OPEN_RUN:
        raise StaleWrite(f"run {run.id} is {run.state.value}")
    if run.config != change.before:
        raise StaleWrite(f"the config of run {run.id} was changed meanwhile")


def changed_run(run: TaskRun, change: ChangeRun) -> TaskRun:
    """The run with its new config."""
    return attrs.evolve(run, config=change.config, rows_done=run.rows_done and change.rows is None)


def new_added_rows(run_id: RunId, new: NewRows, now: datetime) -> AddedRows:
    """The record of rows that were added, without its id."""
    check_name("request", new.request_id)
    check_name("file of rows", new.name)
    return AddedRows(0, run_id, new.request_id, new.name, new.rows, now)


def check_ended(run: TaskRun) -> None:
    """StaleWrite when the run goes on."""
    if run.state in UNFINISHED_RUN:
        raise StaleWrite(f"run {run.id} has not ended: it is {run.state.value}")


def check_deleting(run: TaskRun) -> None:
    """StaleWrite when nobody asked to delete the run."""
    if not run.deleting:
        raise StaleWrite(f"run {run.id} is not being deleted")


def check_kept(run: TaskRun) -> None:
    """NotFound when the run is going."""
    if run.deleting:
        raise NotFound(f"run {run.id} is being deleted")


def deletion_why(run: TaskRun) -> str:
    """Which run it was that is deleted, for those who look for it later."""
    return f"run {run.label!r}, {run.state.value}, deleted by staff"


def check_rows(rows_made: int, rows: Sequence[NewAssignment]) -> None:
    """StaleWrite when the first row is not the next; InvalidRecord for a gap or an assignment of no units."""
    if rows and rows[0].row != rows_made:
        raise StaleWrite(f"row {rows[0].row} is not the next: {rows_made} rows were made")
    for expected, new in enumerate(rows, rows_made):
        if new.row != expected:
            raise InvalidRecord(f"row {new.row} follows row {expected - 1}")
        if not new.unit_data:
            raise InvalidRecord(f"row {new.row} has no units")


def new_unit(
    run_id: RunId, assignment_id: AssignmentId, index: int, position: int, rank: int, new: NewAssignment
) -> Unit:
    """A unit of a new assignment, without its id."""
    return Unit(
        UnitId(0), run_id, assignment_id, index, UnitStatus.CREATED, position, None, None, new.pay_cents, rank
    )


# --- moves -------------------------------------------------------------------------------------------------


def moved_agent(agent: Agent, move: MoveAgent, now: datetime) -> Agent:
    """The agent after the move; StaleWrite when it is not where the move begins."""
    _expect("agent", agent.id, agent.status, move.before)
    return changed(
        agent,
        status=move.after,
        version=agent.version + 1,
        reason=move.reason,
        due_at=move.due_at,
        ended_at=None if move.after in LIVE_AGENT else now,
    )


def only_waited(agent: Agent) -> bool:
    """Whether the agent ended before any work began: its worker may get units of the assignment again."""
    return agent.ended_at is not None and agent.reason in _ONLY_WAITED


def moved_unit(unit: Unit, move: MoveUnit, queue: QueueOrder, next_position: int) -> Unit:
    """The unit after the move; StaleWrite when its status or holder is another.

    Whenever a unit becomes free it gets `next_position`: places behind a worker's cursor never become free.
    In a run of groups it keeps its place: there the oldest assignments come first, and nobody has a cursor.
    """
    _expect("unit", unit.id, unit.status, move.before)
    if unit.agent_id != move.held_by:
        raise StaleWrite(f"unit {unit.id} is held by {unit.agent_id}, not {move.held_by}")
    freed = move.after is UnitStatus.LAUNCHED
    moved = changed(
        unit,
        status=move.after,
        position=next_position if freed and queue is not QueueOrder.GROUPED else unit.position,
        agent_id=None if move.release else unit.agent_id,
        worker_id=None if move.release else unit.worker_id,
    )
    _check_holder(moved)
    return moved


def unit_taken_back(unit: Unit, agent: Agent) -> Unit:
    """The unit in the hands of the agent that had it before; StaleWrite when it is not free any more."""
    _expect("unit", unit.id, unit.status, UnitStatus.LAUNCHED)
    if agent.unit_id != unit.id:
        raise InvalidRecord(f"unit {unit.id} was never agent {agent.id}'s")
    return taken_unit(unit, agent)


def moved_run(run: TaskRun, move: MoveRun, now: datetime) -> TaskRun:
    """The run after the move; StaleWrite when it is not where the move begins."""
    _expect("run", run.id, run.state, move.before)
    return attrs.evolve(run, state=move.after, ended_at=None if move.after in UNFINISHED_RUN else now)


def with_due(agent: Agent, write: SetDue) -> Agent:
    """The agent with its new time; StaleWrite when it is not live any more."""
    if agent.status not in LIVE_AGENT:
        raise StaleWrite(f"agent {agent.id} is {agent.status.value}")
    return attrs.evolve(agent, due_at=write.due_at)


def new_submission(agent: Agent, write: AddSubmission, now: datetime) -> Submission:
    """The final answer of an agent as it is stored."""
    return Submission(agent.id, agent.run_id, write.data, list(write.files), write.digest, write.late, now)


def new_review(agent: Agent, write: AddReview, now: datetime) -> Review:
    """The review of an agent's work, without its id; InvalidRecord when the status is not a verdict."""
    if write.status not in REVIEWS:
        raise InvalidRecord(f"{write.status.value} is not a verdict")
    return Review(0, agent.id, agent.unit_id, agent.worker_id, write.status, write.note, write.who, now)


def moved_by(writes: Sequence[Write]) -> frozenset[AgentId]:
    """The agents whose status these writes move."""
    return frozenset(write.id for write in writes if isinstance(write, MoveAgent))


def check_hold(agent: Agent, unit: Unit) -> None:
    """StaleWrite when a live agent does not hold its unit."""
    holds = unit.status is UnitStatus.ASSIGNED and unit.agent_id == agent.id
    if agent.status in LIVE_AGENT and not holds:
        raise StaleWrite(
            f"agent {agent.id} is {agent.status.value}, but unit {unit.id} is not assigned to it"
        )


def _expect(kind: str, key: int, present: Any, before: Any) -> None:
    if present is not before:
        raise StaleWrite(f"{kind} {key} is {present.value}, not {before.value}")


def _check_holder(unit: Unit) -> None:
    if unit.unit_index < 0 and unit.status in NEEDS_NO_AGENT:
        raise InvalidRecord(f"unit {unit.id} was made for one worker: it cannot be {unit.status.value}")
    if unit.status in NEEDS_AGENT and unit.agent_id is None:
        raise InvalidRecord(f"unit {unit.id} cannot be {unit.status.value} without an agent")
    if unit.status in NEEDS_NO_AGENT and unit.agent_id is not None:
        raise InvalidRecord(
            f"unit {unit.id} cannot be {unit.status.value} with agent {unit.agent_id}: release it"
        )


# --- reserving ---------------------------------------------------------------------------------------------


def check_registration(registration: Registration) -> None:
    """InvalidRecord for a path that does not end in a live status, or no wire id or link."""
    check_name("link", registration.link)
    check_name("wire id", registration.wire_id)
    if not registration.path or any(status not in LIVE_AGENT for status in registration.path):
        raise InvalidRecord("the path of a new agent is one or more live statuses")


def check_same_worker(agent: Agent, registration: Registration) -> None:
    """Duplicate when the link's agent is another worker's: nobody gets an agent by naming a foreign link."""
    if agent.worker_id != registration.worker_id:
        raise Duplicate(f"the link of agent {agent.id} is not worker {registration.worker_id}'s")


def goes_on(agent: Agent, after: str | None) -> bool:
    """Whether who has finished the agent of wire id `after` goes on from this one, their link's newest."""
    return agent.wire_id == after and agent.status not in LIVE_AGENT


def closed_to(blocked: bool, state: RunState, paused: bool) -> NotReserved | None:
    """Why this worker gets nothing of this run, whatever units there are."""
    if blocked:
        return NotReserved(Reason.BLOCKED.value)
    if state is not RunState.RUNNING:
        return NotReserved(Reason.RUN_ENDED.value, {"state": state.value})
    return NotReserved(Reason.PAUSED.value) if paused else None


def worker_counted_for(unit: Unit) -> WorkerId | None:
    """Whose `maximum_units_per_worker` the unit counts against; special units count against nobody's."""
    return unit.worker_id if unit.unit_index >= 0 and unit.status in HELD_OR_DONE else None


def over_limit(registration: Registration, held: int, counted: int) -> NotReserved | None:
    """Why a worker who holds `held` units of the run and has `counted` of the task gets no other."""
    allowed, most = registration.allowed_concurrent, registration.maximum_units_per_worker
    if allowed and held >= allowed:
        return NotReserved(Reason.TOO_MANY_CONCURRENT.value, {"held": held, "allowed": allowed})
    if most and registration.special is None and counted >= most:
        return NotReserved(Reason.MAX_FOR_TASK.value, {"counted": counted, "maximum": most})
    return None


def moves_cursor(registration: Registration, queue: QueueOrder) -> bool:
    """Whether the place of the unit taken tells where the worker goes on: only when the queue gave it."""
    return queue is QueueOrder.FIFO and registration.candidates is None and registration.special is None


def none_left(launched: int) -> NotReserved:
    """No unit for this worker; `launched` says how many there are that others may still get."""
    return NotReserved(Reason.NO_AVAILABLE_UNITS.value, {"launched": launched})


def new_agent(registration: Registration, unit: Unit, now: datetime) -> Agent:
    """The agent who takes `unit`, without its id."""
    return Agent(
        id=AgentId(0),
        wire_id=registration.wire_id,
        run_id=registration.run_id,
        unit_id=unit.id,
        assignment_id=unit.assignment_id,
        worker_id=registration.worker_id,
        status=registration.path[-1],
        version=len(registration.path),
        reason=None,
        link=registration.link,
        after=registration.after,
        due_at=registration.due_at,
        provider_data=registration.provider_data,
        created_at=now,
        ended_at=None,
    )


def taken_unit(unit: Unit, agent: Agent) -> Unit:
    """The unit in the hands of its new agent."""
    return changed(unit, status=UnitStatus.ASSIGNED, agent_id=agent.id, worker_id=agent.worker_id)
