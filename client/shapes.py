"""What the daemon answers, as typed dictionaries. Times are ISO 8601 text in UTC."""

from typing import Any, TypedDict


class RouterInfo(TypedDict):
    """How the link to one router stands."""

    name: str
    url: str
    up: bool
    since: str | None
    addition: str


class Progress(TypedDict):
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
    live: bool
    address: str | None
    routers: list[RouterInfo]


class RunInfo(Progress):
    """A run, as `runs` and `show` have it."""

    id: int
    label: str
    task: str
    blueprint: str
    provider: str
    architect: str
    sandbox: bool
    created_at: str
    ended_at: str | None


class PauseInfo(TypedDict):
    """Since when a run is paused, by whom, and why."""

    at: str
    who: str
    why: str


class PausedRun(RunInfo):
    """A run after it was paused or resumed; `changed` is False when it was so already."""

    changed: bool


class RunDetails(RunInfo):
    """A run with its resolved config."""

    last_submission_at: str | None
    pause: PauseInfo | None
    counters: dict[str, int]
    """What was handled, refused and failed since the run was taken up, by name."""
    config: dict[str, Any]


class Snapshot(Progress):
    """One line of `watch`; `per_minute` is None until it has been watched for a moment."""

    run: str
    id: int
    per_minute: float | None


class UnitInfo(TypedDict):
    """One worker's part of an assignment."""

    id: int
    assignment_id: int
    unit_index: int
    status: str
    agent_id: int | None
    worker_id: int | None
    worker_name: str | None
    pay_cents: int


class AgentInfo(TypedDict):
    """One worker on one unit."""

    id: int
    unit_id: int
    assignment_id: int
    worker_id: int
    worker_name: str
    status: str
    reason: str | None
    created_at: str
    due_at: str | None
    ended_at: str | None


class WorkerInfo(TypedDict):
    """A person, known through one provider."""

    id: int
    provider: str
    name: str
    blocked: bool
    created_at: str


class GrantInfo(TypedDict):
    """A worker's value of a qualification."""

    qualification: str
    value: int
    at: str


class Change(TypedDict):
    """A line of history: who changed what, and why."""

    at: str
    who: str
    kind: str
    before: str | None
    after: str
    why: str


class WorkerDetails(WorkerInfo):
    """A worker with grants, and the history of blocks and grants."""

    grants: list[GrantInfo]
    history: list[Change]


class WorkInfo(AgentInfo):
    """An agent of a worker, and the label of its run."""

    run: str


class RunDisk(TypedDict):
    """What one run takes beside its records, in bytes."""

    id: int
    label: str
    state: str
    task: int
    files: int
    router: int


class DiskInfo(TypedDict):
    """The daemon's data folder, in bytes."""

    data: str
    database: int
    other: int
    free: int
    runs: list[RunDisk]


class ErrorInfo(TypedDict):
    """What went wrong in a page, a hook or a plug-in."""

    id: int
    at: str
    source: str
    """page | router | hook | plug-in"""
    agent_id: int | None
    text: str
    traceback: str | None
    data: Any


class PlanInfo(TypedDict):
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
    warnings: list[str]
    """What may be meant so, and hardly is."""


class OptionInfo(TypedDict):
    """Something that can be set."""

    path: str
    type: str
    required: bool
    default: Any
    default_text: str
    """The default as TOML has it."""
    meaning: str


class PlugInInfo(TypedDict):
    """A blueprint, provider or architect, and what can be set for it."""

    kind: str
    name: str
    meaning: str
    origin: str
    """The distribution that brings it, or task.py."""
    options: list[OptionInfo]
    trouble: str


class OptionsInfo(TypedDict):
    """Plug-ins with their options, and options that are nobody's own."""

    plug_ins: list[PlugInInfo]
    options: list[OptionInfo]


class LogPart(TypedDict):
    """A part of the daemon that logs, and from which level on."""

    part: str
    level: str
    meaning: str


class RevokedLink(TypedDict):
    """A personal link that is refused from now on.

    `already`: it was before. `at_work`: so many agents hold a unit by it, still; from `ended` it was taken.
    """

    run: str
    worker_name: str
    already: bool
    at_work: int
    ended: int


class Link(TypedDict):
    """A worker's personal address."""

    worker_name: str
    url: str
