"""What the daemon tells, as frozen objects. Times are aware, in UTC."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


class Told:
    """What the daemon told; its members can be had by name in brackets, too."""

    def __getitem__(self, name: str) -> Any:
        return getattr(self, name)


@dataclass(frozen=True, kw_only=True)
class RouterInfo(Told):
    """How the link to one router stands."""

    name: str
    url: str
    up: bool
    since: datetime | None
    addition: str


@dataclass(frozen=True, kw_only=True)
class Progress(Told):
    """How far a run is."""

    units: dict[str, int]
    agents: dict[str, int]
    units_total: int
    units_done: int
    agents_live: int
    rows_made: int
    rows_done: bool
    state: str
    trouble: str | None
    paused: bool
    deleting: bool
    live: bool
    address: str | None
    routers: tuple[RouterInfo, ...]


@dataclass(frozen=True, kw_only=True)
class RunInfo(Progress):
    """A run, as `runs` and `show` have it."""

    id: int
    label: str
    task: str
    blueprint: str
    provider: str
    architect: str
    sandbox: bool
    created_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class SettingInfo(Told):
    """A setting that is another now, in words."""

    key: str
    before: str | None
    after: str


@dataclass(frozen=True, kw_only=True)
class ExtensionInfo(Told):
    """What was changed now.

    `already`: this request had added its rows before, and nothing was changed. `present`: so many who are at
    work have more time. `rows_after_code`: the rows come after those of rows() in task.py, if that ever ends.
    """

    changes: tuple[SettingInfo, ...]
    rows: int
    already: bool
    present: int
    rows_after_code: bool


@dataclass(frozen=True, kw_only=True)
class ExtendedRun(RunInfo):
    """A run after it was extended."""

    extension: ExtensionInfo


@dataclass(frozen=True, kw_only=True)
class Stock(Told):
    """What goes with a run when it is deleted; `bytes` of its files, uploads among them."""

    id: int
    label: str
    state: str
    units: int
    submissions: int
    files: int
    bytes: int


@dataclass(frozen=True, kw_only=True)
class PauseInfo(Told):
    """Since when a run is paused, by whom, and why."""

    at: datetime
    who: str
    why: str


@dataclass(frozen=True, kw_only=True)
class PausedRun(RunInfo):
    """A run after it was paused or resumed; `changed` is False when it was so already."""

    changed: bool


@dataclass(frozen=True, kw_only=True)
class OwedInfo(Told):
    """What the crowd provider is still to be told, and what it said at the last of so many tries."""

    call: str
    agent_id: int | None
    worker_id: int | None
    since: datetime
    tries: int
    error: str | None


@dataclass(frozen=True, kw_only=True)
class RunDetails(RunInfo):
    """A run with its resolved config."""

    owed: tuple[OwedInfo, ...]
    last_submission_at: datetime | None
    pause: PauseInfo | None
    counters: dict[str, int]
    """What was handled, refused and failed since the run was taken up, by name."""
    config: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Snapshot(Progress):
    """One line of `watch`; `per_minute` is None until it has been watched for a moment."""

    run: str
    id: int
    per_minute: float | None

    @property
    def is_open(self) -> bool:
        """Workers can come: a router serves its pages."""
        return self.address is not None and self.state != "launching" and any(r.up for r in self.routers)


@dataclass(frozen=True, kw_only=True)
class ReviewInfo(Told):
    """The newest verdict on an agent's work."""

    status: str
    note: str | None
    who: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class UnitInfo(Told):
    """One worker's part of an assignment; `special` is screening, gold or None."""

    id: int
    assignment_id: int
    unit_index: int
    special: str | None
    status: str
    agent_id: int | None
    worker_id: int | None
    worker_name: str | None
    pay_cents: int
    review: ReviewInfo | None


@dataclass(frozen=True, kw_only=True)
class AgentInfo(Told):
    """One worker on one unit; `special` is screening, gold or None."""

    id: int
    unit_id: int
    assignment_id: int
    special: str | None
    worker_id: int
    worker_name: str
    status: str
    reason: str | None
    created_at: datetime
    due_at: datetime | None
    ended_at: datetime | None
    review: ReviewInfo | None


@dataclass(frozen=True, kw_only=True)
class WorkerInfo(Told):
    """A person, known through one provider."""

    id: int
    provider: str
    name: str
    blocked: bool
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class GrantInfo(Told):
    """A worker's value of a qualification."""

    qualification: str
    value: int
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Change(Told):
    """A line of history: who changed what, and why."""

    at: datetime
    who: str
    kind: str
    before: str | None
    after: str
    why: str


@dataclass(frozen=True, kw_only=True)
class TrackRecord(Told):
    """How a worker did so far, over all runs, in seconds; the truth is a row's `_truth`."""

    submitted: int
    approved: int
    soft_rejected: int
    rejected: int
    time_spent_s: float
    truth_known: int
    truth_agreed: int


@dataclass(frozen=True, kw_only=True)
class WorkerDetails(WorkerInfo):
    """A worker with grants, the history of blocks and grants, and how they did so far."""

    record: TrackRecord
    grants: tuple[GrantInfo, ...]
    history: tuple[Change, ...]


@dataclass(frozen=True, kw_only=True)
class WorkInfo(AgentInfo):
    """An agent of a worker, and the label of its run."""

    run: str


@dataclass(frozen=True, kw_only=True)
class QualificationInfo(Told):
    """A named property of workers, and how many have it."""

    name: str
    description: str | None
    created_at: datetime
    workers: int


@dataclass(frozen=True, kw_only=True)
class GrantChange(Change):
    """A change of one worker's value; without a worker, of the qualification itself."""

    worker_id: int | None
    worker_name: str | None


@dataclass(frozen=True, kw_only=True)
class QualificationDetails(QualificationInfo):
    """A qualification with its newest changes, oldest first."""

    history: tuple[GrantChange, ...]


@dataclass(frozen=True, kw_only=True)
class Holder(Told):
    """A worker who has a qualification."""

    worker_id: int
    provider: str
    worker_name: str
    value: int
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Granted(Told):
    """A worker's value before and after; None: they do not have it."""

    worker_id: int
    provider: str
    worker_name: str
    before: int | None
    after: int | None


@dataclass(frozen=True, kw_only=True)
class HeldUnit(Told):
    """A unit that somebody is working on."""

    run: str
    unit_id: int
    agent_id: int | None


@dataclass(frozen=True, kw_only=True)
class BlockInfo(WorkerInfo):
    """A worker after a block or its end; `holds` is what they have in hand, and keep.

    `owed`: what the provider said instead of taking it; it is told again until it does.
    """

    changed: bool
    holds: tuple[HeldUnit, ...]
    owed: str | None


@dataclass(frozen=True, kw_only=True)
class Reviewed(Told):
    """What became of one agent's review; `refused` says why it was not judged so.

    `blocks`: the run's rule on soft rejects bars the worker from now on. `owed`: what the provider said
    instead of taking it; it is told again until it does.
    """

    agent_id: int
    status: str
    changed: bool
    refused: str | None
    blocks: bool
    owed: str | None


@dataclass(frozen=True, kw_only=True)
class DecisionInfo(Told):
    """What was decided, with the facts as they were at the time, in sentences and whole.

    The same again is counted: `count` times from `at` to `last_at`.
    """

    id: int
    at: datetime
    last_at: datetime
    count: int
    run: str
    worker_id: int | None
    agent_id: int | None
    unit_id: int | None
    kind: str
    outcome: str
    reason: str | None
    sentences: tuple[str, ...]
    facts: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class StoryEntry(Change):
    """A change, and of what: `kind` and `subject_id` (of a grant: the worker)."""

    subject_id: int
    run: str | None


@dataclass(frozen=True, kw_only=True)
class Why(Told):
    """Decisions and changes about one thing, each oldest first."""

    decisions: tuple[DecisionInfo, ...]
    history: tuple[StoryEntry, ...]


@dataclass(frozen=True, kw_only=True)
class RunDisk(Told):
    """What one run takes beside its records, in bytes."""

    id: int
    label: str
    state: str
    task: int
    files: int
    router: int


@dataclass(frozen=True, kw_only=True)
class DiskInfo(Told):
    """The daemon's data folder, in bytes."""

    data: str
    database: int
    other: int
    free: int
    runs: tuple[RunDisk, ...]


@dataclass(frozen=True, kw_only=True)
class ErrorInfo(Told):
    """What went wrong in a page, a hook or a plug-in."""

    id: int
    at: datetime
    source: str
    """page | router | hook | plug-in"""
    agent_id: int | None
    text: str
    traceback: str | None
    data: Any


@dataclass(frozen=True, kw_only=True)
class PlanInfo(Told):
    """What a launch would run."""

    name: str
    label: str
    blueprint: str
    provider: str
    sandbox: bool
    architect: str
    units: int | None
    """None: rows() of task.py makes them as it goes."""
    units_more: bool
    """Whether there may be more."""
    reward: str
    pay_total: str | None
    address: str
    """As far as it is known before the launch; `<port>` stands for one that is chosen then."""
    warnings: tuple[str, ...]
    """What may be meant so, and hardly is."""


@dataclass(frozen=True, kw_only=True)
class OptionInfo(Told):
    """Something that can be set."""

    path: str
    type: str
    required: bool
    default: Any
    default_text: str
    """The default as TOML has it."""
    meaning: str


@dataclass(frozen=True, kw_only=True)
class PlugInInfo(Told):
    """A blueprint, provider or architect, and what can be set for it."""

    kind: str
    name: str
    meaning: str
    origin: str
    """The distribution that brings it, or task.py."""
    options: tuple[OptionInfo, ...]
    trouble: str


@dataclass(frozen=True, kw_only=True)
class OptionsInfo(Told):
    """Plug-ins with their options, and options that are nobody's own."""

    plug_ins: tuple[PlugInInfo, ...]
    options: tuple[OptionInfo, ...]


@dataclass(frozen=True, kw_only=True)
class LogPart(Told):
    """A part of the daemon that logs, and from which level on."""

    part: str
    level: str
    meaning: str


@dataclass(frozen=True, kw_only=True)
class RevokedLink(Told):
    """A personal link that is refused from now on.

    `already`: it was before. `at_work`: so many agents hold a unit by it, still; from `ended` it was taken.
    """

    run: str
    worker_name: str
    already: bool
    at_work: int
    ended: int


@dataclass(frozen=True, kw_only=True)
class Link(Told):
    """A worker's personal address."""

    worker_name: str
    url: str


@dataclass(frozen=True, kw_only=True)
class DaemonStatus(Told):
    """What the daemon says of itself; `you` is you as history names you, `runs` by number."""

    version: str
    you: str
    stopping: bool
    epoch: int
    runs: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class FileInfo(Told):
    """An uploaded file of a submission; `Client.read_file` has what is in it."""

    sha256: str
    size: int
    fieldname: str
    originalname: str
    mimetype: str


@dataclass(frozen=True, kw_only=True)
class Work(Told):
    """What a unit was made of, and what its worker answered."""

    inputs: dict[str, Any]
    outputs: Any


@dataclass(frozen=True, kw_only=True)
class Submission(Told):
    """One agent that submitted, with all that belongs to it. Times in seconds of the epoch."""

    run: str
    assignment_id: int
    unit_id: int
    unit_index: int
    special: str | None
    agent_id: int
    worker_id: int
    worker_name: str
    status: str
    review: ReviewInfo | None
    late: bool
    task_start: float
    task_end: float
    data: Work
    files: tuple[FileInfo, ...]
    post_task: Any
    metadata: dict[str, Any]

    @property
    def inputs(self) -> dict[str, Any]:
        """What the unit was made of: its row, hidden keys too."""
        return self.data.inputs

    @property
    def outputs(self) -> Any:
        """What the worker answered."""
        return self.data.outputs


@dataclass(frozen=True, kw_only=True)
class Event(Told):
    """A line of history as it was written: who changed what, and why. `id` grows; it is a position."""

    id: int
    at: datetime
    who: str
    """worker | daemon | provider | router | staff:<name>"""
    kind: str
    """run | unit | agent | onboarding | worker | grant | ..."""
    subject_id: int
    run: str | None
    before: str | None
    after: str
    why: str
