"""The groups of a stage whose code runs, as who decides about them sees and changes them."""

from collections.abc import Sequence

from ...protocol.names import AgentId, AssignmentId, PieceKind
from ...storage.records import Agent
from .cast import Cast
from .ledger import PieceKey
from .pieces import Pieces
from .playing import Playing
from .waits import How


class PlayedGroups:
    """One per stage. Holds nothing: the pieces do."""

    def __init__(self, cast: Cast, pieces: Pieces) -> None:
        self._cast = cast
        self._pieces = pieces

    def members(self, assignment_id: AssignmentId) -> Sequence[tuple[AgentId, How | None]] | None:
        """Who sits in the seats of a group, and how their part is over as far as its code knows.

        None: its code does not run at present.
        """
        playing = self._group(assignment_id)
        return None if playing is None else playing.members()

    def is_closing(self, assignment_id: AssignmentId) -> bool:
        """Whether a group's code has ended, and only answers may come."""
        playing = self._group(assignment_id)
        return playing is not None and playing.is_closing

    def has_ended(self, assignment_id: AssignmentId) -> bool:
        """Whether a group goes on no further because somebody left, as far as its code knows."""
        playing = self._group(assignment_id)
        return playing is not None and playing.piece.has_ended

    def leave(self, agent: Agent) -> None:
        """The group's code is to know that the agent left for good."""
        playing = self._group(agent.assignment_id)
        how = self._cast.how_left(agent)
        if playing is not None and how is not None:
            playing.piece.left(agent.id, how)

    def end(self, agent: Agent) -> None:
        """The agent's group goes on no further, because it left."""
        playing = self._group(agent.assignment_id)
        if playing is not None and not playing.piece.has_ended:
            playing.piece.end(agent.id)

    def _group(self, assignment_id: AssignmentId) -> Playing | None:
        return self._pieces.playing(PieceKey(PieceKind.ASSIGNMENT, assignment_id))
