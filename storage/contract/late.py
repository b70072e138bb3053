"""The contract of storage about answers that came too late to count."""

import abc

from ...protocol.names import AgentId, RunId
from ..records import LateAnswer


class LateContract(abc.ABC):
    """What `Storage` promises about late answers."""

    @abc.abstractmethod
    async def add_late(self, late: LateAnswer) -> bool:
        """Keep it, unpaid, under a number of its own; False: the run has the same of this wire id already."""

    @abc.abstractmethod
    async def late_answer(self, late_id: int) -> LateAnswer: ...

    @abc.abstractmethod
    async def late_of_agent(self, agent_id: AgentId) -> list[LateAnswer]: ...

    @abc.abstractmethod
    async def late_answers(self, run_id: RunId, after: int = 0, limit: int = 1000) -> list[LateAnswer]: ...

    @abc.abstractmethod
    async def late_count(self, run_id: RunId) -> int:
        """How many late answers the run has."""
