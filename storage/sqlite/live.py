"""Live work in SQLite: updates of pages, journals of user code, what is owed."""

from collections.abc import Collection, Mapping, Sequence

from ...protocol.names import AgentId, PieceKind, RunId
from .. import live_rules
from ..contract import Heard
from ..records import JournalEntry, LiveUpdate, Owed
from ..sql import statements
from .ask import Db, add_all, every, page, value
from .body import SqliteBody


class SqliteLive(SqliteBody):
    """What `Storage` says about live work."""

    async def add_live(self, updates: Sequence[LiveUpdate], journal: Sequence[JournalEntry]) -> None:
        await self._engine.write(_add_live, updates, journal)

    async def live_updates(
        self, onboarding: bool, agent_id: AgentId, outgoing: bool, after: int = 0, limit: int = 1000
    ) -> list[LiveUpdate]:
        return await self._engine.read_long(
            every,
            LiveUpdate,
            statements.LIVE_UPDATES[onboarding],
            agent_id=agent_id,
            outgoing=outgoing,
            after=after,
            limit=max(limit, 0),
        )

    async def heard(self, onboarding: bool, names: Mapping[AgentId, Collection[str]]) -> dict[AgentId, Heard]:
        return await self._engine.read(_heard, onboarding, names)

    async def journal(
        self, kind: PieceKind, piece_id: int, after: int = 0, limit: int = 1000
    ) -> list[JournalEntry]:
        statement = statements.JOURNAL[kind]
        return await self._engine.read_long(
            every, JournalEntry, statement, piece_id=piece_id, after=after, limit=max(limit, 0)
        )

    async def owed(self, run_id: RunId, after: int = 0, limit: int = 1000) -> list[Owed]:
        return await self._engine.read_long(page, Owed, after, limit, run_id=run_id)

    async def owed_of_agent(self, agent_id: AgentId) -> list[Owed]:
        return await self._engine.read(every, Owed, statements.OWED_OF_AGENT, agent_id=agent_id)


def _add_live(db: Db, updates: Sequence[LiveUpdate], journal: Sequence[JournalEntry]) -> None:
    live_rules.check_live(updates, journal)
    add_all(db, updates)
    add_all(db, journal)


def _heard(db: Db, onboarding: bool, names: Mapping[AgentId, Collection[str]]) -> dict[AgentId, Heard]:
    return {agent_id: _heard_of(db, onboarding, agent_id, those) for agent_id, those in names.items()}


def _heard_of(db: Db, onboarding: bool, agent_id: AgentId, names: Collection[str]) -> Heard:
    is_heard = statements.IS_HEARD[onboarding]
    stored = [name for name in names if value(db, is_heard, agent_id=agent_id, update_id=name)]
    last: int | None = value(db, statements.LAST_HEARD[onboarding], agent_id=agent_id)
    return Heard(last or 0, frozenset(stored))
