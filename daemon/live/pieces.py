"""The pieces of a stage: which are carried on, who is to sit down in one, and who came too late for it.

Each is a wish of its own: opened a few at a time, served until it is over, and cancelled by groups.
"""

import logging
from collections.abc import Iterable, Sequence
from functools import partial

import trio

from ...protocol.names import AgentId
from ...storage.errors import LeaseLost, StorageFailed
from ..causes import causes
from ..lifecycle import TaskFailed
from .calls import Calls, open_calls
from .cast import Player
from .group_watch import GroupWatch
from .ledger import PieceKey
from .lines import Lines
from .playing import Playing
from .production import Production
from .stage_tools import StageTools
from .usher import Usher
from .waits import Seat
from .wishes import Wishes

log = logging.getLogger(__name__)

OPENED_AT_ONCE = 4  # pieces; more would not be opened sooner, but hold up whoever waits for an answer
FIRST_WORDS_S = 1.0  # after a start pieces are opened once a router told what pages said, or after so long


class Pieces:
    """One per stage."""

    def __init__(
        self, tools: StageTools, lines: Lines, usher: Usher, production: Production, watch: GroupWatch
    ) -> None:
        self._cast = tools.cast
        self._failed = tools.failed
        self._lines = lines
        self._usher = usher
        self._production = production
        self._watch = watch
        self._begins = Wishes()
        self._carried_on: dict[PieceKey, Playing | None] = {}
        """None: being opened."""
        self._opening: set[AgentId] = set()
        """Whose pieces are being opened: they are to sit down in them."""
        self._late: dict[PieceKey, set[AgentId]] = {}
        """Who came while a piece was being opened, or was still that of another; they are looked at again."""
        self._opened = trio.Event()
        self._turns = trio.CapacityLimiter(OPENED_AT_ONCE)
        self._first_words = trio.Event()

    def __len__(self) -> int:
        """How many are carried on at this moment."""
        return len(self._carried_on)

    def playing(self, key: PieceKey) -> Playing | None:
        """The piece, if its code runs at present."""
        return self._carried_on.get(key)

    async def seat_of(self, key: PieceKey, agent_id: AgentId) -> Seat:
        """Where the agent sits in the piece, once that runs and it does."""
        while (playing := self._carried_on.get(key)) is None:
            await self._opened.wait()
        return await playing.piece.seated(agent_id)

    def look_at(self, agents: Iterable[AgentId]) -> None:
        """Soon these are to sit in their pieces, which are opened for that, if their part is not over."""
        for agent_id in agents:
            self._begins.add(partial(self._begin, agent_id))

    def said_first_words(self) -> None:
        """A router told what its pages said."""
        self._first_words.set()

    async def serve(self) -> None:
        """Carry them on until cancelled; then they end a group at a time (see `Wishes`)."""
        await self._after_first_words()
        await self._begins.serve()

    async def _after_first_words(self) -> None:
        """Whoever waits to hear that something is stored goes before the code that is run again."""
        if not self._first_words.is_set():
            with trio.move_on_after(FIRST_WORDS_S):
                await self._first_words.wait()
            self._first_words.set()

    async def _begin(self, agent_id: AgentId) -> None:
        async with self._turns:
            found = await self._found(agent_id)
        if found is None:
            return
        key, members = found
        try:
            await self._play(key, members)
        except Exception as exc:
            # A piece that cannot be carried on is not its neighbours' trouble; a lost store is everybody's.
            if any(isinstance(cause, LeaseLost | StorageFailed) for cause in causes(exc)):
                raise
            log.exception("%s %d cannot be carried on", key.kind.value, key.id)
            await self._failed(f"carrying on {key.kind.value} {key.id}", exc, None)
            await self._end(members)
        finally:
            self._opening -= {member.id for member in members}
            self._is_no_more(key, self._carried_on.pop(key))

    async def _found(self, agent_id: AgentId) -> tuple[PieceKey, Sequence[Player]] | None:
        """The piece to be opened for the agent, and who works on it; None: it is seen to otherwise."""
        if agent_id in self._opening:
            return None
        player = await self._cast.player(agent_id)
        if not self._cast.is_played(player):
            return None
        key = await self._cast.key_of(player)
        if key not in self._carried_on:
            self._carried_on[key] = None
            members = await self._cast.members(player)
            self._opening |= {member.id for member in members}
            return key, members
        playing = self._carried_on[key]
        if playing is None or not playing.takes(player.id):
            self._late.setdefault(key, set()).add(player.id)
        elif not await self._usher.seat(playing, player):
            self.look_at([player.id])
        return None

    async def _play(self, key: PieceKey, members: Sequence[Player]) -> None:
        async with self._turns:
            playing = await self._production.open(key, members)
        if playing is None:
            await self._end(members)
            return
        tools = self._production.call_tools(playing)
        async with open_calls(tools) as calls:
            playing.calls = calls if tools.functions else None
            await self._sit_down(key, playing, members, calls)
            code, ended = self._production.code, self._production.code_ended
            await playing.piece.serve(partial(code, playing), partial(ended, playing))

    async def _sit_down(
        self, key: PieceKey, playing: Playing, members: Sequence[Player], calls: Calls
    ) -> None:
        """All members take their seats, and calls that nobody answered are carried out again."""
        self._carried_on[key] = playing
        self._opened.set()
        self._opened = trio.Event()
        for agent in members:
            await self._usher.seat(playing, agent, playing.persons[agent.id])
        sitting = {agent.id for agent in members}
        self._opening -= sitting
        self.look_at(self._late.pop(key, set()) - sitting)
        for call in playing.unanswered:
            calls.take(call)
        self._watch.is_played(key)

    async def _end(self, members: Sequence[Player]) -> None:
        await self._cast.end([member.id for member in members], TaskFailed())

    def _is_no_more(self, key: PieceKey, playing: Playing | None) -> None:
        """Whoever came too late for what is over now has the code begin for them."""
        late = self._late.pop(key, set())
        if playing is not None:
            playing.is_over = True
            late |= self._detached(playing)
        if playing is None or not playing.is_stopped:
            self.look_at(late)

    def _detached(self, playing: Playing) -> set[AgentId]:
        """Those whose part is not over, whose lines lead nowhere now."""
        detached = set[AgentId]()
        for agent_id in playing.persons:
            line = self._lines.by_number.get(agent_id)
            if line is not None and not line.has_ended:
                line.detach()
                detached.add(agent_id)
        return detached
