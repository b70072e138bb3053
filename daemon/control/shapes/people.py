"""Workers, how they did, and blocks."""

from datetime import datetime
from typing import Annotated, NotRequired, TypedDict

from ..limits import LINE_CHARACTERS_MAX, WORKER_WORD_CHARACTERS_MAX, WORKERS_MAX
from .history import ChangeView

Line = Annotated[str, {"maxLength": LINE_CHARACTERS_MAX}]


WorkerWord = Annotated[str, {"minLength": 1, "maxLength": WORKER_WORD_CHARACTERS_MAX}]


WorkerWords = Annotated[list[WorkerWord], {"minItems": 1, "maxItems": WORKERS_MAX}]


class WorkerView(TypedDict):
    """A person, known through one provider."""

    id: int
    provider: str
    name: str
    blocked: bool
    created_at: datetime


class WorkersView(TypedDict):
    """A page of workers; `next` is the `after` of the following one, or null."""

    workers: list[WorkerView]
    next: int | None


class GrantView(TypedDict):
    """A worker's value of a qualification."""

    qualification: str | None
    value: int
    at: datetime


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


class BlockBody(TypedDict):
    """Who gets nothing new from now on, and why: one line for history and for the provider."""

    workers: WorkerWords
    reason: Annotated[str, {"minLength": 1, "maxLength": LINE_CHARACTERS_MAX}]


class UnblockBody(TypedDict):
    """Who may come again; `reason` is one line for history."""

    workers: WorkerWords
    reason: NotRequired[Line]


class HeldUnitView(TypedDict):
    """A unit that somebody is working on."""

    run: str
    unit_id: int
    agent_id: int | None


class BlockView(WorkerView):
    """A worker after it: whether it changed anything, what they have in hand and keep.

    `owed`: what the provider said instead of taking it; it is told again until it does.
    """

    changed: bool
    holds: list[HeldUnitView]
    owed: str | None


class BlocksView(TypedDict):
    """In the order of the workers."""

    workers: list[BlockView]
