"""The onboarding agents of one LiveRun and their time, from the run's start to its end."""

from collections.abc import Callable, Sequence

from ...protocol.names import AgentStatus, Reason
from ...storage.records import OnboardingAgent, TaskRun
from ..house import House
from ..router_link import RouterLink
from ..task_config import Limits, RunConfig
from ..timekeeper import Timekeeper, Timing
from .lives import OnboardingLives, OnboardingTools


class RunOnboarding:
    """One per LiveRun that onboards. `tell` pushes an agent's status to its page."""

    def __init__(
        self,
        run: TaskRun,
        config: RunConfig,
        house: House,
        tell: Callable[[OnboardingAgent, Reason | None], None],
    ) -> None:
        assert config.onboarding is not None
        tools = OnboardingTools(
            run, config.onboarding, config.limits, house.storage, house.wall, tell, self._due_changed
        )
        self.lives = OnboardingLives(tools)
        longest_s = max(self.lives.time_s, config.limits.rejoin_s)
        timing = Timing(self.lives.live, self.lives.time_passed, self.lives.give_back)
        self._timekeeper = Timekeeper(house, longest_s, config.limits.rejoin_s, timing)

    def use(self, limits: Limits) -> None:
        """Other limits hold from now on."""
        self.lives.use(limits)
        self._timekeeper.use(max(self.lives.time_s, limits.rejoin_s))

    async def remember(self) -> None:
        """Take up what storage says, after a start."""
        await self._timekeeper.remember()

    async def watch(self, links: Sequence[RouterLink]) -> None:
        """Let time pass for who is being onboarded, until cancelled."""
        await self._timekeeper.watch(links)

    def _due_changed(self, agent: OnboardingAgent) -> None:
        """Who submitted waits for us: nobody's time runs."""
        if agent.status is AgentStatus.ONBOARDING:
            self._timekeeper.due_changed(agent)
        else:
            self._timekeeper.forget(agent.id)
