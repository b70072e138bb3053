"""Qualifications, who has them, and giving and taking them."""

from datetime import datetime
from typing import Annotated, NotRequired, TypedDict

from ..limits import NAME_CHARACTERS_MAX
from .history import ChangeView
from .people import Line, WorkerWords

Name = Annotated[str, {"minLength": 1, "maxLength": NAME_CHARACTERS_MAX}]


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


class QualificationBody(TypedDict):
    """A new qualification."""

    name: Name
    description: NotRequired[Line]


class DeletedQualificationView(TypedDict):
    """How many workers had it."""

    revoked: int


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


class GrantBody(TypedDict):
    """Who is given which value; `why` is one line for history. `ahead`: also those who never came."""

    qualification: Name
    workers: WorkerWords
    value: NotRequired[int]
    why: NotRequired[Line]
    ahead: NotRequired[bool]


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
