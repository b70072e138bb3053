"""Carries onboarding agents through their lives: reads, lets `lifecycle` decide, saves, then tells."""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import attrs
import trio

from ...protocol.names import LIVE_AGENT, AgentId, AgentStatus, Reason
from ...storage.contract import Storage
from ...storage.errors import StaleWrite
from ...storage.records import OnboardingAgent, TaskRun
from ...storage.writes import Write
from ..admission_config import Onboarding
from ..clock import Wall
from ..due_times import due_after, with_lost_time
from ..lifecycle import Dismissed, IllegalEvent, ShutDown, TimeOver
from ..lifecycle.onboarding import OnboardingEvent, Resumed, RunOver, TimeGiven, step_onboarding
from ..task_config import Limits

log = logging.getLogger(__name__)

AGENTS_PER_TRANSACTION = 200
ROUNDS_MAX = 8  # a fact that changes under us more often than this is a bug, not bad luck


@attrs.frozen
class OnboardingTools:
    """What lives are carried on with; `tell` and `due_changed` are called after a move was saved."""

    run: TaskRun
    onboarding: Onboarding
    limits: Limits
    storage: Storage
    wall: Wall
    tell: Callable[[OnboardingAgent, Reason | None], None]
    due_changed: Callable[[OnboardingAgent], None]


class OnboardingLives:
    """One per run that onboards. Holds no state."""

    def __init__(self, tools: OnboardingTools) -> None:
        self._t = tools

    def use(self, limits: Limits) -> None:
        """Other limits hold from now on."""
        self._t = attrs.evolve(self._t, limits=limits)

    async def happen(
        self, agent_id: AgentId, event: OnboardingEvent, also: Sequence[Write] = ()
    ) -> OnboardingAgent:
        """Let `event` happen, and save `also` with it; the agent after it. IllegalEvent, StaleWrite.

        StaleWrite: `also` rests on what has changed. Without `also` it is decided again.
        """
        for _ in range(ROUNDS_MAX):
            agent = await self._t.storage.onboarding_agent(agent_id)
            move = step_onboarding(agent, event)
            await trio.lowlevel.checkpoint_if_cancelled()
            try:
                with trio.CancelScope(shield=True):  # what is stored is told (as `TaskRunner.carry_out` does)
                    await self._t.storage.commit([*also, move], self._t.wall())
                    return await self._moved(agent_id)
            except StaleWrite:
                if also:
                    raise
        raise StaleWrite(f"onboarding agent {agent_id} kept changing")

    def begun(self, agent: OnboardingAgent) -> None:
        """An agent was made: its time runs."""
        self._t.due_changed(agent)

    async def resume(self, agent: OnboardingAgent) -> OnboardingAgent:
        """A worker whom a shutdown interrupted is back."""
        try:
            return await self.happen(agent.id, Resumed(self.full_time()))
        except IllegalEvent:
            return await self._t.storage.onboarding_agent(agent.id)

    async def time_passed(self, agent_id: AgentId, now: datetime) -> None:
        """The agent's deadline came. It was given more time meanwhile: the rest is waited for."""
        agent = await self._t.storage.onboarding_agent(agent_id)
        if agent.due_at is None or agent.status is not AgentStatus.ONBOARDING:
            return
        if agent.due_at > now:
            self._t.due_changed(agent)
            return
        with suppress(IllegalEvent):
            await self.happen(agent_id, TimeOver())

    async def give_back(self, agents: Sequence[OnboardingAgent], lost_s: float, at_least_s: float) -> None:
        """Nobody is onboarded while no router is reached: who is at it gets the lost time once more."""
        at_least = self._t.wall() + timedelta(seconds=at_least_s)
        for agent in agents:
            if agent.status is AgentStatus.ONBOARDING and agent.due_at is not None:
                due_at = with_lost_time(agent.due_at, lost_s, at_least)
                if due_at > agent.due_at:
                    with suppress(IllegalEvent):
                        await self.happen(agent.id, TimeGiven(due_at))

    async def shut_down_all(self) -> int:
        """Everybody is interrupted, and may go on after the next start; returns how many."""
        return await self._end_all(lambda agent: ShutDown(self._rejoin_until(agent)))

    async def dismiss_all(self) -> int:
        """Staff end the run now: so does everybody's onboarding; returns how many."""
        return await self._end_all(lambda agent: Dismissed())

    async def end_all(self) -> int:
        """Every unit of the run has ended: nobody needs to be onboarded; returns how many were."""
        return await self._end_all(lambda agent: RunOver())

    async def live(self) -> list[OnboardingAgent]:
        """Those whose onboarding goes on."""
        return await self._t.storage.live_onboarding_agents(self._t.run.id)

    @property
    def time_s(self) -> float:
        """How long somebody has; 0: for ever."""
        own = self._t.onboarding.time_s
        return self._t.limits.assignment_duration_s if own is None else own

    def full_time(self) -> datetime | None:
        """Until when somebody has time who begins now."""
        return due_after(self._t.wall(), self.time_s)

    def _rejoin_until(self, agent: OnboardingAgent) -> datetime | None:
        """As static work: the rest of its time, and never less than the time to come back."""
        soonest = self._t.wall() + timedelta(seconds=self._t.limits.rejoin_s)
        if agent.due_at is None:
            return soonest if self.time_s else None
        return max(agent.due_at, soonest)

    async def _end_all(self, event_for: Callable[[OnboardingAgent], OnboardingEvent]) -> int:
        agents = await self.live()
        for start in range(0, len(agents), AGENTS_PER_TRANSACTION):
            await self._end_some(agents[start : start + AGENTS_PER_TRANSACTION], event_for)
        return len(agents)

    async def _end_some(
        self, agents: Sequence[OnboardingAgent], event_for: Callable[[OnboardingAgent], OnboardingEvent]
    ) -> None:
        try:
            moves = [step_onboarding(agent, event_for(agent)) for agent in agents]
            await self._t.storage.commit(moves, self._t.wall())
        except (StaleWrite, IllegalEvent):  # somebody submitted at this moment: the others must not suffer
            for agent in agents:
                with suppress(IllegalEvent):
                    await self.happen(agent.id, event_for(agent))
            return
        for agent in agents:
            await self._moved(agent.id)

    async def _moved(self, agent_id: AgentId) -> OnboardingAgent:
        agent = await self._t.storage.onboarding_agent(agent_id)
        ids = {"run": self._t.run.id, "worker": agent.worker_id}
        log.info("onboarding %d is %s", agent.id, agent.status.value, extra=ids)
        reason = None if agent.status in LIVE_AGENT or agent.reason is None else Reason(agent.reason)
        self._t.tell(agent, reason)
        self._t.due_changed(agent)
        return agent
