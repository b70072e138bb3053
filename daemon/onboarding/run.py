"""The onboarding agents of one LiveRun and their time, from the run's start to its end."""

from collections.abc import Callable, Sequence

import trio

from ...protocol.names import LIVE_AGENT, AgentStatus, Reason
from ...storage.records import OnboardingAgent, TaskRun
from ..house import House
from ..live.stage import Stage
from ..router_link import RouterLink
from ..task_config import Limits, RunConfig
from ..timekeeper import Timekeeper, Timing
from .lives import OnboardingLives, OnboardingTools
from .results import Results


class RunOnboarding:
    """One per LiveRun that onboards. `tell` pushes an agent's status to its page.

    `accompanied`: the author's code runs while somebody is onboarded.
    """

    def __init__(
        self,
        run: TaskRun,
        config: RunConfig,
        house: House,
        tell: Callable[[OnboardingAgent, Reason | None], None],
        accompanied: bool = False,
    ) -> None:
        assert config.onboarding is not None
        tools = OnboardingTools(
            run, config.onboarding, config.limits, house.storage, house.wall, tell, self._due_changed
        )
        self.lives = OnboardingLives(tools)
        longest_s = max(self.lives.time_s, config.limits.rejoin_s)
        timing = Timing(self.lives.live, self.lives.time_passed, self.lives.give_back)
        self._timekeeper = Timekeeper(house, longest_s, config.limits.rejoin_s, timing)
        self._stage: Stage | None = None
        self.results = Results() if accompanied else None
        """What the code that accompanies onboardings returned; None: none does."""

    def play(self, stage: Stage) -> None:
        """Here the code runs that accompanies the onboardings."""
        self._stage = stage

    def use(self, limits: Limits) -> None:
        """Other limits hold from now on."""
        self.lives.use(limits)
        self._timekeeper.use(max(self.lives.time_s, limits.rejoin_s))

    async def take_up(self) -> None:
        """Know again who is at it, after a start; before the links are served."""
        if self._stage is not None:
            await self._stage.take_up()

    async def remember(self) -> None:
        """Take up what storage says, after a start."""
        await self._timekeeper.remember()

    async def watch(self, links: Sequence[RouterLink]) -> None:
        """Let time pass for who is being onboarded, and carry on what accompanies them, until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._timekeeper.watch, links)
            if self._stage is not None:
                nursery.start_soon(self._stage.serve, links)

    @property
    def pieces(self) -> int:
        """How many are accompanied at this moment."""
        return 0 if self._stage is None else self._stage.pieces

    def _due_changed(self, agent: OnboardingAgent) -> None:
        """Who submitted waits for us: nobody's time runs."""
        if agent.status is AgentStatus.ONBOARDING:
            self._timekeeper.due_changed(agent)
        else:
            self._timekeeper.forget(agent.id)
        if self._stage is not None:
            self._stage.changed(agent)
        if self.results is not None and agent.status not in LIVE_AGENT:
            self.results.forget(agent.id)
