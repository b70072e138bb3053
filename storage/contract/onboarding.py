"""The contract of storage about onboarding agents."""

import abc
from datetime import datetime

from ...protocol.names import AgentId, RunId, WireId, WorkerId
from ..admission import NewOnboarding, OnboardingBegun
from ..records import OnboardingAgent
from .reserving import NotReserved


class OnboardingContract(abc.ABC):
    """What `Storage` promises about onboarding agents."""

    @abc.abstractmethod
    async def begin_onboarding(self, new: NewOnboarding, now: datetime) -> OnboardingBegun | NotReserved:
        """Begin to onboard a worker: an agent with status `onboarding`, and the decision, if it is new.

        `existing`: the agent of (run, link, after) whatever its status, or else the worker's live one of this
        run: a worker has one at most. NotReserved: blocked, run_ended, paused, facts_changed.
        Duplicate: the agent of (link, after) is another worker's, or the wire id is taken.
        """

    @abc.abstractmethod
    async def onboarding_agent(self, agent_id: AgentId) -> OnboardingAgent: ...
    @abc.abstractmethod
    async def onboarding_by_wire_id(self, wire_id: WireId) -> OnboardingAgent: ...
    @abc.abstractmethod
    async def onboarding_of_link(self, run_id: RunId, link: str) -> list[OnboardingAgent]: ...
    @abc.abstractmethod
    async def onboarding_agents(
        self, run_id: RunId, worker_id: WorkerId | None = None
    ) -> list[OnboardingAgent]: ...

    @abc.abstractmethod
    async def live_onboarding_agents(self, run_id: RunId) -> list[OnboardingAgent]:
        """Those whose onboarding goes on. The cost depends on how many these are."""
