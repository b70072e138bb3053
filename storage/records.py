"""What survives, as frozen records: one class a table. Holds no rules; times are aware UTC datetimes."""

from datetime import datetime
from typing import Any

import attrs

from ..protocol.names import (
    AgentId,
    AgentStatus,
    AssignmentId,
    PieceKind,
    QueueOrder,
    RunId,
    RunState,
    UnitId,
    UnitStatus,
    WireId,
    WorkerId,
)
from ..protocol.packets import FileNote

SCREENING_UNIT_INDEX = -1
GOLD_UNIT_INDEX = -2


@attrs.frozen
class Requester:
    """The account that pays at a provider. Names are unique."""

    id: int
    name: str
    provider: str


@attrs.frozen
class Project:
    """Groups tasks. Name unique, neither empty nor NO_PROJECT."""

    id: int
    name: str


@attrs.frozen
class Task:
    """What runs share: limits and review go by task. Name unique and not empty."""

    id: int
    name: str
    blueprint: str
    project_id: int | None


@attrs.frozen
class TaskRun:
    """One launch of a blueprint with its config."""

    id: RunId
    task_id: int
    requester_id: int
    launch_id: str
    """Made by whoever launches; the same again is the same run."""
    label: str
    """Lower-case, unique, in addresses."""
    blueprint: str
    provider: str
    architect: str
    sandbox: bool
    config: dict[str, Any]
    """The resolved config, as JSON."""
    key: bytes = attrs.field(repr=False)
    """K_run: makes and checks the wire ids of this run."""
    state: RunState
    trouble: str | None
    """Why it cannot go on at present, with the remedy; None when all is well."""
    rows_made: int
    """How many rows of the data became assignments."""
    rows_done: bool
    """True when no more rows will come."""
    created_at: datetime
    ended_at: datetime | None
    paused: bool = False
    """Nobody new gets a unit at present; who is at work goes on."""
    deleting: bool = False
    """Staff deleted it: it goes bit by bit, and is never exported any more."""
    queue: QueueOrder = QueueOrder.FIFO
    """In which order its units are given."""


@attrs.frozen
class AddedRows:
    """A file of rows that staff added to a run while it went on; its rows come after all before it."""

    id: int
    run_id: RunId
    request_id: str
    """Made by whoever adds; the same again adds nothing. Unique."""
    name: str
    """Of the file in the run's folder."""
    rows: int
    """How many rows it has."""
    created_at: datetime


@attrs.frozen
class Assignment:
    """One piece of work. `shared` and `unit_data` as in Mephisto's InitializationData."""

    id: AssignmentId
    run_id: RunId
    row: int
    """Which row of the data it came from, from 0; unique in the run (-1 for special units)."""
    digest: str
    """SHA-256 of the canonical row: a resumed generator must give the same again."""
    shared: dict[str, Any]
    unit_data: list[dict[str, Any]]


@attrs.frozen
class Unit:
    """One worker's part of an assignment. (assignment, index) is unique."""

    id: UnitId
    run_id: RunId
    assignment_id: AssignmentId
    unit_index: int
    status: UnitStatus
    position: int
    """Place in the run's queue, among those of one rank; a unit given back gets a new, highest one.

    In a `grouped` run it keeps its place.
    """
    agent_id: AgentId | None
    worker_id: WorkerId | None
    pay_cents: int
    rank: int = 0
    """Free units of the lowest rank are given first: 0 in a `fifo` run, as made in a `ranked` one.

    In a `least_covered` run the free units of an assignment have the ranks above the number of its others:
    the next one to be given has 1 + how many are taken or done. In a `grouped` run they have 0 while another
    unit of their assignment is `assigned`, and 1 while none is.
    """


@attrs.frozen
class Worker:
    """A person, known through one provider. (provider, name) is unique."""

    id: WorkerId
    provider: str
    name: str
    blocked: bool
    provider_data: dict[str, Any]
    created_at: datetime


@attrs.frozen
class Agent:
    """One worker on one unit."""

    id: AgentId
    wire_id: WireId = attrs.field(repr=False)
    run_id: RunId
    unit_id: UnitId
    assignment_id: AssignmentId
    worker_id: WorkerId
    status: AgentStatus
    version: int
    """Counts changes of status: what the page has to show is the highest it saw."""
    reason: str | None
    """Why the status is what it is, a `Reason` value where there is one."""
    link: str
    """The personal link (or, for unchanged pages, the registration id) it came by."""
    after: str
    """Wire id of the agent the link had finished before, "" for its first. (run, link, after) is unique."""
    due_at: datetime | None
    """When its time is over, while it is live; or until when its unit stays reserved after a shutdown."""
    provider_data: dict[str, Any]
    created_at: datetime
    ended_at: datetime | None


@attrs.frozen
class OnboardingAgent:
    """A worker who is being onboarded; not tied to a unit. Wire id begins with `onboarding_`."""

    id: AgentId
    wire_id: WireId = attrs.field(repr=False)
    run_id: RunId
    worker_id: WorkerId
    status: AgentStatus
    version: int
    reason: str | None
    link: str
    after: str
    data: Any
    """What the worker answered; None until submitted."""
    due_at: datetime | None
    provider_data: dict[str, Any]
    created_at: datetime
    ended_at: datetime | None


@attrs.frozen
class Qualification:
    """A named property of workers. Name unique and not empty; description at most 500 characters."""

    id: int
    name: str
    description: str | None
    created_at: datetime


@attrs.frozen
class Grant:
    """The value of a qualification for a worker; granting again replaces the value and `updated_at`."""

    qualification_id: int
    worker_id: WorkerId
    value: int
    created_at: datetime
    updated_at: datetime


@attrs.frozen
class Submission:
    """The one final answer of an agent. `data` is canonical JSON, byte for byte as it was acknowledged."""

    agent_id: AgentId
    run_id: RunId
    data: bytes = attrs.field(repr=False)
    files: list[FileNote]
    digest: str
    """SHA-256 over data and file digests: the same content again gets the same answer."""
    late: bool
    submitted_at: datetime


@attrs.frozen
class LateAnswer:
    """What a router had called submitted, and came when its unit was not to be had any more.

    (run, wire id, digest) is unique.
    """

    id: int
    run_id: RunId
    agent_id: AgentId | None
    """None: this store knows no such agent. It was restored from a copy that is older than the agent."""
    wire_id: WireId = attrs.field(repr=False)
    is_answer: bool
    """Whether it is a final answer, and not something told beside one."""
    data: bytes = attrs.field(repr=False)
    """Canonical JSON, byte for byte as it was called submitted."""
    files: list[FileNote]
    digest: str
    why: str
    """Why it could not count."""
    received_at: datetime
    owed_cents: int | None = None
    """What staff decided to pay for it; None, and so the four below: nothing is decided."""
    owed_note: str | None = None
    """What its worker is told with the payment."""
    owed_by: str | None = None
    """Who decided it."""
    owed_at: datetime | None = None
    """Of all late answers of an agent one at most has this."""
    paid_at: datetime | None = None
    """When the crowd provider had taken the payment; None: it is still to be told."""


@attrs.frozen
class Metadata:
    """Told beside the answer. `kind` is tips, feedback, worker_opinion, post_task, log or default."""

    id: int
    agent_id: AgentId
    kind: str
    data: Any
    files: list[FileNote]
    digest: str
    """(agent, digest) is unique: the same told twice is stored once. Log lines carry a number."""
    created_at: datetime


@attrs.frozen
class PageError:
    """An error that a page, a hook or a plug-in had."""

    id: int
    run_id: RunId
    agent_id: AgentId | None
    source: str
    """page | hook | plug-in | router"""
    data: Any
    created_at: datetime


@attrs.frozen
class LiveUpdate:
    """One live update from (or `outgoing`: to) the page of an agent, stored before it is passed on.

    Of each agent and direction `number` is unique, and of what a page sent `update_id` too.
    """

    onboarding: bool
    """Whether `agent_id` is that of an onboarding agent."""
    agent_id: AgentId
    outgoing: bool
    number: int
    """The daemon's own count, from 1."""
    update_id: str
    page: str
    """Which page load counted it, "" when none did."""
    page_number: int
    """Its place in what that page sent, 0 when it does not count."""
    update: dict[str, Any]
    created_at: datetime


@attrs.frozen
class JournalEntry:
    """The result of one call of live user code. (kind, piece, position) is unique."""

    kind: PieceKind
    piece_id: int
    """Of the unit, the assignment or the onboarding agent."""
    position: int
    """Counts the calls of this piece, from 1."""
    what: str
    agent_id: AgentId | None
    """The agent of the piece that it was about; of an onboarding that is the piece itself."""
    result: Any
    created_at: datetime


@attrs.frozen
class Owed:
    """What a worker has coming beside the pay for their unit. (agent, what) is unique."""

    id: int
    run_id: RunId
    worker_id: WorkerId
    agent_id: AgentId
    what: str
    """waiting"""
    seconds: float
    cents: int
    why: str
    created_at: datetime


@attrs.frozen
class Review:
    """One decision of staff about an agent's work; the newest is the review."""

    id: int
    agent_id: AgentId
    unit_id: UnitId
    worker_id: WorkerId
    status: AgentStatus
    note: str | None
    who: str
    created_at: datetime


@attrs.frozen
class Decision:
    """What was decided about a worker or their work, and the facts it was decided from."""

    id: int
    at: datetime
    last_at: datetime
    """When it was last decided so: the same refusal for the same facts again is only counted."""
    count: int
    run_id: RunId
    worker_id: WorkerId | None
    kind: str
    """admission | onboarding | screening | gold | review | ..."""
    outcome: str
    reason: str | None
    facts: dict[str, Any]
    agent_id: AgentId | None
    unit_id: UnitId | None
    onboarding_id: AgentId | None


@attrs.frozen
class AuditRow:
    """One change that staff asked for: written before it is carried out, completed once it is known how."""

    id: int
    at: datetime
    uid: int
    """As the kernel says, of the process that asked; so is `pid`."""
    pid: int
    who: str
    """staff:<name>, as in the history."""
    what: str
    """The operation as the control API's document calls it: launch_run, delete_run, ..."""
    subject: str
    """What it is about, in words; a run by its label."""
    before: str | None = None
    after: str | None = None
    outcome: str | None = None
    """done | refused: <code> | failed; None: under way, or the daemon ended before it was known."""


@attrs.frozen
class HistoryEntry:
    """One change of state: who, what, when, before, after, why. Written in the change's own transaction."""

    id: int
    at: datetime
    who: str
    """worker | daemon | task (the author's own code) | provider | router | staff:<name>"""
    kind: str
    """run | pause | config | unit | agent | onboarding | worker | grant | qualification | deletion

    The subject of a grant is the worker; of pause, config and deletion the run. The entries of a deletion
    name no `run_id`: they stay.
    """
    subject_id: int
    run_id: RunId | None
    before: str | None
    after: str
    why: str
