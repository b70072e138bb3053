"""Brings agents to their seats: their page and the code of their piece hear each other from then on."""

from collections.abc import Callable, Sequence

from ...protocol.names import AgentId, WireId
from ...storage.contract import Storage
from ...storage.records import LiveUpdate
from .agent import Person
from .cast import Cast, Player, was_shut_down
from .cloakroom import Cloakroom
from .group_watch import GroupWatch
from .lines import Lines
from .opening import Opened
from .past import read_past
from .playing import Playing
from .waits import How


class Usher:
    """One per stage. Holds nothing."""

    def __init__(
        self, cast: Cast, storage: Storage, lines: Lines, cloakroom: Cloakroom, watch: GroupWatch,
        is_present: Callable[[WireId], bool],
    ) -> None:  # fmt: skip
        self._cast = cast
        self._storage = storage
        self._lines = lines.by_wire_id
        self._cloakroom = cloakroom
        self._watch = watch
        self._is_present = is_present

    async def everybody(self, opened: Opened, members: Sequence[Player]) -> dict[AgentId, Person]:
        """Its members, and who sat in its seats before; of whom the part is over, the piece knows again."""
        players = {member.id: member for member in members}
        for agent_id in opened.hearings:
            if agent_id not in players:
                players[agent_id] = await self._cast.player(agent_id)
            if self._cast.how_left(players[agent_id]) is How.SUBMITTED:
                opened.piece.left(agent_id, How.SUBMITTED)
        return {agent_id: await self._person(player) for agent_id, player in players.items()}

    async def seat(self, playing: Playing, player: Player, person: Person | None = None) -> bool:
        """The agent sits down; also who comes back, and who comes new to a seat that is empty.

        False: the piece is over since. `person`: just read.
        """
        person = person or await self._person(player)
        said = await self._said(player.id) if not playing.knows(player.id) else ()
        if player.wire_id in self._lines:
            await self._cloakroom.leave(self._lines[player.wire_id])
        if playing.is_over:
            return False
        line = self._lines.get(player.wire_id)
        playing.sit_down(player.id, person, said)
        if line is None or line.has_ended:
            await self._has_left(playing, player.id)
        elif line.piece is None:
            line.attach(playing.attached(player.id))
        return True

    async def _person(self, player: Player) -> Person:
        return await self._cast.person(player, self._is_present)

    async def _said(self, agent_id: AgentId) -> Sequence[LiveUpdate]:
        """What a newcomer's page and the code said before a crash; mostly nothing."""
        return (await read_past(self._storage, self._cast.onboarding, agent_id)).updates

    async def _has_left(self, playing: Playing, agent_id: AgentId) -> None:
        """An agent may have left before the piece could be told: while that was being opened."""
        player = await self._cast.player(agent_id)
        how = self._cast.how_left(player)
        if how is None or was_shut_down(player) or self._watch.keeps_seat(playing.piece.key, how):
            return
        playing.piece.left(agent_id, how)
