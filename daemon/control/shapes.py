"""What the control API takes and answers, as typed dictionaries. Its OpenAPI document is made of them."""

from datetime import datetime
from typing import Annotated, Any, NotRequired, TypedDict


class RouterView(TypedDict):
    """How the link to one router stands."""

    name: str
    url: str
    up: bool
    since: datetime
    addition: str


class CountsView(TypedDict):
    """How many units and agents are in each status."""

    units: dict[str, int]
    agents: dict[str, int]
    units_total: int
    units_done: int
    agents_live: int


class LiveView(TypedDict):
    """What only a run that is being carried out has."""

    live: bool
    address: str | None
    routers: list[RouterView]


class StandView(CountsView, LiveView):
    """How a run stands."""

    id: int
    state: str
    trouble: str | None
    paused: bool
    deleting: bool
    rows_made: int
    rows_done: bool


class RunView(StandView):
    """A run with its progress."""

    label: str
    task: str
    blueprint: str
    provider: str
    architect: str
    sandbox: bool
    created_at: datetime
    ended_at: datetime | None


class PausedRunView(RunView):
    """A run after it was paused or resumed; `changed` is false when it was so already."""

    changed: bool


class SettingView(TypedDict):
    """A setting that is another now, in words."""

    key: str
    before: str | None
    after: str


class ExtensionView(TypedDict):
    """What was changed now.

    `already`: this request had added its rows before, and nothing was changed. `present`: so many who are at
    work have more time. `rows_after_code`: the rows come after those of rows() in task.py, if that ever ends.
    """

    changes: list[SettingView]
    rows: int
    already: bool
    present: int
    rows_after_code: bool


class ExtendedView(RunView):
    """A run after it was extended."""

    extension: ExtensionView


class StockView(TypedDict):
    """What goes with a run when it is deleted; `bytes` of its files, uploads among them."""

    id: int
    label: str
    state: str
    units: int
    submissions: int
    files: int
    bytes: int


class PauseView(TypedDict):
    """Since when a run is paused, by whom, and why."""

    at: datetime
    who: str
    why: str


class OwedView(TypedDict):
    """What the crowd provider is still to be told, with what it said at the last of so many tries."""

    call: str
    agent_id: int | None
    worker_id: int | None
    since: datetime
    tries: int
    error: str | None


class RunDetailsView(RunView):
    """A run with its resolved config. `counters`: what was handled and refused since it was taken up."""

    owed: list[OwedView]
    last_submission_at: datetime | None
    pause: PauseView | None
    counters: dict[str, int]
    config: dict[str, Any]


class WatchedView(StandView):
    """How a run of this label stands."""

    run: str


class SnapshotView(WatchedView):
    """One line of a watched run; `per_minute` is null until it has been watched for a moment."""

    per_minute: float | None


class RunsView(TypedDict):
    """Runs, oldest first."""

    runs: list[RunView]


class ReviewView(TypedDict):
    """The newest verdict on an agent's work."""

    status: str
    note: str | None
    who: str
    at: datetime


class UnitView(TypedDict):
    """One worker's part of an assignment, and who has it. `special`: screening or gold, else null."""

    id: int
    assignment_id: int
    unit_index: int
    special: str | None
    status: str
    agent_id: int | None
    worker_id: int | None
    worker_name: str | None
    pay_cents: int
    review: ReviewView | None


class AgentView(TypedDict):
    """One worker on one unit. `special`: a screening or gold unit, else null."""

    id: int
    unit_id: int
    assignment_id: int
    special: str | None
    worker_id: int
    worker_name: str | None
    status: str
    reason: str | None
    created_at: datetime
    due_at: datetime | None
    ended_at: datetime | None
    review: ReviewView | None


class WorkView(AgentView):
    """An agent of a worker, and the label of its run."""

    run: str


class ErrorNoteView(TypedDict):
    """What went wrong in a page, a router, a hook or a plug-in, in words; `data` is all that was told."""

    id: int
    at: datetime
    source: str
    agent_id: int | None
    text: str
    traceback: str | None
    data: Any


class WorkerView(TypedDict):
    """A person, known through one provider."""

    id: int
    provider: str
    name: str
    blocked: bool
    created_at: datetime


class GrantView(TypedDict):
    """A worker's value of a qualification."""

    qualification: str | None
    value: int
    at: datetime


class ChangeView(TypedDict):
    """A line of history: who changed what, and why."""

    at: datetime
    who: str
    kind: str
    before: str | None
    after: str
    why: str


class TrackRecordView(TypedDict):
    """How a worker did so far, over all runs, in seconds; the truth is a row's `_truth`."""

    submitted: int
    approved: int
    soft_rejected: int
    rejected: int
    time_spent_s: float
    truth_known: int
    truth_agreed: int


class WorkerDetailsView(WorkerView):
    """A worker with grants, the history of blocks and grants, and how they did so far."""

    record: TrackRecordView
    grants: list[GrantView]
    history: list[ChangeView]


class UnitsView(TypedDict):
    """A page of units; `next` is the `after` of the following one, or null."""

    units: list[UnitView]
    next: int | None


class AgentsView(TypedDict):
    """A page of agents; `next` is the `after` of the following one, or null."""

    agents: list[AgentView]
    next: int | None


class ErrorNotesView(TypedDict):
    """A page of errors; `next` is the `after` of the following one, or null."""

    errors: list[ErrorNoteView]
    next: int | None


class WorkersView(TypedDict):
    """A page of workers; `next` is the `after` of the following one, or null."""

    workers: list[WorkerView]
    next: int | None


class WorksView(TypedDict):
    """A page of a worker's agents; `next` is the `after` of the following one, or null."""

    agents: list[WorkView]
    next: int | None


class PlanView(TypedDict):
    """What a launch would run. `units_more`: there may be more than `units`, or nobody knows (null).

    `address` is as far as it is known before: `<port>` stands for one that is chosen then.
    """

    name: str
    label: str
    blueprint: str
    provider: str
    sandbox: bool
    architect: str
    units: int | None
    units_more: bool
    reward: str
    pay_total: str | None
    address: str
    warnings: list[str]


class OptionView(TypedDict):
    """Something that can be set; `default_text` is the default as TOML has it."""

    path: str
    type: str
    required: bool
    default: Any
    default_text: str
    meaning: str


class PlugInView(TypedDict):
    """A plug-in, what brings it (a distribution, or task.py), its options, and why it cannot be used."""

    kind: str
    name: str
    meaning: str
    origin: str
    options: list[OptionView]
    trouble: str


class OptionsView(TypedDict):
    """Plug-ins with their options, and options that are nobody's own."""

    plug_ins: list[PlugInView]
    options: list[OptionView]


class LinkView(TypedDict):
    """A worker's personal address."""

    worker_name: str
    url: str


class LinksView(TypedDict):
    """Personal addresses, in the order of the workers."""

    links: list[LinkView]


class RevokedLinkView(TypedDict):
    """A personal link that is refused from now on.

    `already`: it was before. `at_work`: so many agents hold a unit by it, still; from `ended` it was taken.
    """

    run: str
    worker_name: str
    already: bool
    at_work: int
    ended: int


class ExpiredView(TypedDict):
    """How many units were taken off the queue."""

    expired: int


class LogPartView(TypedDict):
    """A part of the daemon that logs, and from which level on."""

    part: str
    level: str
    meaning: str


class LogView(TypedDict):
    """All parts that log."""

    parts: list[LogPartView]


class RunDiskView(TypedDict):
    """What one run takes beside its records, in bytes."""

    id: int
    label: str
    state: str
    task: int
    files: int
    router: int


class DiskView(TypedDict):
    """The daemon's data folder, in bytes."""

    data: str
    database: int
    other: int
    free: int
    runs: list[RunDiskView]


class RouterUpView(TypedDict):
    """Whether one router of a run is up."""

    name: str
    up: bool


class HeldView(TypedDict):
    """What the daemon holds: `runs` by number."""

    stopping: bool
    epoch: int
    runs: dict[int, list[RouterUpView]]


class StatusView(HeldView):
    """What the daemon says of itself; `you` is the peer as history names it."""

    version: str
    you: str


class EventView(ChangeView):
    """A line of history as it was written. `id` grows: it is a position."""

    id: int
    subject_id: int
    run: str | None


class PositionView(TypedDict):
    """Up to where all was told; `ended`: the run has ended, nothing more will come."""

    position: int
    ended: bool


class FileView(TypedDict):
    """An uploaded file: it is stored as runs/<run number>/files/<sha256> in the data folder."""

    sha256: str
    size: int
    fieldname: str
    originalname: str
    mimetype: str


class OwnDataView(TypedDict):
    """What a unit was made of, and what its worker answered."""

    inputs: dict[str, Any]
    outputs: Any


class RecordView(TypedDict):
    """One agent that submitted, with all that belongs to it."""

    run: str
    assignment_id: int
    unit_id: int
    unit_index: int
    special: str | None
    agent_id: int
    worker_id: int
    worker_name: str
    status: str
    review: ReviewView | None
    late: bool
    task_start: float
    task_end: float
    data: OwnDataView
    files: list[FileView]
    post_task: Any
    metadata: dict[str, list[Any]]


class RefusalView(TypedDict):
    """Why not, and what to do next. `code` is stable; `problems` are all that was found in a task."""

    code: str
    message: str
    hint: str
    problems: NotRequired[list[str]]


class ErrorView(TypedDict):
    """Every answer that is no success."""

    error: RefusalView


class WhyBody(TypedDict):
    """`why` is one line for history."""

    why: NotRequired[Annotated[str, {"maxLength": 500}]]


class NothingBody(TypedDict):
    """Nothing needs to be said."""


class StopBody(TypedDict):
    """`now`: those at work do not finish."""

    now: NotRequired[bool]


WorkerName = Annotated[str, {"minLength": 1, "maxLength": 200}]


class NamedLinksBody(TypedDict):
    """For whom: the same name is the same person."""

    workers: Annotated[list[WorkerName], {"minItems": 1, "maxItems": 10_000}]


class NewLinksBody(TypedDict):
    """For how many workers who have no names yet."""

    count: Annotated[int, {"minimum": 1, "maximum": 10_000}]


class RevokeBody(TypedDict):
    """The link as it was given, or only what it carries. `now`: who works by it loses the unit."""

    link: Annotated[str, {"minLength": 1}]
    now: NotRequired[bool]


class RevokeOfBody(TypedDict):
    """Whose link to the run. `now`: who works by it loses the unit."""

    worker: WorkerName
    now: NotRequired[bool]


class LogBody(TypedDict):
    """Which part shall log from which level on, until the daemon ends."""

    part: str
    level: str
