"""What routers called submitted while we were away or slow: it is never refused, and never lost.

A live agent completes by it, and so does one that has ended and whose unit is still to be had. Otherwise it
is kept as a late answer: staff see it, with the reason why it could not count; it is not judged, and whoever
did the unit instead keeps it.
"""

import logging
from collections.abc import Callable
from typing import Any

import attrs

from ..protocol.documents import canonical_json, content_digest
from ..protocol.names import AgentStatus, QueueOrder, Reason, UnitStatus
from ..protocol.packets import SubmitMetadata, SubmitUnit
from ..storage.contract import Storage
from ..storage.late_rules import is_any_owed
from ..storage.records import Agent, LateAnswer, TaskRun, Unit
from . import lifecycle
from .clock import Wall
from .log_ids import ids_of

log = logging.getLogger(__name__)

UNKNOWN = "this store knows no such agent: it was restored from a copy that is older"
OTHER_CONTENT = "another answer of the same agent is stored"
OTHER_TYPE = "a file of it is of a type that the task does not take"
OVER_LIMIT = "its worker has had as many units as one may have"
PAID = "another late answer of the same agent is to be paid"
_ENDS = {
    AgentStatus.TIMEOUT: "its time was over",
    AgentStatus.DISCONNECT: "its page was gone",
    AgentStatus.RETURNED: "its worker had given the unit back",
    AgentStatus.EXPIRED: "its unit had expired",
}


@attrs.frozen
class LateAnswers:
    """One per run."""

    run: TaskRun
    storage: Storage
    wall: Wall
    units_per_worker: Callable[[], int]
    """How many units of the task one worker may have; 0: any number."""

    async def bars(self, agent: Agent) -> str | None:
        """None if the agent may take its unit back for its answer, should it be free; else why not."""
        if is_any_owed(await self.storage.late_of_agent(agent.id)):
            return PAID
        if self.run.queue is QueueOrder.GROUPED:
            return "its group went on without it"
        most = self.units_per_worker()
        if not most:
            return None
        facts = await self.storage.worker_facts(self.run.id, agent.worker_id)
        return OVER_LIMIT if facts.task_units >= most else None

    async def keep(self, packet: SubmitUnit | SubmitMetadata, agent: Agent | None, why: str) -> None:
        """Store it; the same again is stored once."""
        said: Any = packet.final_data if isinstance(packet, SubmitUnit) else packet.metadata
        late = LateAnswer(
            id=0,
            run_id=self.run.id,
            agent_id=None if agent is None else agent.id,
            wire_id=packet.subject,
            is_answer=isinstance(packet, SubmitUnit),
            data=canonical_json(said),
            files=list(packet.files),
            digest=content_digest(said, packet.files),
            why=why,
            received_at=self.wall(),
        )
        if await self.storage.add_late(late):
            ids = {"run": self.run.id} if agent is None else ids_of(agent)
            log.warning("a late answer is kept beside: %s (crowdctl late)", why, extra=ids)

    async def why_late(self, agent: Agent) -> str:
        """Why the answer of an agent that has ended cannot count."""
        unit = await self.storage.unit(agent.unit_id)
        barred = await self.bars(agent) if lifecycle.may_take_back(agent, unit) else None
        return f"{_how_it_ended(agent)}, and {barred or _whose(unit)}"


def _how_it_ended(agent: Agent) -> str:
    if agent.reason == Reason.RUN_ENDED.value:
        return "staff had ended the run"
    if agent.reason == Reason.SHUTDOWN.value:
        return "it did not come back in time after a pause"
    return _ENDS.get(agent.status, f"it was {agent.status.value}")


def _whose(unit: Unit) -> str:
    match unit.status:
        case UnitStatus.LAUNCHED | UnitStatus.CREATED:
            return "it had left the unit"
        case UnitStatus.EXPIRED:
            return "its unit is not to be done any more"
        case _:
            return f"its unit went to agent {unit.agent_id}"
