"""What is told beside the answer: metadata, errors, facts, history."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ...protocol.names import AgentId, RunId
from ...protocol.packets import FileNote
from .. import rules
from ..records import HistoryEntry, Metadata, PageError
from ..rows import dump_json, load_json
from ..sql import statements
from .ask import Db, do, every, keep, one, page, value
from .body import SqliteBody, the_agent, the_run


class SqliteTelling(SqliteBody):
    """What `Storage` says about everything that is neither a unit nor a person."""

    async def add_metadata(
        self, agent_id: AgentId, kind: str, data: Any, files: Sequence[FileNote], digest: str, now: datetime
    ) -> Metadata:
        return await self._engine.write(_add_metadata, agent_id, kind, data, files, digest, now)

    async def add_error(
        self, run_id: RunId, agent_id: AgentId | None, source: str, data: Any, now: datetime
    ) -> PageError:
        return await self._engine.write(_add_error, run_id, agent_id, source, data, now)

    async def put_fact(self, scope: str, key: str, value: Any) -> None:
        await self._engine.write(put_fact, scope, key, value)

    async def fact(self, scope: str, key: str) -> Any:
        text = await self._engine.read(value, statements.FACT, scope=scope, key=key)
        return None if text is None else load_json(text)

    async def facts(self, scope: str) -> dict[str, Any]:
        return await self._engine.read_long(_facts, scope)

    async def metadata(self, agent_id: AgentId) -> list[Metadata]:
        return await self._engine.read(every, Metadata, statements.METADATA_OF_AGENT, agent_id=agent_id)

    async def errors(self, run_id: RunId, after: int = 0, limit: int = 1000) -> list[PageError]:
        return await self._engine.read_long(page, PageError, after, limit, run_id=run_id)

    async def history(
        self,
        kind: str | None = None,
        subject_id: int | None = None,
        run_id: RunId | None = None,
        after: int = 0,
        limit: int = 1000,
    ) -> list[HistoryEntry]:
        return await self._engine.read_long(
            page, HistoryEntry, after, limit, kind=kind, subject_id=subject_id, run_id=run_id
        )

    async def history_end(self) -> int:
        return await self._engine.read(value, statements.HISTORY_END) or 0


def _add_metadata(
    db: Db, agent_id: AgentId, kind: str, data: Any, files: Sequence[FileNote], digest: str, now: datetime
) -> Metadata:
    the_agent(db, agent_id)
    known = one(db, Metadata, statements.METADATA_OF_DIGEST, agent_id=agent_id, digest=digest)
    if known:
        return known
    told = Metadata(0, agent_id, kind, data, list(files), digest, rules.moment(now))
    return keep(db, told)


def _add_error(
    db: Db, run_id: RunId, agent_id: AgentId | None, source: str, data: Any, now: datetime
) -> PageError:
    the_run(db, run_id)
    if agent_id is not None:
        the_agent(db, agent_id)
    error = PageError(0, run_id, agent_id, source, data, rules.moment(now))
    return keep(db, error)


def put_fact(db: Db, scope: str, key: str, content: Any) -> None:
    """Keep a fact, or (None) forget it."""
    if content is None:
        do(db, statements.DROP_FACT, scope=scope, key=key)
    else:
        do(db, statements.SAVE_FACT, scope=scope, key=key, value=dump_json(content))


def _facts(db: Db, scope: str) -> dict[str, Any]:
    rows = db.execute(statements.FACTS, {"scope": scope})
    return {key: load_json(text) for key, text in rows}
