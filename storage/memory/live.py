"""Live work in memory: updates of pages, journals of user code, what is owed."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

import attrs

from ...protocol.names import AgentId, PieceKind, RunId
from .. import live_rules, rules
from ..contract import Heard
from ..errors import Duplicate, InvalidRecord
from ..records import Agent, JournalEntry, LiveUpdate, Owed
from ..writes import AddOwed
from .body import MemoryBody, copies, page
from .tables import JournalKey, Tables, UpdateKey, update_name

R = TypeVar("R", LiveUpdate, JournalEntry)


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
        found = (await self._read()).updates.having("stream", (onboarding, agent_id, outgoing))
        later = [update for update in found if update.number > after]
        return copies(sorted(later, key=lambda each: each.number)[: max(limit, 0)])

    async def heard(self, onboarding: bool, names: Mapping[AgentId, Collection[str]]) -> dict[AgentId, Heard]:
        tables = await self._read()
        streams = {agent: tables.updates.having("stream", (onboarding, agent, False)) for agent in names}
        return {agent: _heard(stream, names[agent]) for agent, stream in streams.items()}

    async def journal(
        self, kind: PieceKind, piece_id: int, after: int = 0, limit: int = 1000
    ) -> list[JournalEntry]:
        found = (await self._read()).journal.having("piece", (kind, piece_id))
        later = [entry for entry in found if entry.position > after]
        return copies(sorted(later, key=lambda each: each.position)[: max(limit, 0)])

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
    """All that an agent said and was sent live, in order."""
    streams = [tables.updates.having("stream", (False, agent_id, outgoing)) for outgoing in (False, True)]
    both = [update for stream in streams for update in stream]
    return sorted(both, key=lambda update: (update.created_at, update.outgoing, update.number))


def drop_updates(tables: Tables, onboarding: bool, agent_id: AgentId) -> None:
    """Stage the removal of all updates of an agent."""
    for outgoing in (False, True):
        for update in tables.updates.having("stream", (onboarding, agent_id, outgoing)):
            tables.updates.drop(_update_key(update))


def drop_journal(tables: Tables, kind: PieceKind, piece_id: int) -> None:
    """Stage the removal of a piece's journal."""
    for entry in tables.journal.having("piece", (kind, piece_id)):
        tables.journal.drop(_journal_key(entry))


def _heard(stream: Iterable[LiveUpdate], names: Collection[str]) -> Heard:
    updates = [*stream]
    stored = frozenset(update.update_id for update in updates)
    return Heard(max((update.number for update in updates), default=0), stored.intersection(names))


def _update_key(update: LiveUpdate) -> UpdateKey:
    return (update.onboarding, update.agent_id, update.outgoing, update.number)


def _journal_key(entry: JournalEntry) -> JournalKey:
    return (entry.kind, entry.piece_id, entry.position)


def _add_updates(tables: Tables, updates: Sequence[LiveUpdate]) -> None:
    """Looked up before any of them is staged: each look would go through all that is."""
    keys = [*map(_update_key, updates)]
    names = [update_name(update) for update in updates if not update.outgoing]
    if len({*names}) < len(names) or len({*keys}) < len(keys):
        raise Duplicate("an update is given twice")
    for name in names:
        if tables.updates.the("update_id", name) is not None:
            raise Duplicate(f"update {name[2]} of agent {name[1]} is stored")
    for key, update in zip(keys, updates, strict=True):
        if update.agent_id not in (tables.onboarding_agents if update.onboarding else tables.agents):
            raise InvalidRecord(f"no agent {update.agent_id}")
        if key in tables.updates:
            raise Duplicate(f"update {update.number} of agent {update.agent_id} is stored")
        tables.updates.put(key, _at_moment(update))


def _add_entries(tables: Tables, journal: Sequence[JournalEntry]) -> None:
    for entry in journal:
        key = _journal_key(entry)
        if key in tables.journal:
            raise Duplicate(f"position {entry.position} of the journal is taken")
        if not _is_there(tables, entry):
            raise InvalidRecord(f"no {entry.kind.value} {entry.piece_id}")
        tables.journal.put(key, _at_moment(entry))


def _at_moment(record: R) -> R:
    """The same, its time in UTC."""
    at = rules.moment(record.created_at)
    return record if at is record.created_at else attrs.evolve(record, created_at=at)


def _is_there(tables: Tables, entry: JournalEntry) -> bool:
    match entry.kind:
        case PieceKind.UNIT:
            return entry.piece_id in tables.units
        case PieceKind.ASSIGNMENT:
            return entry.piece_id in tables.assignments
        case PieceKind.ONBOARDING:
            return entry.piece_id in tables.onboarding_agents
