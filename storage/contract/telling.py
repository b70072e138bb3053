"""The contract of storage about all beside the answers: metadata, errors, facts, history."""

import abc
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ...protocol.names import AgentId, RunId
from ...protocol.packets import FileNote
from ..records import HistoryEntry, Metadata, PageError


class TellingContract(abc.ABC):
    """What `Storage` promises about everything that is neither a unit nor a person."""

    @abc.abstractmethod
    async def add_metadata(
        self, agent_id: AgentId, kind: str, data: Any, files: Sequence[FileNote], digest: str, now: datetime
    ) -> Metadata:
        """Store once per (agent, digest); the same again returns what is there."""

    @abc.abstractmethod
    async def add_error(
        self, run_id: RunId, agent_id: AgentId | None, source: str, data: Any, now: datetime
    ) -> PageError:
        """Store an error report."""

    @abc.abstractmethod
    async def put_fact(self, scope: str, key: str, value: Any) -> None:
        """Keep a JSON value under (scope, key), replacing; None removes it."""

    @abc.abstractmethod
    async def fact(self, scope: str, key: str) -> Any:
        """The value, or None."""

    @abc.abstractmethod
    async def facts(self, scope: str) -> dict[str, Any]:
        """All of a scope."""

    @abc.abstractmethod
    async def metadata(self, agent_id: AgentId) -> list[Metadata]: ...
    @abc.abstractmethod
    async def errors(self, run_id: RunId, after: int = 0, limit: int = 1000) -> list[PageError]: ...
    @abc.abstractmethod
    async def history(
        self,
        kind: str | None = None,
        subject_id: int | None = None,
        run_id: RunId | None = None,
        after: int = 0,
        limit: int = 1000,
    ) -> list[HistoryEntry]: ...

    @abc.abstractmethod
    async def history_end(self) -> int:
        """The id of the newest entry, 0 when there is none: what is written later comes after it.

        Entries become visible in the order of their ids: whoever reads on after the last one misses none.
        """
