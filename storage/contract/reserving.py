"""The contract of storage about finding a worker a unit and giving it to them."""

import abc
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs

from ...protocol.names import AgentStatus, RunId, UnitId, WireId, WorkerId
from ..admission import Candidate, NewDecision, NewSpecial, WorkerFacts
from ..records import Agent, Assignment, Unit, Worker


@attrs.frozen
class Registration:
    """What `reserve` needs to give a worker a unit."""

    run_id: RunId
    worker_id: WorkerId
    wire_id: WireId = attrs.field(repr=False)
    link: str
    after: str
    path: Sequence[AgentStatus]
    """The statuses the new agent goes through at once, e.g. (accepted, in task); each has a history entry."""
    due_at: datetime | None
    provider_data: dict[str, Any] = attrs.Factory(dict[str, Any])
    allowed_concurrent: int = 0
    """How many units of this run the worker may hold at once; 0: no limit."""
    maximum_units_per_worker: int = 0
    """How many units of the task (any run) the worker may hold or have completed; 0: no limit.

    Special units are not counted, and nobody is refused one for it.
    """
    candidates: Sequence[UnitId] | None = None
    """The units to choose from, best first: the first of them that is still free. None: the run's order."""
    special: NewSpecial | None = None
    """Make this unit and give it to the worker, instead of one of the queue."""
    expect: Mapping[str, int | None] = attrs.Factory(dict[str, int | None])
    """The grants that the decision relied on, None: has none; are they others now, nothing is reserved."""
    grants: Mapping[str, int | None] = attrs.Factory(dict[str, int | None])
    """What the worker is granted with it (None: is taken away), when it is new. NotFound as for SetGrant."""
    decision: NewDecision | None = None
    """Recorded with what it led to, when that is new."""


@attrs.frozen
class Reserved:
    """The worker has a unit. `existing`: an agent was there for (link, after); nothing was changed."""

    agent: Agent
    unit: Unit
    assignment: Assignment
    existing: bool


@attrs.frozen
class NotReserved:
    """Nothing was changed; `reason` is a `Reason` value: no_available_units, run_ended, paused, blocked,
    too_many_concurrent, max_for_task; or one that asks to decide again: facts_changed (`expect` was wrong),
    candidates_gone (none of them is free), cap_reached (of special units)."""

    reason: str
    facts: Mapping[str, Any] = attrs.Factory(dict[str, Any])


Choose = Callable[[WorkerFacts], Registration | None]
"""What a newcomer is given at once, if anything. Called in the transaction, on another thread and perhaps
twice: pure and quick."""


@attrs.frozen
class Arrival:
    """A worker who comes to a run, known or not."""

    run_id: RunId
    provider: str
    name: str
    provider_data: dict[str, Any] = attrs.Factory(dict[str, Any])
    """Kept with them, if they are new."""
    choose: Choose | None = None
    """What they are given at once, if they are new; None: nothing is."""
    fresh_link: str | None = None
    """The link by which they come, if nobody new may come by one that led anybody to an agent of the run."""


@attrs.frozen
class Arrived:
    """A worker who is known now."""

    worker: Worker
    facts: WorkerFacts | None
    """About the run, of who was not known before; of others facts are read once what they sent is judged."""
    reserved: Reserved | NotReserved | None = None
    """What `reserve` made of what was chosen for a newcomer; None: nothing was."""


class ReservingContract(abc.ABC):
    """What `Storage` promises about finding a worker a unit and giving it to them."""

    @abc.abstractmethod
    async def reserve(self, registration: Registration, now: datetime) -> Reserved | NotReserved:
        """Give the worker the first free unit of the run's queue that is not of an assignment they worked on.

        Who only waited there for others (an agent that ended for one of `ONLY_WAITED`) did not work on it.

        One guarded transaction: the agent for (run, link, after) if there is one, whatever its status
        (`existing`); else block, run state (only `running`), expected grants, limits, unit and agent are
        checked and written together, with the decision. A worker never gets two units of one assignment.
        Cost does not depend on the run's size.
        Duplicate: the agent of (link, after) is another worker's, or the wire id is taken. InvalidRecord:
        more than CANDIDATES_MAX candidates, candidates beside a special unit, or one without its index.
        """

    @abc.abstractmethod
    async def arrive(self, arrival: Arrival, now: datetime) -> Arrived:
        """As `register_worker`, for a worker who comes to a run: of a new one with all facts, in one go.

        What `choose` says upon these is done in the same transaction, as `reserve` does it. Of who is known
        nothing else is looked at. Duplicate: they are new and `fresh_link` led somebody to an agent of the
        run before, onboarded or not; then they do not become known.
        """

    @abc.abstractmethod
    async def worker_facts(self, run_id: RunId, worker_id: WorkerId) -> WorkerFacts:
        """Read at one moment, at a cost that depends on this worker alone."""

    @abc.abstractmethod
    async def candidates(
        self, run_id: RunId, worker_id: WorkerId, after: Candidate | None = None, limit: int = 64
    ) -> list[Candidate]:
        """The free units behind `after`, in the order in which the run gives them.

        None of an assignment the worker ever worked on. Cost does not depend on the run's size.
        """

    @abc.abstractmethod
    async def special_digests(self, run_id: RunId, worker_id: WorkerId, unit_index: int) -> frozenset[str]:
        """The digests of the special units that this worker was given in this run, also of those given up."""

    @abc.abstractmethod
    async def special_count(self, run_id: RunId, unit_index: int) -> int:
        """How many special units of this index the run ever made, those given up included."""
