"""What is told beside the answer: metadata, errors, facts, history."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ...protocol.names import AgentId, RunId
from ...protocol.packets import FileNote
from .. import rules
from ..records import HistoryEntry, Metadata, PageError
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
