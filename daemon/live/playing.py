"""A piece of live work whose code runs: the piece, who its people are, and where their pages' words go."""

from collections.abc import Sequence
from typing import Any

from ...protocol.names import AgentId, PieceKind
from ...storage.records import LiveUpdate
from .agent import Person
from .calls import Calls, is_call
from .hearing import Hearing
from .line import Attached
from .opening import Opened
from .people import caller
from .piece import Piece
from .waits import How, Seat


class Playing:
    """One per piece while it is served."""

    def __init__(self, opened: Opened, persons: dict[AgentId, Person]) -> None:
        self._hearings: dict[AgentId, Hearing] = opened.hearings
        self.piece: Piece = opened.piece
        self.persons = persons
        """Everybody who sits, or sat, in its seats."""
        self.unanswered = opened.calls
        """Calls of named functions from before it was opened."""
        self.calls: Calls | None = None
        """None: pages can call nothing."""
        self.is_closing = False
        """Whether its code has ended; answers may still come."""
        self.is_stopped = False
        """Whether its code ended because the daemon stops."""
        self.is_over = False
        """Whether it is carried on no more: nobody sits down in it."""

    def takes(self, agent_id: AgentId) -> bool:
        """Whether the agent has a seat in it, or can take one: only groups go on with somebody new."""
        return agent_id in self._hearings or self.piece.key.kind is PieceKind.ASSIGNMENT

    def caller(self, agent_id: AgentId) -> Any:
        """What a named function is shown of who calls it."""
        return caller(self.piece, self.persons[agent_id], agent_id)

    def members(self) -> list[tuple[AgentId, How | None]]:
        """Who sits in each seat, and how their part is over, as far as the piece was told."""
        return [(seat.agent_id, self.piece.how_left(seat)) for seat in self.piece.seats]

    def knows(self, agent_id: AgentId) -> bool:
        """Whether the agent sits, or sat, in it."""
        return agent_id in self._hearings

    def sit_down(self, agent_id: AgentId, person: Person, said: Sequence[LiveUpdate]) -> None:
        """The agent is there; who sits nowhere so far takes the seat of their unit, with what was `said`."""
        self.persons[agent_id] = person
        if self.knows(agent_id):
            return
        self._hearings[agent_id] = Hearing(update for update in said if not update.outgoing)
        to_code = [update for update in said if update.outgoing or not self._calls(update)]
        self.piece.join(self._seat(person).index, agent_id, to_code)

    def _calls(self, update: LiveUpdate) -> bool:
        return self.calls is not None and is_call(update.update)

    def attached(self, agent_id: AgentId) -> Attached:
        """Where the page's words go."""
        return Attached(self.piece, self._hearings[agent_id], self.calls)

    def _seat(self, person: Person) -> Seat:
        return next(
            seat for seat in self.piece.seats if self.persons[seat.agent_id].unit.id == person.unit.id
        )
