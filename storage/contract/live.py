"""The contract of storage about live work: updates of pages, journals, what is owed for waiting."""

import abc
from collections.abc import Collection, Mapping, Sequence

import attrs

from ...protocol.names import AgentId, PieceKind, RunId
from ..records import JournalEntry, LiveUpdate, Owed


@attrs.frozen
class Heard:
    """How far an agent's pages were heard."""

    number: int
    """Of the last update that is stored, 0 when none is."""
    names: frozenset[str]
    """Those of the names that were asked for under which an update is stored."""


class LiveContract(abc.ABC):
    """What `Storage` promises about live work."""

    @abc.abstractmethod
    async def add_live(self, updates: Sequence[LiveUpdate], journal: Sequence[JournalEntry]) -> None:
        """Store live updates and the journal entries that go with them; Duplicate when one is there.

        An update is there when its number is, or, if it came from a page, its id. Whoever expects repeats
        knows them before: a Duplicate makes all who share the commit wait for a second try.
        InvalidRecord when the agent of an update, or the piece of an entry, is not there. That the agent of
        an entry is one of its piece is the caller's word.
        """

    @abc.abstractmethod
    async def live_updates(
        self, onboarding: bool, agent_id: AgentId, outgoing: bool, after: int = 0, limit: int = 1000
    ) -> list[LiveUpdate]:
        """The next `limit` updates of an agent and direction, by number, above the number `after`."""

    @abc.abstractmethod
    async def heard(self, onboarding: bool, names: Mapping[AgentId, Collection[str]]) -> dict[AgentId, Heard]:
        """How far the pages of these agents were heard, and which of the names their updates have.

        What it costs does not depend on how much they have sent.
        """

    @abc.abstractmethod
    async def journal(
        self, kind: PieceKind, piece_id: int, after: int = 0, limit: int = 1000
    ) -> list[JournalEntry]:
        """The next `limit` entries of a piece, by position, above the position `after`."""

    @abc.abstractmethod
    async def owed(self, run_id: RunId, after: int = 0, limit: int = 1000) -> list[Owed]: ...

    @abc.abstractmethod
    async def owed_of_agent(self, agent_id: AgentId) -> list[Owed]:
        """All that the agent's worker has coming, in the order in which it was stored."""
