"""The contract of storage: what every body (memory, SQLite, later PostgreSQL) promises. Holds no code.

Promises of every method:
- A method that writes is one transaction: all of it or nothing, durable when it returns (SQLite:
  `synchronous=FULL`), with one history entry per change of state in the same transaction.
- Every write first checks that the lease row still has this storage's epoch; else `LeaseLost`, nothing is
  written.
- Cancelled before its transaction began: nothing happened. After: the commit is awaited, then `Cancelled`.
- `StaleWrite` when a guard did not match; `NotFound` for the id of what is asked for or changed, when it is
  not there; `Duplicate` for a unique rule broken; `InvalidRecord` for a bad value, or a reference inside a
  new record to what does not exist. Nothing is written then.
- `StorageFull` when the disk is full: nothing happened. `StorageFailed` when disk or database failed in any
  other way: nothing definite is known, every later write fails as well; end the process.
- `now` is wall-clock time, an aware UTC datetime; `who` and `why` go to history as they are.
- Lists are ordered by id ascending; `after`/`limit` page through them.
"""

import abc
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs

from ..protocol.names import (
    AgentId,
    AgentStatus,
    AssignmentId,
    QueueOrder,
    RunId,
    RunState,
    UnitId,
    UnitStatus,
    WireId,
    WorkerId,
)
from ..protocol.packets import FileNote
from .admission import (
    AddToGrant,
    Candidate,
    MoveOnboarding,
    NewDecision,
    NewOnboarding,
    NewSpecial,
    OnboardingBegun,
    RecordDecision,
    WorkerFacts,
)
from .records import (
    AddedRows,
    Agent,
    Assignment,
    Decision,
    Grant,
    HistoryEntry,
    JournalEntry,
    LiveUpdate,
    Metadata,
    OnboardingAgent,
    PageError,
    Project,
    Qualification,
    Requester,
    Review,
    Submission,
    Task,
    TaskRun,
    Unit,
    Worker,
)


class StorageError(Exception):
    """What every error of storage is."""


class NotFound(StorageError):
    """There is no such record."""


class Duplicate(StorageError):
    """A record with this unique name or key is there already."""


class InvalidRecord(StorageError):
    """A value that no record of this kind may have, or a reference to nothing."""


class StaleWrite(StorageError):
    """What the writer took for the present state has changed meanwhile: read again, decide again."""


class LeaseLost(StorageError):
    """Another daemon has taken this store: write nothing more, end the process."""


class StorageFailed(StorageError):
    """The disk or the database failed; whether the last write happened is not known."""


class StorageFull(StorageError):
    """There is no space left. Nothing was written; the same write succeeds when there is space again."""


class StorageRefused(StorageError):
    """The store cannot be opened: damaged, of another program, too new, too old, held. Says the remedy."""


# --- writes that go together in one transaction ------------------------------------------------------------


@attrs.frozen
class MoveAgent:
    """Agent `id` goes from `before` to `after` (guard: it is still `before`); its version grows by one.

    `due_at` replaces the agent's; `ended_at` is set to now when `after` is not a live status, else cleared.
    """

    id: AgentId
    before: AgentStatus
    after: AgentStatus
    who: str
    why: str
    reason: str | None = None
    due_at: datetime | None = None


@attrs.frozen
class MoveUnit:
    """Unit `id` goes from `before` to `after` (guard: still `before` and held by `held_by`, None: nobody).

    `release` clears agent and worker. A unit that becomes `launched` gets a new, highest position.
    InvalidRecord when it would be assigned, completed or reviewed without an agent, or free with one; also
    when a special unit would be free: made for one worker, it expires when they give it up.
    """

    id: UnitId
    before: UnitStatus
    after: UnitStatus
    who: str
    why: str
    held_by: AgentId | None = None
    release: bool = False


@attrs.frozen
class AddSubmission:
    """Stores the final answer of an agent; `Duplicate` when it has one."""

    agent_id: AgentId
    data: bytes
    files: Sequence[FileNote]
    digest: str
    late: bool = False


@attrs.frozen
class AddReview:
    """Stores a decision about an agent's work."""

    agent_id: AgentId
    status: AgentStatus
    who: str
    note: str | None = None


@attrs.frozen
class MoveRun:
    """Run `id` goes from `before` to `after`; `ended_at` is set when `after` is not an unfinished state."""

    id: RunId
    before: RunState
    after: RunState
    who: str
    why: str


@attrs.frozen
class SetDue:
    """Gives a live agent more or less time (guard: it is live)."""

    agent_id: AgentId
    due_at: datetime | None


@attrs.frozen
class SetGrant:
    """Gives (or replaces) a worker's value of a qualification; NotFound when there is no such."""

    name: str
    worker_id: WorkerId
    value: int
    who: str
    why: str


@attrs.frozen
class TakeGrant:
    """Takes a worker's grant away; NotFound when there is none."""

    name: str
    worker_id: WorkerId
    who: str
    why: str


@attrs.frozen
class SetBlocked:
    """Blocks or unblocks a worker; one who is so already stays so, without an entry in the history."""

    worker_id: WorkerId
    blocked: bool
    who: str
    why: str


@attrs.frozen
class PutFact:
    """Keeps a JSON value under (scope, key), replacing; None removes it."""

    scope: str
    key: str
    value: Any


Write = (
    MoveAgent
    | MoveUnit
    | AddSubmission
    | AddReview
    | MoveRun
    | SetDue
    | SetGrant
    | TakeGrant
    | AddToGrant
    | SetBlocked
    | MoveOnboarding
    | RecordDecision
    | PutFact
)


# --- what the composite transactions take and give ---------------------------------------------------------


@attrs.frozen
class NewRun:
    """What a launch fixes about a run. Task, requester and project are found by name, or made."""

    task_name: str
    requester_name: str
    launch_id: str
    label: str
    blueprint: str
    provider: str
    architect: str
    sandbox: bool
    config: dict[str, Any]
    key: bytes = attrs.field(repr=False)
    project_name: str | None = None
    queue: QueueOrder = QueueOrder.FIFO


@attrs.frozen
class NewAssignment:
    """A row of the data that becomes an assignment with one unit per element of `unit_data`."""

    row: int
    digest: str
    shared: dict[str, Any]
    unit_data: Sequence[dict[str, Any]]
    pay_cents: int = 0
    ranks: Sequence[int] = ()
    """In a `ranked` run: of each unit, the lowest is given first; none: all 0. Elsewhere there are none."""


@attrs.frozen
class NewRows:
    """A file of rows to be added to a run; see `AddedRows`."""

    request_id: str
    name: str
    rows: int


@attrs.frozen
class ChangeRun:
    """What staff change about a run that goes on.

    `changes` are what history keeps, one (before, after) in words for each. `pay_cents`, if given, is what
    units that are not released yet are worth from now on; those that are out keep what they are worth.
    `rows` come after all others, and the run's `rows_done` is taken back.
    """

    run_id: RunId
    before: dict[str, Any]
    """The config that was changed (guard)."""
    config: dict[str, Any]
    changes: Sequence[tuple[str | None, str]] = ()
    pay_cents: int | None = None
    rows: NewRows | None = None


@attrs.frozen
class Registration:
    """What `reserve` needs to give a worker a unit."""

    run_id: RunId
    worker_id: WorkerId
    wire_id: WireId = attrs.field(repr=False)
    link: str
    after: str
    path: Sequence[AgentStatus]
    """The statuses the new agent goes through at once, e.g. (accepted, in task); each has a history entry."""
    due_at: datetime | None
    provider_data: dict[str, Any] = attrs.Factory(dict[str, Any])
    allowed_concurrent: int = 0
    """How many units of this run the worker may hold at once; 0: no limit."""
    maximum_units_per_worker: int = 0
    """How many units of the task (any run) the worker may hold or have completed; 0: no limit.

    Special units are not counted, and nobody is refused one for it.
    """
    candidates: Sequence[UnitId] | None = None
    """The units to choose from, best first: the first of them that is still free. None: the run's order."""
    special: NewSpecial | None = None
    """Make this unit and give it to the worker, instead of one of the queue."""
    expect: Mapping[str, int | None] = attrs.Factory(dict[str, int | None])
    """The grants that the decision relied on, None: has none; are they others now, nothing is reserved."""
    grants: Mapping[str, int | None] = attrs.Factory(dict[str, int | None])
    """What the worker is granted with it (None: is taken away), when it is new. NotFound as for SetGrant."""
    decision: NewDecision | None = None
    """Recorded with what it led to, when that is new."""


@attrs.frozen
class Reserved:
    """The worker has a unit. `existing`: an agent was there for (link, after); nothing was changed."""

    agent: Agent
    unit: Unit
    assignment: Assignment
    existing: bool


@attrs.frozen
class NotReserved:
    """Nothing was changed; `reason` is a `Reason` value: no_available_units, run_ended, paused, blocked,
    too_many_concurrent, max_for_task; or one that asks to decide again: facts_changed (`expect` was wrong),
    candidates_gone (none of them is free), cap_reached (of special units)."""

    reason: str
    facts: Mapping[str, Any] = attrs.Factory(dict[str, Any])


@attrs.frozen
class ExportRow:
    """One agent that submitted, with all that belongs to it."""

    run: TaskRun
    assignment: Assignment
    unit: Unit
    agent: Agent
    worker: Worker
    submission: Submission
    metadata: Sequence[Metadata]
    review: Review | None
    """The newest."""


@attrs.frozen
class RunCounts:
    """How many units and agents of a run are in each status. Kept, not counted."""

    units: Mapping[UnitStatus, int]
    """Those made from rows; special units are counted apart."""
    agents: Mapping[AgentStatus, int]
    screening: Mapping[UnitStatus, int] = attrs.Factory(dict[UnitStatus, int])
    gold: Mapping[UnitStatus, int] = attrs.Factory(dict[UnitStatus, int])
    onboarding: Mapping[AgentStatus, int] = attrs.Factory(dict[AgentStatus, int])
    """Onboarding agents."""


class Storage(abc.ABC):
    """One open store, held by one daemon."""

    epoch: int
    """The lease epoch of this opening: higher than that of every opening before."""

    # --- transactions of the life of a run

    @abc.abstractmethod
    async def commit(self, writes: Sequence[Write], now: datetime) -> None:
        """Do all of `writes`, in order, in one transaction, or none (StaleWrite, Duplicate, NotFound).

        Duplicate also when a worker would be onboarded twice at once.
        StaleWrite also when an agent would be live without holding its unit: one that comes back after its
        unit went elsewhere, or whose unit is moved away under it.
        """

    @abc.abstractmethod
    async def create_run(self, new: NewRun, now: datetime, who: str) -> TaskRun:
        """Store a run in state `launching`. The same `launch_id` again returns the run it made.

        Duplicate: the label is taken. InvalidRecord: a name is empty or the project is NO_PROJECT, or the
        task of this name has another blueprint or project, or the requester another provider.
        """

    @abc.abstractmethod
    async def set_trouble(self, run_id: RunId, trouble: str | None) -> None:
        """Note why a run cannot go on, or None that it can."""

    @abc.abstractmethod
    async def set_paused(self, run_id: RunId, paused: bool, now: datetime, who: str, why: str) -> TaskRun:
        """Pause a run, or let it go on; as it is already: nothing changes. StaleWrite when it has ended."""

    @abc.abstractmethod
    async def change_run(self, change: ChangeRun, now: datetime, who: str, why: str) -> TaskRun:
        """Replace a run's config as a whole, and add rows; returns the run after it.

        StaleWrite: its config is not `before` any more, or it is neither launching nor running.
        `rows.request_id` is known: nothing is changed.
        """

    @abc.abstractmethod
    async def begin_deletion(self, run_id: RunId, now: datetime, who: str) -> TaskRun:
        """Mark an ended run as going; again: nothing changes. StaleWrite when it has not ended.

        From here on `delete_assignments` until it says False, then `finish_deletion`: each step is a small
        transaction, so that other runs never wait long, and after each of them the store is whole.
        """

    @abc.abstractmethod
    async def delete_assignments(self, run_id: RunId, units_max: int) -> bool:
        """Remove assignments with everything that hangs on them, about `units_max` units, at least one.

        Units, agents, submissions, metadata, errors, live updates, journals, reviews and their history go;
        what counted against `maximum_units_per_worker` counts no more. Workers and grants stay.
        True while there are more. StaleWrite when the run is not marked.
        """

    @abc.abstractmethod
    async def finish_deletion(self, run_id: RunId, now: datetime, who: str) -> None:
        """Remove a marked run that has no assignments any more, and all that is left of it; NotFound.

        Stays: who deleted it, in history. No later run gets its number; those of units and agents may come
        again. StaleWrite when the run is not marked, or has assignments.
        """

    @abc.abstractmethod
    async def add_assignments(
        self, run_id: RunId, rows: Sequence[NewAssignment], done: bool, now: datetime
    ) -> list[AssignmentId]:
        """Add assignments with their units (`created`); sets `rows_made` to the last row + 1 and `rows_done`.

        StaleWrite when the first row is not `rows_made`; InvalidRecord for a gap or a row without units, or
        for ranks that are not one a unit or not wanted (the run is not `ranked`).
        An empty `rows` with `done` just sets `rows_done`.
        """

    @abc.abstractmethod
    async def launch_units(self, run_id: RunId, count: int, now: datetime) -> list[Unit]:
        """Move up to `count` `created` units, in queue order, to `launched`; returns them.

        Each gets a place at the end of the queue, among those of its rank.
        """

    @abc.abstractmethod
    async def expire_units(self, run_id: RunId, now: datetime, who: str, why: str) -> list[Unit]:
        """Move every `created` and `launched` unit to `expired`, and return them; all others stay."""

    @abc.abstractmethod
    async def reserve(self, registration: Registration, now: datetime) -> Reserved | NotReserved:
        """Give the worker the first free unit of the run's queue that is not of an assignment they worked on.

        One guarded transaction: the agent for (run, link, after) if there is one, whatever its status
        (`existing`); else block, run state (only `running`), expected grants, limits, unit and agent are
        checked and written together, with the decision. A worker never gets two units of one assignment.
        Cost does not depend on the run's size.
        Duplicate: the agent of (link, after) is another worker's, or the wire id is taken. InvalidRecord:
        more than CANDIDATES_MAX candidates, candidates beside a special unit, or one without its index.
        """

    @abc.abstractmethod
    async def begin_onboarding(self, new: NewOnboarding, now: datetime) -> OnboardingBegun | NotReserved:
        """Begin to onboard a worker: an agent with status `onboarding`, and the decision, if it is new.

        `existing`: the agent of (run, link, after) whatever its status, or else the worker's live one of this
        run: a worker has one at most. NotReserved: blocked, run_ended, paused, facts_changed.
        Duplicate: the agent of (link, after) is another worker's, or the wire id is taken.
        """

    @abc.abstractmethod
    async def record_decision(self, new: NewDecision, now: datetime) -> Decision:
        """Store a decision. The same as the worker's newest of this run again: counted there (`last_at`).

        Of decisions that led to no agent, the newest REFUSALS_KEPT of each run and worker are kept.
        """

    # --- people, qualifications

    @abc.abstractmethod
    async def register_worker(
        self, provider: str, name: str, provider_data: dict[str, Any], now: datetime
    ) -> Worker:
        """Find the worker (provider, name) or make it. InvalidRecord: empty name."""

    @abc.abstractmethod
    async def set_blocked(
        self, worker_id: WorkerId, blocked: bool, now: datetime, who: str, why: str
    ) -> None:
        """Block or unblock a worker."""

    @abc.abstractmethod
    async def create_qualification(
        self, name: str, description: str | None, now: datetime, who: str = "daemon"
    ) -> Qualification:
        """Duplicate, InvalidRecord (empty name, description over 500)."""

    @abc.abstractmethod
    async def ensure_qualifications(self, descriptions: Mapping[str, str | None], now: datetime) -> None:
        """Make the qualifications of these names that are not there, with their descriptions."""

    @abc.abstractmethod
    async def delete_qualification(self, name: str, now: datetime, who: str) -> None:
        """Remove a qualification and all its grants."""

    @abc.abstractmethod
    async def grant(
        self, name: str, worker_id: WorkerId, value: int, now: datetime, who: str, why: str
    ) -> Grant:
        """Give (or replace) a worker's value of a qualification."""

    @abc.abstractmethod
    async def revoke(self, name: str, worker_id: WorkerId, now: datetime, who: str, why: str) -> None:
        """Take a grant away; NotFound when there is none."""

    # --- things told beside the answer, streams, journal

    @abc.abstractmethod
    async def add_metadata(
        self, agent_id: AgentId, kind: str, data: Any, files: Sequence[FileNote], digest: str, now: datetime
    ) -> Metadata:
        """Store once per (agent, digest); the same again returns what is there."""

    @abc.abstractmethod
    async def add_error(
        self, run_id: RunId, agent_id: AgentId | None, source: str, data: Any, now: datetime
    ) -> PageError:
        """Store an error report."""

    @abc.abstractmethod
    async def add_updates(self, updates: Sequence[LiveUpdate], journal: Sequence[JournalEntry]) -> None:
        """Store live updates and the journal entries that go with them; Duplicate when one is there."""

    # --- facts of providers and of the daemon itself

    @abc.abstractmethod
    async def put_fact(self, scope: str, key: str, value: Any) -> None:
        """Keep a JSON value under (scope, key), replacing; None removes it."""

    @abc.abstractmethod
    async def fact(self, scope: str, key: str) -> Any:
        """The value, or None."""

    @abc.abstractmethod
    async def facts(self, scope: str) -> dict[str, Any]:
        """All of a scope."""

    # --- requesters, projects, tasks (rarely needed by themselves)

    @abc.abstractmethod
    async def create_requester(self, name: str, provider: str) -> Requester:
        """Duplicate, InvalidRecord."""

    @abc.abstractmethod
    async def create_project(self, name: str) -> Project:
        """Duplicate, InvalidRecord (empty or NO_PROJECT)."""

    @abc.abstractmethod
    async def create_task(self, name: str, blueprint: str, project_id: int | None) -> Task:
        """Duplicate, InvalidRecord."""

    @abc.abstractmethod
    async def update_task(self, task_id: int, name: str, project_id: int | None) -> Task:
        """Rename or move a task: only before its first run (InvalidRecord)."""

    # --- reading; none of these writes, NotFound for `X(id)` that is not there

    @abc.abstractmethod
    async def requesters(self) -> list[Requester]: ...
    @abc.abstractmethod
    async def projects(self) -> list[Project]: ...
    @abc.abstractmethod
    async def tasks(self) -> list[Task]: ...
    @abc.abstractmethod
    async def task(self, task_id: int) -> Task: ...
    @abc.abstractmethod
    async def runs(self, states: frozenset[RunState] | None = None) -> list[TaskRun]: ...
    @abc.abstractmethod
    async def run(self, run_id: RunId) -> TaskRun: ...
    @abc.abstractmethod
    async def run_by_label(self, label: str) -> TaskRun: ...
    @abc.abstractmethod
    async def counts(self, run_id: RunId) -> RunCounts:
        """Cost does not depend on the run's size."""

    @abc.abstractmethod
    async def added_rows(self, run_id: RunId) -> list[AddedRows]:
        """In the order in which they were added."""

    @abc.abstractmethod
    async def assignment(self, assignment_id: AssignmentId) -> Assignment: ...
    @abc.abstractmethod
    async def assignments(self, run_id: RunId, after: int = 0, limit: int = 1000) -> list[Assignment]: ...
    @abc.abstractmethod
    async def unit(self, unit_id: UnitId) -> Unit: ...
    @abc.abstractmethod
    async def units(
        self,
        run_id: RunId,
        statuses: frozenset[UnitStatus] | None = None,
        assignment_id: AssignmentId | None = None,
        after: int = 0,
        limit: int = 1000,
    ) -> list[Unit]: ...
    @abc.abstractmethod
    async def agent(self, agent_id: AgentId) -> Agent: ...
    @abc.abstractmethod
    async def agent_by_wire_id(self, wire_id: WireId) -> Agent: ...
    @abc.abstractmethod
    async def agents(
        self,
        run_id: RunId,
        statuses: frozenset[AgentStatus] | None = None,
        worker_id: WorkerId | None = None,
        after: int = 0,
        limit: int = 1000,
    ) -> list[Agent]: ...
    @abc.abstractmethod
    async def agents_of_link(self, run_id: RunId, link: str) -> list[Agent]:
        """All agents a link ever had, oldest first."""

    @abc.abstractmethod
    async def reserved_agents(self, run_id: RunId) -> list[Agent]:
        """Agents that hold an `assigned` unit: the live ones, and those a shutdown disconnected."""

    @abc.abstractmethod
    async def agents_of_worker(self, worker_id: WorkerId, after: int = 0, limit: int = 1000) -> list[Agent]:
        """All agents a worker ever was, in any run. Cost depends on how many these are."""

    @abc.abstractmethod
    async def held_units(self, worker_id: WorkerId) -> list[Unit]:
        """The units a worker has in hand, in any run. Cost depends on how many these are."""

    @abc.abstractmethod
    async def worker(self, worker_id: WorkerId) -> Worker: ...
    @abc.abstractmethod
    async def worker_by_name(self, provider: str, name: str) -> Worker: ...
    @abc.abstractmethod
    async def workers(
        self, provider: str | None = None, after: int = 0, limit: int = 1000, name: str | None = None
    ) -> list[Worker]:
        """Of any provider, or of one; `name` finds everybody of that name, at a cost that grows with all."""

    @abc.abstractmethod
    async def worker_facts(self, run_id: RunId, worker_id: WorkerId) -> WorkerFacts:
        """Read at one moment, at a cost that depends on this worker alone."""

    @abc.abstractmethod
    async def candidates(
        self, run_id: RunId, worker_id: WorkerId, after: Candidate | None = None, limit: int = 64
    ) -> list[Candidate]:
        """The free units behind `after`, in the order in which the run gives them.

        None of an assignment the worker ever worked on. Cost does not depend on the run's size.
        """

    @abc.abstractmethod
    async def special_digests(self, run_id: RunId, worker_id: WorkerId, unit_index: int) -> frozenset[str]:
        """The digests of the special units that this worker was given in this run, also of those given up."""

    @abc.abstractmethod
    async def special_count(self, run_id: RunId, unit_index: int) -> int:
        """How many special units of this index the run ever made, those given up included."""

    @abc.abstractmethod
    async def onboarding_agent(self, agent_id: AgentId) -> OnboardingAgent: ...
    @abc.abstractmethod
    async def onboarding_by_wire_id(self, wire_id: WireId) -> OnboardingAgent: ...
    @abc.abstractmethod
    async def onboarding_of_link(self, run_id: RunId, link: str) -> list[OnboardingAgent]: ...
    @abc.abstractmethod
    async def onboarding_agents(
        self, run_id: RunId, worker_id: WorkerId | None = None
    ) -> list[OnboardingAgent]: ...
    @abc.abstractmethod
    async def live_onboarding_agents(self, run_id: RunId) -> list[OnboardingAgent]:
        """Those whose onboarding goes on. The cost depends on how many these are."""

    @abc.abstractmethod
    async def decisions(
        self,
        run_id: RunId | None = None,
        worker_id: WorkerId | None = None,
        agent_id: AgentId | None = None,
        unit_id: UnitId | None = None,
        onboarding_id: AgentId | None = None,
        after: int = 0,
        limit: int = 1000,
    ) -> list[Decision]:
        """Those about all that is named."""

    @abc.abstractmethod
    async def submission(self, agent_id: AgentId) -> Submission:
        """NotFound when the agent has none."""

    @abc.abstractmethod
    async def submissions_count(self, run_id: RunId) -> int:
        """How many agents of the run submitted."""

    @abc.abstractmethod
    async def last_submission_at(self, run_id: RunId) -> datetime | None: ...
    @abc.abstractmethod
    async def metadata(self, agent_id: AgentId) -> list[Metadata]: ...
    @abc.abstractmethod
    async def errors(self, run_id: RunId, after: int = 0, limit: int = 1000) -> list[PageError]: ...
    @abc.abstractmethod
    async def updates(self, agent_id: AgentId, outgoing: bool) -> list[LiveUpdate]: ...
    @abc.abstractmethod
    async def journal(self, assignment_id: AssignmentId, unit_id: UnitId | None) -> list[JournalEntry]: ...
    @abc.abstractmethod
    async def qualifications(self) -> list[Qualification]: ...
    @abc.abstractmethod
    async def qualification(self, name: str) -> Qualification: ...
    @abc.abstractmethod
    async def grants(
        self, worker_id: WorkerId | None = None, qualification: str | None = None
    ) -> list[Grant]: ...
    @abc.abstractmethod
    async def reviews(self, agent_id: AgentId) -> list[Review]: ...
    @abc.abstractmethod
    async def history(
        self,
        kind: str | None = None,
        subject_id: int | None = None,
        run_id: RunId | None = None,
        after: int = 0,
        limit: int = 1000,
    ) -> list[HistoryEntry]: ...
    @abc.abstractmethod
    async def history_end(self) -> int:
        """The id of the newest entry, 0 when there is none: what is written later comes after it.

        Entries become visible in the order of their ids: whoever reads on after the last one misses none.
        """

    @abc.abstractmethod
    async def export(self, run_id: RunId, after: int = 0, limit: int = 200) -> list[ExportRow]:
        """Agents with a submission, by agent id; `after` is the last agent id seen.

        NotFound also for a run that is being deleted: half of it must not pass for the whole.
        """
