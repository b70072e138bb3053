"""What admission works with, and what it may ask of the run it works for. Holds no code."""

import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

import attrs

from ..protocol.names import AgentId, AgentStatus, Reason, WorkerId
from ..protocol.packets import AgentDetails
from ..storage.contract import Storage
from ..storage.records import Agent, OnboardingAgent, TaskRun
from .admission import Rules, SpecialKind
from .blueprints.contract import Blueprint
from .clock import Wall
from .hooks import Hooks, Known
from .live.past import Past
from .metrics.families import RunMetrics
from .providers.contract import CrowdProvider
from .special_data import SpecialRows
from .task_config import RunConfig
from .task_runner import TaskRunner


class Desk(Protocol):
    """What admission may ask of the run it works for."""

    def closed(self) -> Reason | None:
        """Why nobody is let in at present, or None."""
        ...

    async def settled(self, worker_id: WorkerId) -> None:
        """Return once all that the worker submitted is judged."""
        ...

    def judged(self) -> int | None:
        """Grows with each answer that is judged, whoever's; None while any is to be judged."""
        ...

    async def caught_up(self) -> bool:
        """Return once all answers are saved that are being saved now, whoever's; whether there was any."""
        ...

    def due_changed(self, agent: Agent) -> None:
        """An agent was made, or its time changed."""
        ...

    async def failed(self, doing: str, error: Exception, agent_id: AgentId | None = None) -> None:
        """A plug-in failed at something: staff are to see it."""
        ...


@attrs.frozen
class Seat:
    """By which way a worker came: what is kept with the agent they get."""

    link: str
    after: str
    """Wire id of the agent the link has finished; "": none."""
    data: dict[str, Any] = attrs.Factory(dict[str, Any])


class OnboardingDoor(Protocol):
    """Where workers go who are to be onboarded first. A run that does not onboard has none."""

    async def kept_data(self, known: Known, seat: Seat) -> dict[str, Any]:
        """What is kept with a new onboarding agent (its `provider_data`). HookFailed."""
        ...

    async def after(self, seat: Seat) -> str:
        """What a new onboarding of this seat comes after: an earlier one of it, if that was judged."""
        ...

    def full_time(self) -> datetime | None:
        """Until when somebody has time who begins now."""
        ...

    def begun(self, agent: OnboardingAgent) -> None:
        """An onboarding agent was made."""
        ...

    def may_resume(self, agent: OnboardingAgent) -> bool:
        """Whether a shutdown interrupted it, and it may go on."""
        ...

    async def resume(self, agent: OnboardingAgent) -> OnboardingAgent:
        """It goes on, if it still may."""
        ...

    async def details(self, request: str, agent: OnboardingAgent) -> AgentDetails:
        """What the page of an onboarding agent is told, live or not."""
        ...


class GroupDoor(Protocol):
    """What admission may ask about groups. Tasks whose units are done alone have none."""

    def has_begun(self, agent: Agent) -> bool:
        """Whether the work of the agent's group began, and it comes back to that."""
        ...

    async def waiting(self, agent: Agent) -> Mapping[str, Any] | None:
        """What the page of an agent that waits is told of its group; None: it does not wait."""
        ...


@attrs.frozen
class Tools:
    """What admission works with."""

    run: TaskRun
    config: RunConfig
    storage: Storage
    provider: CrowdProvider
    blueprint: Blueprint
    hooks: Hooks
    rules: Rules
    runner: TaskRunner
    wall: Wall
    rng: random.Random
    metrics: RunMetrics
    past: Callable[[AgentId], Awaitable[Past]] | None = None
    """Reads what was said so far in an agent's live work; None: the run has none."""
    rows: Mapping[SpecialKind, SpecialRows] = attrs.Factory(dict[SpecialKind, SpecialRows])
    """Where the data of special units comes from that no hook gives."""
    groups: GroupDoor | None = None

    def time_s(self, status: AgentStatus) -> float:
        """How long an agent has that begins so: for the work, or to wait for others; 0: for ever."""
        live = self.blueprint.live
        if status is AgentStatus.WAITING and live is not None and live.group is not None:
            return live.group.waiting.limit_s
        return self.config.limits.assignment_duration_s
