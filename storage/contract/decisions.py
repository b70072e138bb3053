"""The contract of storage about what was decided, and why."""

import abc
from datetime import datetime

from ...protocol.names import AgentId, RunId, UnitId, WorkerId
from ..admission import NewDecision
from ..records import Decision


class DecisionsContract(abc.ABC):
    """What `Storage` promises about what was decided, and why."""

    @abc.abstractmethod
    async def record_decision(self, new: NewDecision, now: datetime) -> Decision:
        """Store a decision. The same as the worker's newest of this run again: counted there (`last_at`).

        Of decisions that led to no agent, the newest REFUSALS_KEPT of each run and worker are kept.
        """

    @abc.abstractmethod
    async def decisions(
        self,
        run_id: RunId | None = None,
        worker_id: WorkerId | None = None,
        agent_id: AgentId | None = None,
        unit_id: UnitId | None = None,
        onboarding_id: AgentId | None = None,
        after: int = 0,
        limit: int = 1000,
    ) -> list[Decision]:
        """Those about all that is named."""
