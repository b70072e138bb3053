"""Watches how much time the agents of one run have left; what follows is the task runner's to carry out.

Time counts only while one of the run's routers is reached: nobody loses work to an outage of ours.
"""

import math
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Generic, TypeVar

import attrs
import trio

from ..protocol.names import LIVE_AGENT, AgentId
from ..storage.records import Agent, OnboardingAgent
from .deadlines import Deadlines
from .full_disk import with_space
from .house import House
from .reached import one_reached, until_all_away
from .router_link import RouterLink
from .slices import by_slices

AGENTS_A_TURN = 500  # some 8 us each
Timed = TypeVar("Timed", Agent, OnboardingAgent)


@attrs.frozen
class Timing(Generic[Timed]):
    """Whose time is kept, and what is done about it."""

    timed: Callable[[], Awaitable[Sequence[Timed]]]
    """Those whose time runs, as storage says."""
    passed: Callable[[AgentId, datetime], Awaitable[None]]
    """Somebody's time is over, if it did not change meanwhile: it is so late now, whatever the wall says."""
    give_back: Callable[[Sequence[Timed], float, float], Awaitable[None]]
    """Store that those of them who live have so many seconds more, and at least so many from now on."""


class Timekeeper(Generic[Timed]):
    """One for each kind of a run's agents. Holds no truth: the times are with the agents in storage."""

    def __init__(self, house: House, longest_s: float, at_least_s: float, timing: Timing[Timed]) -> None:
        """`longest_s`: nobody has more time than this; `at_least_s`: so much everybody has after a start."""
        self._house = house
        self._longest_s = longest_s
        self._at_least_s = at_least_s
        self._timing: Timing[Timed] = timing
        self._deadlines: Deadlines[AgentId] = Deadlines()
        self._due: dict[AgentId, tuple[float, datetime]] = {}

    def due_changed(self, agent: Timed) -> None:
        """Remember (or forget) until when the agent, or its kept unit, has time."""
        self._set(agent, 0.0)

    def _set(self, agent: Timed, more_s: float, at_least_s: float = 0.0) -> None:
        if agent.due_at is None:
            self.forget(agent.id)
        else:
            left_s = max(self._remaining_s(agent, agent.due_at) + more_s, at_least_s)
            at = trio.current_time() + left_s
            self._deadlines.set(agent.id, at)
            self._due[agent.id] = (at, agent.due_at)

    def use(self, longest_s: float) -> None:
        """From now on nobody has more time than this, but who was given it before."""
        self._longest_s = longest_s

    def forget(self, agent_id: AgentId) -> None:
        """The agent's time does not run any more."""
        self._deadlines.forget(agent_id)
        self._due.pop(agent_id, None)

    async def remember(self) -> None:
        """Take up what storage says, after a start."""
        await self._read()

    async def watch(self, links: Sequence[RouterLink]) -> None:
        """Let time pass for agents while a router is reached, until cancelled.

        After a start not before each router has said what it kept, or `settle_s` have passed: an answer that
        a router keeps must not find its agent timed out. And nobody's time is over at once: their pages had
        no way to us.
        """
        with trio.move_on_after(self._house.pace.settle_s):
            for link in links:
                await link.outbox.settled()
        await self._give_back(0.0, self._at_least_s)
        while True:
            await until_all_away(links, partial(self._deadlines.watch, self._pass))
            away_at = trio.current_time()
            await one_reached(links)
            with trio.move_on_after(self._house.pace.settle_s):
                for link in links:
                    if link.state.up:
                        await link.outbox.settled()
            await self._give_back(trio.current_time() - away_at)

    async def _give_back(self, lost_s: float, at_least_s: float = 0.0) -> None:
        """Also those get it who are kept after a shutdown; of them nothing is stored: they see no clock.

        However long the daemon was away, they have a while to find it again.
        """
        await with_space("the time that was lost", lambda: self._stored(lost_s, at_least_s))
        await self._read(lost_s, at_least_s)

    async def _read(self, lost_s: float = 0.0, at_least_s: float = 0.0) -> None:
        """Take up what storage says, a slice a turn of the loop.

        Of whom something else was decided meanwhile another time may be remembered: once that is over,
        storage is asked again.
        """
        agents = await self._timing.timed()

        def take_up(agent: Timed) -> None:
            lives = agent.status in LIVE_AGENT
            self._set(agent, 0.0 if lives else lost_s, 0.0 if lives else at_least_s)

        await by_slices(agents, AGENTS_A_TURN, take_up)

    async def _stored(self, lost_s: float, at_least_s: float) -> None:
        await self._timing.give_back(await self._timing.timed(), lost_s, at_least_s)

    async def _pass(self, agent_id: AgentId) -> None:
        at, due_at = self._due.get(agent_id, (math.inf, None))
        if due_at is None or at > trio.current_time():
            return  # it was changed while others' ends were carried out
        now = max(self._house.wall(), due_at)
        await with_space(f"the end of agent {agent_id}", lambda: self._timing.passed(agent_id, now))

    def _remaining_s(self, agent: Timed, due_at: datetime) -> float:
        """Never more than a whole duration, or all that they were given: a clock that jumped back must not
        keep units for ever."""
        left = (due_at - self._house.wall()).total_seconds()
        given = (due_at - agent.created_at).total_seconds()
        return min(max(left, 0.0), max(self._longest_s, given))
