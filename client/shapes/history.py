"""What changed and what was decided: who, when and why."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Change:
    """A line of history: who changed what, and why."""

    at: datetime
    who: str
    """worker | daemon | provider | router | staff:<name>"""
    kind: str
    """run | unit | agent | onboarding | worker | grant | ..."""
    before: str | None
    after: str
    why: str


@dataclass(frozen=True, kw_only=True)
class StoryEntry(Change):
    """A change, and of what: `kind` and `subject_id` (of a grant: the worker)."""

    subject_id: int
    run: str | None


@dataclass(frozen=True, kw_only=True)
class Event(StoryEntry):
    """A line of history as it was written; `id` grows, and is a position."""

    id: int


@dataclass(frozen=True, kw_only=True)
class DecisionInfo:
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
    sentences: tuple[str, ...]
    facts: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Why:
    """Decisions and changes about one thing, each oldest first."""

    decisions: tuple[DecisionInfo, ...]
    history: tuple[StoryEntry, ...]
