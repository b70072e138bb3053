"""Who is told what happens in a stage's groups, and decides what becomes of them."""

from typing import Protocol

from ...protocol.names import AgentId, AssignmentId, PieceKind
from ...storage.records import Agent
from .cast import Player
from .ledger import PieceKey
from .waits import How


class Watcher(Protocol):
    """Who decides what becomes of groups."""

    def changed(self, agent: Agent) -> None:
        """An agent is new, or another status of it was stored."""
        ...

    def came_or_went(self, agent_id: AgentId) -> None:
        """The page of an agent came or went."""
        ...

    def answered(self, agent_id: AgentId) -> None:
        """Somebody at the page said that they are there."""
        ...

    def is_played(self, assignment_id: AssignmentId) -> None:
        """The code of a group runs (again)."""
        ...


class GroupWatch:
    """One per stage. Tells the watcher; in a run without groups there is none."""

    def __init__(self) -> None:
        self.watcher: Watcher | None = None

    def changed(self, player: Player) -> None:
        """An agent is new, or another status of it was stored."""
        if self.watcher is not None and isinstance(player, Agent):
            self.watcher.changed(player)

    def came_or_went(self, agent_id: AgentId) -> None:
        """The page of an agent came or went."""
        if self.watcher is not None:
            self.watcher.came_or_went(agent_id)

    def answered(self, agent_id: AgentId) -> None:
        """Somebody at the page said that they are there."""
        if self.watcher is not None:
            self.watcher.answered(agent_id)

    def is_played(self, key: PieceKey) -> None:
        """The code of a piece runs (again)."""
        if self.watcher is not None and key.kind is PieceKind.ASSIGNMENT:
            self.watcher.is_played(AssignmentId(key.id))

    def keeps_seat(self, key: PieceKey, how: How) -> bool:
        """Whether it is the watcher's to say what becomes of the seat of an agent that left."""
        in_group = self.watcher is not None and key.kind is PieceKind.ASSIGNMENT
        return in_group and how is not How.SUBMITTED
