"""What the control API takes and answers about qualifications, grants, blocks and reviews."""

from datetime import datetime
from typing import Annotated, Any, NotRequired, TypedDict

from .shapes import ChangeView, WorkerView

Name = Annotated[str, {"minLength": 1, "maxLength": 200}]
WorkerWord = Annotated[str, {"minLength": 1, "maxLength": 500}]
Line = Annotated[str, {"maxLength": 500}]
WorkerWords = Annotated[list[WorkerWord], {"minItems": 1, "maxItems": 10_000}]


class QualificationView(TypedDict):
    """A named property of workers, and how many have it."""

    name: str
    description: str | None
    created_at: datetime
    workers: int


class QualificationsView(TypedDict):
    """All qualifications, in the order in which they were made."""

    qualifications: list[QualificationView]


class GrantChangeView(ChangeView):
    """A change of one worker's value; without a worker, of the qualification itself."""

    worker_id: int | None
    worker_name: str | None


class QualificationDetailsView(QualificationView):
    """A qualification with its newest changes, oldest first; each names its worker."""

    history: list[GrantChangeView]


class NamedWorkerView(TypedDict):
    """A worker by number and name."""

    worker_id: int
    provider: str
    worker_name: str


class HolderView(NamedWorkerView):
    """A worker who has a qualification."""

    value: int
    at: datetime


class HoldersView(TypedDict):
    """A page of workers who have it, by number; `next` is the `after` of the following one, or null."""

    workers: list[HolderView]
    next: int | None


class QualificationBody(TypedDict):
    """A new qualification."""

    name: Name
    description: NotRequired[Line]


class DeletedQualificationView(TypedDict):
    """How many workers had it."""

    revoked: int


class GrantBody(TypedDict):
    """Who is given which value; `why` is one line for history."""

    qualification: Name
    workers: WorkerWords
    value: NotRequired[int]
    why: NotRequired[Line]


class RevokeGrantBody(TypedDict):
    """From whom it is taken; `why` is one line for history."""

    qualification: Name
    workers: WorkerWords
    why: NotRequired[Line]


class GrantedView(NamedWorkerView):
    """One worker's value before and after; null: they do not have it."""

    before: int | None
    after: int | None


class GrantedListView(TypedDict):
    """In the order of the workers."""

    grants: list[GrantedView]


class BlockBody(TypedDict):
    """Who gets nothing new from now on, and why: one line for history and for the provider."""

    workers: WorkerWords
    reason: Annotated[str, {"minLength": 1, "maxLength": 500}]


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


class ReviewBody(TypedDict):
    """A verdict on the work of agents, or on the answers to units; a rejection needs a `note`."""

    verdict: Annotated[str, {"enum": ["approve", "soft_reject", "reject"]}]
    agents: NotRequired[Annotated[list[Annotated[int, {"minimum": 1}]], {"maxItems": 200}]]
    units: NotRequired[Annotated[list[Annotated[int, {"minimum": 1}]], {"maxItems": 200}]]
    note: NotRequired[Annotated[str, {"maxLength": 2000}]]


class ReviewedView(TypedDict):
    """What became of one agent's review.

    `refused` says why it was not judged so; `blocks`, that the run's rule on soft rejects now bars the
    worker; `owed`, what the provider said instead of taking it: it is told again until it does.
    """

    agent_id: int
    status: str
    changed: bool
    refused: str | None
    blocks: bool
    owed: str | None


class ReviewsView(TypedDict):
    """In the order of the agents, those of the units last."""

    reviews: list[ReviewedView]


class DecisionView(TypedDict):
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
    sentences: list[str]
    facts: dict[str, Any]


class StoryView(ChangeView):
    """A change, and of what: `kind` and `subject_id` (of a grant: the worker)."""

    subject_id: int
    run: str | None


class WhyView(TypedDict):
    """Decisions and changes about one thing, each oldest first; the newest thousand."""

    decisions: list[DecisionView]
    history: list[StoryView]
