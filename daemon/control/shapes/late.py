"""Answers that came too late to count, and what is paid for them."""

from datetime import datetime
from typing import Annotated, Any, NotRequired, TypedDict

from ..limits import REVIEWS_MAX
from .work import FileView


class LatePaymentView(TypedDict):
    """What staff decided to pay; `paid_at`: when the provider took it, null until it does."""

    cents: int
    note: str | None
    who: str
    at: datetime
    paid_at: datetime | None


class LateView(TypedDict):
    """What a router had called submitted, and came when its unit was not to be had any more; `why` says so.

    `kind`: answer | metadata. Without an agent: the store was restored from a copy that is older than it.
    `pay_cents` is what the unit is worth, `payment` what staff decided to pay for the answer: null, nothing.
    """

    id: int
    at: datetime
    kind: str
    agent_id: int | None
    unit_id: int | None
    worker_id: int | None
    worker_name: str | None
    status: str | None
    pay_cents: int | None
    payment: LatePaymentView | None
    why: str
    data: Any
    files: list[FileView]


class LatesView(TypedDict):
    """A page of late answers; `next` is the `after` of the following one, or null."""

    late: list[LateView]
    next: int | None


class PayLateBody(TypedDict):
    """Late answers by number. `amount` is text, as in task.toml; without it: what the unit is worth."""

    late: Annotated[list[Annotated[int, {"minimum": 1}]], {"minItems": 1, "maxItems": REVIEWS_MAX}]
    amount: NotRequired[Annotated[str, {"pattern": r"^[0-9]{1,12}(\.[0-9]{1,2})?$"}]]
    note: NotRequired[Annotated[str, {"maxLength": 2000}]]


class LatePaidView(TypedDict):
    """What became of one late answer.

    `cents`: what is paid for it; `refused` says why it is not paid so; `owed`, what the provider said instead
    of taking it: it is told again until it does.
    """

    id: int
    cents: int | None
    changed: bool
    refused: str | None
    owed: str | None


class LatesPaidView(TypedDict):
    """In the order in which they were asked for."""

    late: list[LatePaidView]
