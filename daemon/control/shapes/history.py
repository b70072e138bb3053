"""What changed and what was decided: who, when and why."""

from datetime import datetime
from typing import Any, TypedDict


class ChangeView(TypedDict):
    """A line of history: who changed what, and why."""

    at: datetime
    who: str
    kind: str
    before: str | None
    after: str
    why: str


class StoryView(ChangeView):
    """A change, and of what: `kind` and `subject_id` (of a grant: the worker)."""

    subject_id: int
    run: str | None


class EventView(StoryView):
    """A line of history as it was written. `id` grows: it is a position."""

    id: int


class PositionView(TypedDict):
    """Up to where all was told; `ended`: the run has ended, nothing more will come."""

    position: int
    ended: bool


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


class WhyView(TypedDict):
    """Decisions and changes about one thing, each oldest first; the newest thousand."""

    decisions: list[DecisionView]
    history: list[StoryView]
