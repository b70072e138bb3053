"""Those who are being onboarded while the author's code accompanies them, as their stage knows them."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import orjson

from ...protocol.documents import check_document
from ...protocol.errors import RemoteProtocolError
from ...protocol.names import AgentId, AgentStatus, PieceKind, WireId
from ...storage.contract import Storage
from ...storage.records import OnboardingAgent
from ..blueprints.contract import Blueprint
from ..hooks.effects import GrantsOver
from ..hooks.views import RunView, onboarding_view, worker_view
from ..lifecycle import IllegalEvent
from ..lifecycle.onboarding import Answered
from ..live.agent import LiveAgent, Person
from ..live.cast import Cast, Ends, Player
from ..live.ledger import PieceKey
from ..live.piece import Piece
from ..live.waits import How
from .lives import OnboardingLives
from .page_data import page_data_of
from .results import Results

_HOW = {
    AgentStatus.WAITING: How.SUBMITTED,
    AgentStatus.APPROVED: How.SUBMITTED,
    AgentStatus.REJECTED: How.SUBMITTED,
    AgentStatus.RETURNED: How.RETURNED,
    AgentStatus.TIMEOUT: How.TIMEOUT,
    AgentStatus.DISCONNECT: How.DISCONNECTED,
}


@attrs.frozen
class OnboardingCast(Cast):
    """One per run whose onboardings are accompanied. Each is a piece of its own."""

    onboarding = True
    storage: Storage
    run: RunView
    folders: Path
    """Each onboarding's files are in one of these."""
    blueprint: Blueprint
    lives: OnboardingLives
    results: Results
    judge: Callable[[OnboardingAgent], Awaitable[None]]
    """Reach a verdict now; the page need not ask for it."""

    async def present(self) -> Sequence[OnboardingAgent]:
        return await self.lives.live()

    async def player(self, agent_id: AgentId) -> OnboardingAgent:
        return await self.storage.onboarding_agent(agent_id)

    async def player_of(self, wire_id: WireId) -> OnboardingAgent:
        return await self.storage.onboarding_by_wire_id(wire_id)

    def how_left(self, player: Player) -> How | None:
        return _HOW.get(player.status)

    def is_played(self, player: Player) -> bool:
        """Who has submitted, too: the verdict waits for what the code returns."""
        waits = player.status is AgentStatus.WAITING and not self.results.is_over(player.id)
        return waits or player.status is AgentStatus.ONBOARDING

    def code_may_end(self, player: Player) -> bool:
        return _HOW.get(player.status) is How.SUBMITTED

    async def key_of(self, player: Player) -> PieceKey:
        return PieceKey(PieceKind.ONBOARDING, player.id)

    async def members(self, player: Player) -> Sequence[Player]:
        return [player]

    async def person(self, player: Player, is_present: Callable[[WireId], bool]) -> Person:
        assert isinstance(player, OnboardingAgent)
        agent = player
        facts = await self.storage.worker_facts(agent.run_id, agent.worker_id)
        return Person(
            worker_view(facts.worker, self.run, GrantsOver(facts.grants, may_grant=False)),
            onboarding_view(self.run, page_data_of(agent).page),
            self.folders / str(agent.id),
            partial(is_present, agent.wire_id),
            partial(self._data, agent.id),
        )

    async def play(self, piece: Piece, agents: Sequence[LiveAgent]) -> Any:
        play: Any = self.blueprint.play(PieceKind.ONBOARDING)
        return _document(await play(agents[0]))

    async def happen(self, agent_id: AgentId, event: Ends) -> None:
        await self.lives.happen(agent_id, event)

    async def finished(self, piece: Piece, returned: Any) -> None:
        """The worker has nothing more to do: the page is told so, and gets the verdict when it asks."""
        (seat,) = piece.seats
        answer = Answered({} if returned is None else returned, who="daemon")
        with suppress(IllegalEvent):  # the worker has submitted, or left
            await self.lives.happen(seat.agent_id, answer)
        self.results.ended(seat.agent_id, returned)
        agent = await self.player(seat.agent_id)
        if agent.status is AgentStatus.WAITING:
            await self.judge(agent)

    async def _data(self, agent_id: AgentId) -> Any:
        return (await self.player(agent_id)).data


def _document(returned: Any) -> Any:
    """What the code returned, as it is stored and judged. TypeError: it does not fit into JSON."""
    try:
        document: Any = orjson.loads(orjson.dumps(returned))
        check_document(document)
    except (TypeError, RemoteProtocolError) as exc:
        raise TypeError(f"what run_onboarding returns must fit into JSON: {exc}") from exc
    return document
