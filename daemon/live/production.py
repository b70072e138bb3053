"""How the author's code is put on: a piece made ready for it, the code itself, and what its end means."""

import logging
from collections.abc import Sequence
from typing import Any

from ...protocol.names import AgentId
from ..blueprints.live_contract import Resume
from ..lifecycle import TaskFailed
from .agent import LiveAgent
from .calls import CallTools
from .cast import Player
from .ledger import PieceKey
from .lines import Lines
from .opening import open_piece
from .piece import Close, Ending, PieceTools, words_of_ending
from .playing import Playing
from .scribe import Scribe
from .stage_tools import StageTools
from .usher import Usher

log = logging.getLogger(__name__)

SEED_BITS = 48


class Production:
    """One per stage. Holds nothing: what a piece holds is in its `Playing`."""

    def __init__(self, tools: StageTools, scribe: Scribe, lines: Lines, usher: Usher) -> None:
        self._t = tools
        self._cast = tools.cast
        self._scribe = scribe
        self._lines = lines
        self._usher = usher

    async def open(self, key: PieceKey, members: Sequence[Player]) -> Playing | None:
        """The piece, which may be served; None: its code ran before, and is not to run again."""
        house = self._t.house
        tools = PieceTools(house.storage, self._scribe, house.wall, self._t.user_code, self._lines.sent)
        seed = house.rng.getrandbits(SEED_BITS)
        has_functions = bool(self._t.blueprint.named_functions())
        opened = await open_piece(key, [agent.id for agent in members], seed, has_functions, tools)
        if opened.begun_before and self._t.rules.resume is Resume.END:
            return None
        return Playing(opened, await self._usher.everybody(opened, members))

    def call_tools(self, playing: Playing) -> CallTools:
        """What calls of the piece's pages are carried out with."""
        return CallTools(
            self._t.blueprint.named_functions(),
            self._t.rules.call_limit_s,
            self._t.rules.calls_at_once_max,
            self._t.user_code,
            playing.caller,
            playing.piece.answer,
            self._call_failed,
        )

    async def code(self, playing: Playing) -> Any:
        """The author's coroutine for this piece."""
        piece = playing.piece
        agents = [LiveAgent(piece, seat, playing.persons.__getitem__) for seat in piece.seats]
        return await self._cast.play(piece, agents)

    async def code_ended(self, playing: Playing, ending: Ending) -> None:
        """Act on the end of the code: return once the agents' parts are over, or the daemon stops."""
        playing.is_closing = True
        members = [seat.agent_id for seat in playing.piece.seats]
        log.info("its code %s", words_of_ending(ending), extra=self._cast.log_ids(members[0]))
        if ending.close is Close.STOPPED:
            playing.is_stopped = True
            return
        if ending.close is Close.FINISHED:
            await self._cast.finished(playing.piece, ending.returned)
            return
        assert ending.error is not None
        doing = f"working on {playing.piece.key.kind.value} {playing.piece.key.id}"
        await self._t.failed(doing, ending.error, None if self._cast.onboarding else members[0])
        await self._cast.end(members, TaskFailed())

    async def _call_failed(self, doing: str, error: BaseException, agent_id: AgentId) -> None:
        if self._cast.onboarding:
            await self._t.failed(f"{doing} in onboarding {agent_id}", error, None)
        else:
            await self._t.failed(doing, error, agent_id)
