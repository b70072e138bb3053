"""Units, agents, what they submitted, and what went wrong."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .reviews import ReviewInfo


@dataclass(frozen=True, kw_only=True)
class UnitInfo:
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
class AgentInfo:
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
class WorkInfo(AgentInfo):
    """An agent of a worker, and the label of its run."""

    run: str


@dataclass(frozen=True, kw_only=True)
class FileInfo:
    """An uploaded file of a submission; `Client.read_file` has what is in it."""

    sha256: str
    size: int
    fieldname: str
    originalname: str
    mimetype: str


@dataclass(frozen=True, kw_only=True)
class Work:
    """What a unit was made of, and what its worker answered."""

    inputs: dict[str, Any]
    outputs: Any


@dataclass(frozen=True, kw_only=True)
class UpdateInfo:
    """One live update that a worker's page sent, or the task's code. `at` in seconds of the epoch."""

    at: float
    by: str
    """worker | task"""
    data: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Submission:
    """One agent that submitted, with all that belongs to it. Times in seconds of the epoch."""

    run: str
    assignment_id: int
    unit_id: int
    unit_index: int
    special: str | None
    agent_id: int
    worker_id: int
    worker_name: str
    simulated: bool
    """Whether a program played in the place of a missing partner."""
    status: str
    review: ReviewInfo | None
    late: bool
    task_start: float
    task_end: float
    data: Work
    files: tuple[FileInfo, ...]
    post_task: Any
    metadata: dict[str, Any]
    updates: tuple[UpdateInfo, ...]
    """All that was said live, both ways, in order."""

    @property
    def inputs(self) -> dict[str, Any]:
        """What the unit was made of: its row, hidden keys too."""
        return self.data.inputs

    @property
    def outputs(self) -> Any:
        """What the worker answered."""
        return self.data.outputs


@dataclass(frozen=True, kw_only=True)
class DebtInfo:
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


@dataclass(frozen=True, kw_only=True)
class ErrorInfo:
    """What went wrong in a page, a hook or a plug-in."""

    id: int
    at: datetime
    source: str
    """page | router | hook | plug-in"""
    agent_id: int | None
    text: str
    traceback: str | None
    data: Any
