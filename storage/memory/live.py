"""Live work in memory: updates of pages, journals of user code, what is owed."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import attrs

from ...protocol.names import AgentId, PieceKind, RunId
from .. import live_rules
from ..contract import Heard
from ..errors import Duplicate, InvalidRecord
from ..records import Agent, JournalEntry, LiveUpdate, Owed
from ..writes import AddOwed
from .body import MemoryBody, copies, page
from .tables import Tables
from .texts import entry_of, entry_text, update_of, update_text


class MemoryLive(MemoryBody):
    """What `Storage` says about live work."""

    async def add_live(self, updates: Sequence[LiveUpdate], journal: Sequence[JournalEntry]) -> None:
        async with self._write() as tables:
            live_rules.check_live(updates, journal)
            _add_updates(tables, updates)
            _add_entries(tables, journal)

    async def live_updates(
        self, onboarding: bool, agent_id: AgentId, outgoing: bool, after: int = 0, limit: int = 1000
    ) -> list[LiveUpdate]:
        talk = (onboarding, agent_id, outgoing)
        stream = (await self._read()).updates.having(talk)
        return [update_of(talk, number, stream[number]) for number in _next(stream, after, limit)]

    async def heard(self, onboarding: bool, names: Mapping[AgentId, Collection[str]]) -> dict[AgentId, Heard]:
        tables = await self._read()
        return {agent_id: _heard(tables, onboarding, agent_id, those) for agent_id, those in names.items()}

    async def journal(
        self, kind: PieceKind, piece_id: int, after: int = 0, limit: int = 1000
    ) -> list[JournalEntry]:
        piece = (kind, piece_id)
        stream = (await self._read()).journal.having(piece)
        return [entry_of(piece, position, stream[position]) for position in _next(stream, after, limit)]

    async def owed(self, run_id: RunId, after: int = 0, limit: int = 1000) -> list[Owed]:
        return page((await self._read()).owed.having("run", run_id), after, limit)

    async def owed_of_agent(self, agent_id: AgentId) -> list[Owed]:
        return copies((await self._read()).owed.having("agent", agent_id))


def add_owed(tables: Tables, agent: Agent, write: AddOwed, at: datetime) -> None:
    """Stage what an agent's worker has coming."""
    owed = live_rules.new_owed(agent, write, at)
    if any(known.what == owed.what for known in tables.owed.having("agent", agent.id)):
        raise Duplicate(f"{owed.what} of agent {agent.id} is stored")
    number = tables.owed.next_id()
    tables.owed.put(number, attrs.evolve(owed, id=number))


def talk_of(tables: Tables, agent_id: AgentId) -> list[LiveUpdate]:
    """All that an agent said and was sent live, in order, made anew."""
    talks = [(False, agent_id, outgoing) for outgoing in (False, True)]
    both = [update_of(talk, *each) for talk in talks for each in tables.updates.having(talk).items()]
    return sorted(both, key=lambda update: (update.created_at, update.outgoing, update.number))


def drop_updates(tables: Tables, onboarding: bool, agent_id: AgentId) -> None:
    """Stage the removal of all updates of an agent."""
    for outgoing in (False, True):
        tables.updates.drop((onboarding, agent_id, outgoing))
    tables.heard.drop((onboarding, agent_id))


def drop_journal(tables: Tables, kind: PieceKind, piece_id: int) -> None:
    """Stage the removal of a piece's journal."""
    tables.journal.drop((kind, piece_id))


def _next(stream: Mapping[int, str], after: int, limit: int) -> list[int]:
    return sorted(place for place in stream if place > after)[: max(limit, 0)]


def _heard(tables: Tables, onboarding: bool, agent_id: AgentId, names: Collection[str]) -> Heard:
    numbers = tables.updates.having((onboarding, agent_id, False))
    known = tables.heard.having((onboarding, agent_id))
    return Heard(max(numbers, default=0), frozenset(known.keys() & names))


def _add_updates(tables: Tables, updates: Sequence[LiveUpdate]) -> None:
    for update, text in zip(updates, [*map(update_text, updates)], strict=True):
        talk = (update.onboarding, update.agent_id, update.outgoing)
        if talk not in tables.updates and not _has_agent(tables, update):  # whose talk goes with them
            raise InvalidRecord(f"no agent {update.agent_id}")
        if not tables.updates.put(talk, update.number, text):
            raise Duplicate(f"update {update.number} of agent {update.agent_id} is stored")
        if not update.outgoing and not tables.heard.put(talk[:2], update.update_id, ""):
            raise Duplicate(f"update {update.update_id} of agent {update.agent_id} is stored")


def _add_entries(tables: Tables, journal: Sequence[JournalEntry]) -> None:
    for entry, text in zip(journal, [*map(entry_text, journal)], strict=True):
        piece = (entry.kind, entry.piece_id)
        if piece not in tables.journal and not _has_piece(tables, entry):  # whose journal goes with it
            raise InvalidRecord(f"no {entry.kind.value} {entry.piece_id}")
        if not tables.journal.put(piece, entry.position, text):
            raise Duplicate(f"position {entry.position} of the journal is taken")


def _has_agent(tables: Tables, update: LiveUpdate) -> bool:
    return update.agent_id in (tables.onboarding_agents if update.onboarding else tables.agents)


def _has_piece(tables: Tables, entry: JournalEntry) -> bool:
    match entry.kind:
        case PieceKind.UNIT:
            return entry.piece_id in tables.units
        case PieceKind.ASSIGNMENT:
            return entry.piece_id in tables.assignments
        case PieceKind.ONBOARDING:
            return entry.piece_id in tables.onboarding_agents
