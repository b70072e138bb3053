"""Watches how much time the agents of one run have left; what follows is the task runner's to carry out."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import trio

from ..protocol.names import AgentId
from ..storage.records import Agent, OnboardingAgent
from .deadlines import Deadlines
from .full_disk import with_space
from .house import House
from .router_link import RouterLink

Timed = Agent | OnboardingAgent

LOOK_AGAIN_S = 60.0  # when nothing says how long anybody has, look at what is stored this often


class Timekeeper:
    """One for each kind of a run's agents. Holds no truth: the times are with the agents in storage."""

    def __init__(
        self,
        house: House,
        longest_s: float,
        timed: Callable[[], Awaitable[Sequence[Timed]]],
        passed: Callable[[AgentId], Awaitable[None]],
    ) -> None:
        """`longest_s`: nobody has more time than this; `timed`: those whose time runs, read after a start."""
        self._house = house
        self._longest_s = longest_s
        self._timed = timed
        self._passed = passed
        self._deadlines = Deadlines()

    def due_changed(self, agent: Timed) -> None:
        """Remember (or forget) until when the agent, or its kept unit, has time."""
        if agent.due_at is None:
            self._deadlines.forget(agent.id)
        else:
            self._deadlines.set(agent.id, trio.current_time() + self._remaining_s(agent.due_at))

    def use(self, longest_s: float) -> None:
        """From now on nobody has more time than this, but who was given it before."""
        self._longest_s = longest_s

    def forget(self, agent_id: AgentId) -> None:
        """The agent's time does not run any more."""
        self._deadlines.forget(agent_id)

    async def remember(self) -> None:
        """Take up what storage says, after a start."""
        for agent in await self._timed():
            self.due_changed(agent)

    async def watch(self, links: Sequence[RouterLink]) -> None:
        """Let time pass for agents, until cancelled.

        After a start not before each router has said what it kept, or `settle_s` have passed: an answer that
        a router keeps must not find its agent timed out.
        """
        with trio.move_on_after(self._house.pace.settle_s):
            for link in links:
                await link.settled.wait()
        await self._deadlines.watch(self._pass)

    async def _pass(self, agent_id: AgentId) -> None:
        await with_space(f"the end of agent {agent_id}", lambda: self._passed(agent_id))

    def _remaining_s(self, due_at: datetime) -> float:
        """Never more than a whole duration: a clock that jumped back must not keep units for ever.

        Who has more time than that, from before the limits were changed, is looked at again then.
        """
        left = (due_at - self._house.wall()).total_seconds()
        return min(max(left, 0.0), max(self._longest_s, LOOK_AGAIN_S))
