"""Units, agents, what they submitted, and what went wrong."""

from datetime import datetime
from typing import Any, TypedDict

from .reviews import ReviewView


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


class UnitsView(TypedDict):
    """A page of units; `next` is the `after` of the following one, or null."""

    units: list[UnitView]
    next: int | None


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


class AgentsView(TypedDict):
    """A page of agents; `next` is the `after` of the following one, or null."""

    agents: list[AgentView]
    next: int | None


class WorkView(AgentView):
    """An agent of a worker, and the label of its run."""

    run: str


class WorksView(TypedDict):
    """A page of a worker's agents; `next` is the `after` of the following one, or null."""

    agents: list[WorkView]
    next: int | None


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


class UpdateView(TypedDict):
    """One live update; `by` is "worker" or "task"."""

    at: float
    by: str
    data: dict[str, Any]


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
    simulated: bool
    status: str
    review: ReviewView | None
    late: bool
    task_start: float
    task_end: float
    data: OwnDataView
    files: list[FileView]
    post_task: Any
    metadata: dict[str, list[Any]]
    updates: list[UpdateView]


class DebtView(TypedDict):
    """What a worker has coming beside the pay for units; `what`: waiting, so many seconds."""

    id: int
    at: datetime
    agent_id: int
    worker_id: int
    worker_name: str
    what: str
    seconds: float
    cents: int
    why: str


class DebtsView(TypedDict):
    """A page of what is owed; `next` is the `after` of the following one, or null."""

    owed: list[DebtView]
    next: int | None


class ErrorNoteView(TypedDict):
    """What went wrong in a page, a router, a hook or a plug-in, in words; `data` is all that was told."""

    id: int
    at: datetime
    source: str
    agent_id: int | None
    text: str
    traceback: str | None
    data: Any


class ErrorNotesView(TypedDict):
    """A page of errors; `next` is the `after` of the following one, or null."""

    errors: list[ErrorNoteView]
    next: int | None
