"""The contract of storage about agents with their units, and what they submitted."""

import abc
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

import attrs

from ...protocol.names import AgentId, AgentStatus, AssignmentId, RunId, WireId, WorkerId
from ..admission import WorkerFacts
from ..records import Agent, Assignment, LiveUpdate, Metadata, Review, Submission, TaskRun, Unit, Worker
from ..writes import Write

Plan = Callable[[Agent, Unit], Sequence[Write]]
"""What is to be done about an agent and its unit. Called in the transaction, on another thread and perhaps
twice: pure and quick."""

Bar = tuple[str, str]
"""Scope and key of a fact that is there while somebody is not to be let in."""


@attrs.frozen
class ExportRow:
    """One agent that submitted, with all that belongs to it."""

    run: TaskRun
    assignment: Assignment
    unit: Unit
    agent: Agent
    worker: Worker
    submission: Submission
    metadata: Sequence[Metadata]
    review: Review | None
    """The newest."""
    updates: Sequence[LiveUpdate] = ()
    """All that was said live, both ways, in order."""


@attrs.frozen
class LastOfLink:
    """The newest agent that a link led to, with what belongs to it."""

    agent: Agent
    unit: Unit
    assignment: Assignment
    worker: Worker
    facts: WorkerFacts | None = None
    """About the worker and the run, of who goes on from this agent and is not barred; None: nobody does."""


class LivesContract(abc.ABC):
    """What `Storage` promises about agents with their units, and what they submitted."""

    @abc.abstractmethod
    async def commit(self, writes: Sequence[Write], now: datetime) -> Mapping[AgentId, Agent]:
        """Do all of `writes`, in order, in one transaction, or none (StaleWrite, Duplicate, NotFound).

        Returns the agents that a MoveAgent among them moved, as they are stored then.
        Duplicate also when a worker would be onboarded twice at once.
        StaleWrite also when an agent would be live without holding its unit: one that comes back after its
        unit went elsewhere, or whose unit is moved away under it.
        """

    @abc.abstractmethod
    async def commit_for(self, wire_id: WireId, plan: Plan, now: datetime) -> Mapping[AgentId, Agent]:
        """`commit` what `plan` says of the agent of this wire id and of its unit, as they are found then.

        Nothing, when there is no such agent.
        """

    @abc.abstractmethod
    async def agent(self, agent_id: AgentId) -> Agent: ...
    @abc.abstractmethod
    async def agent_by_wire_id(self, wire_id: WireId) -> Agent: ...
    @abc.abstractmethod
    async def agent_with_unit(self, wire_id: WireId) -> tuple[Agent, Unit]:
        """The agent of this wire id and its unit, read at one moment."""

    @abc.abstractmethod
    async def agents_among(self, wire_ids: Collection[WireId]) -> list[Agent]:
        """The agents that have one of these wire ids, read at one moment; give some hundred at a time."""

    @abc.abstractmethod
    async def agents(
        self,
        run_id: RunId,
        statuses: frozenset[AgentStatus] | None = None,
        worker_id: WorkerId | None = None,
        after: int = 0,
        limit: int = 1000,
    ) -> list[Agent]: ...

    @abc.abstractmethod
    async def agents_of_link(self, run_id: RunId, link: str) -> list[Agent]:
        """All agents a link ever had, oldest first."""

    @abc.abstractmethod
    async def last_of_link(
        self, run_id: RunId, link: str, after: str | None = None, bar: Bar | None = None
    ) -> LastOfLink | None:
        """The newest agent a link had, if it had any, read at one moment.

        Who comes says that they have finished the agent of the wire id `after`. If it is this one, and it
        has ended, they go on: then all facts of its worker are read with it, unless the fact `bar` is there.
        """

    @abc.abstractmethod
    async def agents_of_assignment(self, assignment_id: AssignmentId) -> list[Agent]:
        """All agents that any of its units ever had, oldest first."""

    @abc.abstractmethod
    async def agents_of_worker(self, worker_id: WorkerId, after: int = 0, limit: int = 1000) -> list[Agent]:
        """All agents a worker ever was, in any run. Cost depends on how many these are."""

    @abc.abstractmethod
    async def reserved_agents(self, run_id: RunId) -> list[Agent]:
        """Agents that hold an `assigned` unit: the live ones, and those a shutdown disconnected."""

    @abc.abstractmethod
    async def held_units(self, worker_id: WorkerId) -> list[Unit]:
        """The units a worker has in hand, in any run. Cost depends on how many these are."""

    @abc.abstractmethod
    async def submission(self, agent_id: AgentId) -> Submission:
        """NotFound when the agent has none."""

    @abc.abstractmethod
    async def submissions_count(self, run_id: RunId) -> int:
        """How many agents of the run submitted."""

    @abc.abstractmethod
    async def last_submission_at(self, run_id: RunId) -> datetime | None: ...
    @abc.abstractmethod
    async def reviews(self, agent_id: AgentId) -> list[Review]: ...

    @abc.abstractmethod
    async def export(self, run_id: RunId, after: int = 0, limit: int = 200) -> list[ExportRow]:
        """Agents with a submission, by agent id; `after` is the last agent id seen.

        NotFound also for a run that is being deleted: half of it must not pass for the whole.
        """
