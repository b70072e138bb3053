"""What is told beside the answer: metadata, errors, live updates, journal, facts, history."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import attrs

from ...protocol.names import AgentId, AssignmentId, RunId, UnitId
from ...protocol.packets import FileNote
from .. import rules
from ..errors import Duplicate, InvalidRecord
from ..records import HistoryEntry, JournalEntry, LiveUpdate, Metadata, PageError
from ..rows import dump_json, fresh, load_json
from .body import MemoryBody, copies, page
from .tables import Tables


class MemoryTelling(MemoryBody):
    """What `Storage` says about everything that is neither a unit nor a person."""

    async def add_metadata(
        self, agent_id: AgentId, kind: str, data: Any, files: Sequence[FileNote], digest: str, now: datetime
    ) -> Metadata:
        async with self._write() as tables:
            rules.found(tables.agents.get(agent_id), "agent", agent_id)
            known = tables.metadata.the("told", (agent_id, digest))
            if known:
                return fresh(known)
            number = tables.metadata.next_id()
            told = Metadata(number, agent_id, kind, data, list(files), digest, rules.moment(now))
            return fresh(tables.metadata.put(number, told))

    async def add_error(
        self, run_id: RunId, agent_id: AgentId | None, source: str, data: Any, now: datetime
    ) -> PageError:
        async with self._write() as tables:
            rules.found(tables.runs.get(run_id), "run", run_id)
            if agent_id is not None:
                rules.found(tables.agents.get(agent_id), "agent", agent_id)
            number = tables.errors.next_id()
            error = PageError(number, run_id, agent_id, source, data, rules.moment(now))
            return fresh(tables.errors.put(number, error))

    async def add_updates(self, updates: Sequence[LiveUpdate], journal: Sequence[JournalEntry]) -> None:
        async with self._write() as tables:
            for update in updates:
                _add_update(tables, update)
            for entry in journal:
                _add_journal_entry(tables, entry)

    async def put_fact(self, scope: str, key: str, value: Any) -> None:
        async with self._write() as tables:
            put_fact(tables, scope, key, value)

    async def fact(self, scope: str, key: str) -> Any:
        found = (await self._read()).facts.get((scope, key))
        return load_json(found[2]) if found else None

    async def facts(self, scope: str) -> dict[str, Any]:
        found = (await self._read()).facts.having("scope", scope)
        return {key: load_json(text) for _, key, text in sorted(found)}

    async def metadata(self, agent_id: AgentId) -> list[Metadata]:
        return copies((await self._read()).metadata.having("agent", agent_id))

    async def errors(self, run_id: RunId, after: int = 0, limit: int = 1000) -> list[PageError]:
        return page((await self._read()).errors.having("run", run_id), after, limit)

    async def updates(self, agent_id: AgentId, outgoing: bool) -> list[LiveUpdate]:
        found = (await self._read()).updates.having("stream", (agent_id, outgoing))
        return copies(sorted(found, key=lambda each: (each.epoch, each.sequence)))

    async def journal(self, assignment_id: AssignmentId, unit_id: UnitId | None) -> list[JournalEntry]:
        found = (await self._read()).journal.having("book", (assignment_id, unit_id))
        return copies(sorted(found, key=lambda each: each.position))

    async def history(
        self,
        kind: str | None = None,
        subject_id: int | None = None,
        run_id: RunId | None = None,
        after: int = 0,
        limit: int = 1000,
    ) -> list[HistoryEntry]:
        tables = await self._read()
        chosen = [
            entry
            for entry in tables.history
            if kind in (None, entry.kind)
            and subject_id in (None, entry.subject_id)
            and run_id in (None, entry.run_id)
        ]
        return page(chosen, after, limit)

    async def history_end(self) -> int:
        return max((entry.id for entry in (await self._read()).history), default=0)


def put_fact(tables: Tables, scope: str, key: str, value: Any) -> None:
    """Stage a fact, or (None) its removal."""
    if value is None:
        tables.facts.drop((scope, key))
    else:
        tables.facts.put((scope, key), (scope, key, dump_json(value)))


def _add_update(tables: Tables, update: LiveUpdate) -> None:
    key = (update.agent_id, update.outgoing, update.epoch, update.sequence)
    if update.agent_id not in tables.agents:
        raise InvalidRecord(f"no agent {update.agent_id}")
    if key in tables.updates:
        raise Duplicate(f"update {update.epoch}.{update.sequence} of agent {update.agent_id} is stored")
    tables.updates.put(key, attrs.evolve(update, created_at=rules.moment(update.created_at)))


def _add_journal_entry(tables: Tables, entry: JournalEntry) -> None:
    key = (entry.assignment_id, entry.unit_id or 0, entry.position)
    if key in tables.journal:
        raise Duplicate(f"position {entry.position} of the journal is taken")
    if entry.assignment_id not in tables.assignments:
        raise InvalidRecord(f"no assignment {entry.assignment_id}")
    if entry.unit_id is not None and entry.unit_id not in tables.units:
        raise InvalidRecord(f"no unit {entry.unit_id}")
    if entry.agent_id is not None and entry.agent_id not in tables.agents:
        raise InvalidRecord(f"no agent {entry.agent_id}")
    tables.journal.put(key, attrs.evolve(entry, created_at=rules.moment(entry.created_at)))
