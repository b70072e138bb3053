"""Verdicts on work: what is asked for, and what became of it."""

from datetime import datetime
from typing import Annotated, NotRequired, TypedDict

from ..limits import REVIEWS_MAX


class ReviewView(TypedDict):
    """The newest verdict on an agent's work."""

    status: str
    note: str | None
    who: str
    at: datetime


class ReviewBody(TypedDict):
    """A verdict on the work of agents, or on the answers to units; a rejection needs a `note`."""

    verdict: Annotated[str, {"enum": ["approve", "soft_reject", "reject"]}]
    agents: NotRequired[Annotated[list[Annotated[int, {"minimum": 1}]], {"maxItems": REVIEWS_MAX}]]
    units: NotRequired[Annotated[list[Annotated[int, {"minimum": 1}]], {"maxItems": REVIEWS_MAX}]]
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
