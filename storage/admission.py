"""What admission reads from storage and gives to it: facts, candidates, special units, onboarding, decisions.

Frozen values only; the promises of the methods that take and give them stand in `contract`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from ..protocol.names import AgentId, RunId, RunState, UnitId, WireId, WorkerId
from .records import Assignment, OnboardingAgent, Unit, Worker

FACTS_CHANGED = "facts_changed"
CANDIDATES_GONE = "candidates_gone"
CAP_REACHED = "cap_reached"
"""Reasons of `NotReserved` that no worker is told: read again, decide again."""


@attrs.frozen
class WorkerFacts:
    """All that storage knows about a worker who asks a run for work, read at one moment."""

    worker: Worker
    state: RunState
    paused: bool
    grants: Mapping[str, int]
    """The worker's values, by name of the qualification."""
    holding: int
    """How many units of this run they hold, special ones included."""
    task_units: int
    """How many units of the task, of any run, they hold or have done; special ones are not counted."""
    onboarding: OnboardingAgent | None
    """Their newest onboarding agent of this run."""
    screening_units: int
    gold_units: int
    """How many such units the run made, for anybody, and that did not expire: what counts against the cap."""
    free_units: int
    """How many units of the run are free, for anybody."""


@attrs.frozen
class Candidate:
    """A free unit that the worker may get. As `after` it is the place to read on from."""

    unit: Unit
    assignment: Assignment


@attrs.frozen
class NewDecision:
    """What was decided, from which facts. `reserve` and `begin_onboarding` fill in whom it led to."""

    run_id: RunId
    worker_id: WorkerId | None
    """None: the worker could not be identified."""
    kind: str
    """admission | onboarding | screening | gold | review | ..."""
    outcome: str
    reason: str | None
    facts: dict[str, Any]
    agent_id: AgentId | None = None
    unit_id: UnitId | None = None
    onboarding_id: AgentId | None = None


@attrs.frozen
class NewSpecial:
    """A unit made for one worker alone, with an assignment of its own (row -1, `data` is its `shared`)."""

    unit_index: int
    """SCREENING_UNIT_INDEX or GOLD_UNIT_INDEX."""
    data: dict[str, Any]
    digest: str
    """Of the data: what `special_digests` gives, so that nobody gets the same twice."""
    cap: int
    """At most so many of this kind in the run; those that expired are not counted."""
    pay_cents: int = 0


@attrs.frozen
class NewOnboarding:
    """A worker who is to be onboarded for a run."""

    run_id: RunId
    worker_id: WorkerId
    wire_id: WireId = attrs.field(repr=False)
    link: str
    after: str
    due_at: datetime | None
    provider_data: dict[str, Any] = attrs.Factory(dict[str, Any])
    expect: Mapping[str, int | None] = attrs.Factory(dict[str, int | None])
    """The grants that the decision relied on, None: has none; when they are others now, nothing begins."""
    grants: Mapping[str, int | None] = attrs.Factory(dict[str, int | None])
    """What the worker is granted with it (None: is taken away), when it is new."""
    decision: NewDecision | None = None


@attrs.frozen
class OnboardingBegun:
    """The worker is being onboarded. `existing`: that had begun before; nothing was changed."""

    agent: OnboardingAgent
    existing: bool
