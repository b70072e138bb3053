"""The agents of one assignment as live user code sees them together."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

import trio

from ...protocol.names import AgentId
from .agent import LiveAgent, Recorded, plain
from .errors import AgentGone, AgentShutDown, GroupEnded
from .waits import AllOver, Ended, Got, Nothing, What

if TYPE_CHECKING:
    from .piece import Piece


class Group(Recorded, Sequence[LiveAgent]):
    """All agents at once, in the order of their units; also those whose part is over."""

    def __init__(self, piece: "Piece", agents: Sequence[LiveAgent]) -> None:
        super().__init__(piece, "group")
        self._agents = agents

    @property
    def _whose(self) -> LiveAgent:
        return self._agents[0]

    def __len__(self) -> int:
        return len(self._agents)

    def __iter__(self) -> Iterator[LiveAgent]:
        return iter(self._agents)

    @overload
    def __getitem__(self, index: int) -> LiveAgent: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[LiveAgent]: ...
    def __getitem__(self, index: int | slice) -> LiveAgent | Sequence[LiveAgent]:
        return self._agents[index]

    def updates(self, timeout_s: float | None = None) -> AsyncIterator[tuple[LiveAgent, dict[str, Any]]]:
        """Who sent what, in the order in which it came, until everybody has submitted or left.

        Also ends once nothing came for `timeout_s`. GroupEnded when the run's drop-out policy ends the group.
        """
        return GroupUpdates(self, timeout_s)

    async def next_update(self, timeout_s: float | None = None) -> tuple[LiveAgent, dict[str, Any]] | None:
        """Who sent what next; None when nobody can send any more, or nothing came in time. GroupEnded."""
        outcome = await self._piece.ask(What.RECEIVE_ANY, within_s=timeout_s)
        match outcome:
            case Got():
                return self._of(outcome.update.agent_id), plain(outcome.update.update)
            case Ended():
                raise GroupEnded(self._of(outcome.agent_id))
            case AllOver() | Nothing():
                return None
            case _:
                raise AgentShutDown(self._agents[0])

    async def send(self, data: Mapping[str, Any], but: LiveAgent | None = None) -> None:
        """Send an update to everybody (`but` one); whose part is over is left out."""
        for agent in self._agents:
            if agent is not but:
                try:
                    await agent.send(data)
                except AgentShutDown:
                    raise
                except AgentGone:
                    continue

    async def submitted(self, timeout_s: float | None = None) -> list[Any]:
        """The final answers in the order of the agents, None of those who left without. NothingReceived."""
        until = None if timeout_s is None else trio.current_time() + timeout_s
        answers: list[Any] = []
        for agent in self._agents:
            left_s = None if until is None else max(0.0, until - trio.current_time())
            try:
                answers.append(await agent.submitted(left_s))
            except AgentShutDown:
                raise
            except AgentGone:
                answers.append(None)
        return answers

    def _of(self, agent_id: AgentId) -> LiveAgent:
        return self._agents[self._piece.seat_of(agent_id).index]


class GroupUpdates(AsyncIterator[tuple[LiveAgent, dict[str, Any]]]):
    """What the agents of a group send, one after the other."""

    def __init__(self, group: Group, timeout_s: float | None) -> None:
        self._group = group
        self._timeout_s = timeout_s

    async def __anext__(self) -> tuple[LiveAgent, dict[str, Any]]:
        update = await self._group.next_update(self._timeout_s)
        if update is None:
            raise StopAsyncIteration
        return update
