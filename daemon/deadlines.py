"""When agents run out of time: one heap and one task for all of them, not a cancel scope each."""

import heapq
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import trio

from ..protocol.names import AgentId, WireId

Name = TypeVar("Name", AgentId, WireId)
SLICE = 64  # deadlines handled before others get a turn; ten thousand may fall due at one instant
STALE_MAX = 1_024  # forgotten ones that stay in the heap besides as many as count: an hour's come and go


class Deadlines(Generic[Name]):
    """Remembers until when each agent has time, in seconds of trio's clock."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, Name]] = []
        self._due: dict[Name, float] = {}
        self._sooner = trio.Event()

    def set(self, agent_id: Name, at: float) -> None:
        """The agent has time until `at`; replaces what was set before."""
        self._due[agent_id] = at
        heapq.heappush(self._heap, (at, agent_id))
        self._clear()
        if self._heap[0][0] == at:
            self._sooner.set()

    def forget(self, agent_id: Name) -> None:
        """The agent needs no deadline any more."""
        self._due.pop(agent_id, None)
        self._clear()

    def _clear(self) -> None:
        """Drop what does not count any more once there is much of it, however far off its time is."""
        if len(self._heap) > 2 * len(self._due) + STALE_MAX:
            self._heap = [(at, agent_id) for agent_id, at in self._due.items()]
            heapq.heapify(self._heap)

    async def watch(self, passed: Callable[[Name], Awaitable[None]]) -> None:
        """Call `passed` for each agent whose time is over, until cancelled."""
        while True:
            for agent_id in self._take(trio.current_time()):
                await passed(agent_id)
            await self._wait()

    def _take(self, now: float) -> list[Name]:
        passed: list[Name] = []
        while self._heap and self._heap[0][0] <= now and len(passed) < SLICE:
            at, agent_id = heapq.heappop(self._heap)
            if self._due.get(agent_id) == at:
                del self._due[agent_id]
                passed.append(agent_id)
        return passed

    async def _wait(self) -> None:
        self._sooner = trio.Event()
        until = self._heap[0][0] if self._heap else float("inf")
        with trio.move_on_at(until):
            await self._sooner.wait()
        await trio.lowlevel.checkpoint()
