"""What a store says about one run, read through the Storage contract: the other side of the checker."""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

import attrs

from ..protocol.names import AgentId, RunId
from ..storage.contract import Storage
from ..storage.records import (
    Agent,
    Assignment,
    Decision,
    HistoryEntry,
    LateAnswer,
    LiveUpdate,
    Metadata,
    OnboardingAgent,
    Review,
    Submission,
    TaskRun,
    Unit,
)


@attrs.frozen
class StoreFacts:
    """Everything about one run that the checker looks at, in the order of the store."""

    run: TaskRun
    assignments: list[Assignment]
    units: list[Unit]
    agents: list[Agent]
    submissions: list[Submission]
    metadata: list[Metadata]
    updates: list[LiveUpdate]
    history: list[HistoryEntry]
    onboarding: list[OnboardingAgent] = attrs.Factory(list[OnboardingAgent])
    decisions: list[Decision] = attrs.Factory(list[Decision])
    reviews: list[Review] = attrs.Factory(list[Review])
    people: list[HistoryEntry] = attrs.Factory(list[HistoryEntry])
    """Grants and blocks, of all runs."""
    late: list[LateAnswer] = attrs.Factory(list[LateAnswer])


async def read_facts(storage: Storage, run_id: RunId) -> StoreFacts:
    """Collect the facts of a run, of a running daemon's store or of one that nobody uses any more.

    Not one snapshot: let the run come to rest first. Writes nothing.
    """
    agents = await _all(lambda after: storage.agents(run_id, after=after), _id)
    onboarding = await storage.onboarding_agents(run_id)
    exported = await _all(lambda after: storage.export(run_id, after=after), lambda row: row.agent.id)
    return StoreFacts(
        run=await storage.run(run_id),
        assignments=await _all(lambda after: storage.assignments(run_id, after=after), _id),
        units=await _all(lambda after: storage.units(run_id, after=after), _id),
        agents=agents,
        submissions=[row.submission for row in exported],
        metadata=[note for agent in agents for note in await storage.metadata(agent.id)],
        updates=await _updates(storage, agents, onboarding),
        history=await _all(lambda after: storage.history(run_id=run_id, after=after), _id),
        onboarding=onboarding,
        decisions=await _all(lambda after: storage.decisions(run_id, after=after), _id),
        reviews=[review for agent in agents for review in await storage.reviews(agent.id)],
        people=await _people(storage),
        late=await _all(lambda after: storage.late_answers(run_id, after=after), _id),
    )


async def _people(storage: Storage) -> list[HistoryEntry]:
    grants = await _all(lambda after: storage.history(kind="grant", after=after), _id)
    blocks = await _all(lambda after: storage.history(kind="worker", after=after), _id)
    return sorted([*grants, *blocks], key=_id)


class _Numbered(Protocol):
    @property
    def id(self) -> int: ...


def _id(record: _Numbered) -> int:
    return record.id


_Record = TypeVar("_Record")


async def _all(
    page: Callable[[int], Awaitable[list[_Record]]], number: Callable[[_Record], int]
) -> list[_Record]:
    records: list[_Record] = []
    after = 0
    while more := await page(after):
        records += more
        after = number(more[-1])
    return records


async def _updates(
    storage: Storage, agents: list[Agent], onboarding: list[OnboardingAgent]
) -> list[LiveUpdate]:
    whose = [*((False, agent.id) for agent in agents), *((True, agent.id) for agent in onboarding)]
    streams = [(*agent, outgoing) for agent in whose for outgoing in (False, True)]
    return [update for stream in streams for update in await _stream(storage, *stream)]


async def _stream(storage: Storage, onboarding: bool, agent_id: AgentId, outgoing: bool) -> list[LiveUpdate]:
    return await _all(
        lambda after: storage.live_updates(onboarding, agent_id, outgoing, after), lambda each: each.number
    )
