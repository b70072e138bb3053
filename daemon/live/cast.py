"""Who plays in one kind of live work, units or onboardings: what differs between them, as a contract."""

import abc
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar, Protocol

from ...protocol.names import AgentId, AgentStatus, Reason, WireId
from ..full_disk import with_space
from ..lifecycle import IllegalEvent, TaskFailed, TimeOver, WentAway
from .agent import LiveAgent, Person
from .ledger import PieceKey
from .piece import Piece
from .waits import How

log = logging.getLogger(__name__)

Ends = WentAway | TimeOver | TaskFailed
"""How the daemon ends an agent's part."""


class Player(Protocol):
    """An agent, of whatever kind."""

    @property
    def id(self) -> AgentId:
        """Its number, among those of its kind."""
        ...

    @property
    def wire_id(self) -> WireId:
        """What its page knows it by."""
        ...

    @property
    def status(self) -> AgentStatus:
        """Where it stands."""
        ...

    @property
    def reason(self) -> str | None:
        """Why, where there is a reason."""
        ...


def was_shut_down(player: Player) -> bool:
    """Whether its part is over because the daemon stopped: then it may come back."""
    return player.reason == Reason.SHUTDOWN.value


class Cast(abc.ABC):
    """One per run and kind. Reads from storage, and holds nothing that storage does not say."""

    onboarding: ClassVar[bool]
    """Whether its agents are onboarding agents."""

    @abc.abstractmethod
    async def present(self) -> Sequence[Player]:
        """Those who are at work, or may come back to it, as storage says."""

    @abc.abstractmethod
    async def player(self, agent_id: AgentId) -> Player:
        """One of them. NotFound."""

    @abc.abstractmethod
    async def player_of(self, wire_id: WireId) -> Player:
        """The one whom a page means. NotFound."""

    @abc.abstractmethod
    def how_left(self, player: Player) -> How | None:
        """How its part is over; None: it is not, and its page may still say something."""

    @abc.abstractmethod
    def is_played(self, player: Player) -> bool:
        """Whether the author's code is to run for it."""

    @abc.abstractmethod
    def code_may_end(self, player: Player) -> bool:
        """Whether its part may be over because the author's code ended it, and its page is still there."""

    @abc.abstractmethod
    async def key_of(self, player: Player) -> PieceKey:
        """Which piece they work on."""

    @abc.abstractmethod
    async def members(self, player: Player) -> Sequence[Player]:
        """Who works on the player's piece, in the order of their seats."""

    @abc.abstractmethod
    async def person(self, player: Player, is_present: Callable[[WireId], bool]) -> Person:
        """Who they are, as user code is shown them."""

    @abc.abstractmethod
    async def play(self, piece: Piece, agents: Sequence[LiveAgent]) -> Any:
        """The author's code, from its beginning to its end; what it returned."""

    @abc.abstractmethod
    async def happen(self, agent_id: AgentId, event: Ends) -> None:
        """End its part. IllegalEvent: that is over already."""

    @abc.abstractmethod
    async def finished(self, piece: Piece, returned: Any) -> None:
        """The author's code has come to its end, and agents may not have."""

    async def end(self, agents: Sequence[AgentId], event: Ends) -> None:
        """End the part of each, unless it has ended in another way at this moment."""
        for agent_id in agents:
            try:
                await with_space(f"the end of agent {agent_id}", partial(self.happen, agent_id, event))
            except IllegalEvent as exc:
                log.info("it had moved on: %s", exc, extra=self.log_ids(agent_id))

    def log_ids(self, agent_id: AgentId) -> dict[str, int]:
        """What a log line about the agent is found by."""
        return {"onboarding" if self.onboarding else "agent": agent_id}
