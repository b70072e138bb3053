"""Single changes, frozen. `Storage.commit` does any number of them in one transaction, or none."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import attrs

from ..protocol.names import AgentId, AgentStatus, RunId, RunState, UnitId, UnitStatus, WorkerId
from ..protocol.packets import FileNote
from .admission import NewDecision


@attrs.frozen
class MoveAgent:
    """Agent `id` goes from `before` to `after` (guard: it is still `before`); its version grows by one.

    `due_at` replaces the agent's; `ended_at` is set to now when `after` is not a live status, else cleared.
    """

    id: AgentId
    before: AgentStatus
    after: AgentStatus
    who: str
    why: str
    reason: str | None = None
    due_at: datetime | None = None


@attrs.frozen
class MoveUnit:
    """Unit `id` goes from `before` to `after` (guard: still `before` and held by `held_by`, None: nobody).

    `release` clears agent and worker. A unit that becomes `launched` gets a new, highest position; in a
    `grouped` run it keeps its own.
    InvalidRecord when it would be assigned, completed or reviewed without an agent, or free with one; also
    when a special unit would be free: made for one worker, it expires when they give it up.
    """

    id: UnitId
    before: UnitStatus
    after: UnitStatus
    who: str
    why: str
    held_by: AgentId | None = None
    release: bool = False


@attrs.frozen
class TakeBack:
    """Unit `id`, which is free, is `agent_id`'s again (guard: it is `launched`, and was the agent's).

    Guard, too: no late answer of the agent is to be paid. So nobody is paid for a unit in both ways.
    It is in the agent's hands then: what becomes of it is another write. A special unit is never free.
    """

    id: UnitId
    agent_id: AgentId
    who: str
    why: str


@attrs.frozen
class AddSubmission:
    """Stores the final answer of an agent; `Duplicate` when it has one."""

    agent_id: AgentId
    data: bytes
    files: Sequence[FileNote]
    digest: str
    late: bool = False


@attrs.frozen
class AddReview:
    """Stores a decision about an agent's work."""

    agent_id: AgentId
    status: AgentStatus
    who: str
    note: str | None = None


@attrs.frozen
class MoveRun:
    """Run `id` goes from `before` to `after`; `ended_at` is set when `after` is not an unfinished state."""

    id: RunId
    before: RunState
    after: RunState
    who: str
    why: str


@attrs.frozen
class SetDue:
    """Gives a live agent more or less time (guard: it is live)."""

    agent_id: AgentId
    due_at: datetime | None


@attrs.frozen
class SetGrant:
    """Gives (or replaces) a worker's value of a qualification; NotFound when there is no such."""

    name: str
    worker_id: WorkerId
    value: int
    who: str
    why: str


@attrs.frozen
class TakeGrant:
    """Takes a worker's grant away; NotFound when there is none."""

    name: str
    worker_id: WorkerId
    who: str
    why: str


@attrs.frozen
class AddToGrant:
    """Adds `by` to a worker's value of a qualification, in the database; no grant counts as 0."""

    name: str
    worker_id: WorkerId
    by: int
    who: str
    why: str


@attrs.frozen
class SetBlocked:
    """Blocks or unblocks a worker; one who is so already stays so, without an entry in the history."""

    worker_id: WorkerId
    blocked: bool
    who: str
    why: str


@attrs.frozen
class MoveOnboarding:
    """Onboarding agent `id` goes from `before` to `after` (guard: still `before`); its version grows by one.

    `due_at` and `reason` replace the agent's; `data` None keeps what is stored; `ended_at` is set to now when
    `after` is not a live status, else cleared.
    """

    id: AgentId
    before: AgentStatus
    after: AgentStatus
    who: str
    why: str
    reason: str | None = None
    data: Any = None
    due_at: datetime | None = None


@attrs.frozen
class RecordDecision:
    """Records a decision together with what it changed."""

    decision: NewDecision


@attrs.frozen
class PutFact:
    """Keeps a JSON value under (scope, key), replacing; None removes it."""

    scope: str
    key: str
    value: Any


@attrs.frozen
class AddOwed:
    """Stores what an agent's worker has coming beside their pay; `Duplicate` for the same `what` again."""

    agent_id: AgentId
    what: str
    seconds: float
    cents: int
    why: str


@attrs.frozen
class OweLate:
    """Late answer `id` is to be paid.

    Guards: that is not decided yet, and its agent does not have its unit (any more): who has it is paid by a
    review. `Duplicate` when another late answer of the agent is to be paid. InvalidRecord for less than a
    cent, for what is no answer, and for one of no agent.
    """

    id: int
    cents: int
    note: str | None
    who: str


@attrs.frozen
class LatePaid:
    """The crowd provider has taken the payment of late answer `id` (guard: it is owed, and was not paid)."""

    id: int


Write = (
    MoveAgent
    | MoveUnit
    | TakeBack
    | AddSubmission
    | AddReview
    | MoveRun
    | SetDue
    | SetGrant
    | TakeGrant
    | AddToGrant
    | SetBlocked
    | MoveOnboarding
    | RecordDecision
    | PutFact
    | AddOwed
    | OweLate
    | LatePaid
)
