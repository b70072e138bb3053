"""What a page that asked for work is told: its unit's data, how its agent ended, or why it gets nothing."""

from collections.abc import Mapping
from typing import Any

import attrs

from ..protocol.limits import PAUSED_RETRY_AFTER_S, RETRY_AFTER_S
from ..protocol.names import SENTENCES, Outcome, Reason
from ..protocol.packets import AgentDetails
from ..storage.admission import Candidate
from ..storage.records import Agent, Assignment, Unit, Worker
from . import lifecycle
from .admission_tools import Tools
from .due_times import time_left_s
from .hooks import HookFailed, HookName, Known
from .metrics.families import timed

_LATER_S = {Reason.TRY_LATER: float(RETRY_AFTER_S), Reason.PAUSED: float(PAUSED_RETRY_AFTER_S)}


class Replies:
    """One per run. Reads, and changes nothing."""

    def __init__(self, tools: Tools) -> None:
        self._t = tools

    async def details(
        self, request: str, agent: Agent, unit: Unit, assignment: Assignment, response: str
    ) -> AgentDetails:
        """The data of a live agent's unit. A hook that fails to give it: try later, the unit stays theirs."""
        try:
            init_data = await self._init_data(agent, unit, assignment)
        except HookFailed:  # who asked has noted it
            return self.refusal(request, Reason.TRY_LATER)
        groups = self._t.groups
        waiting = None if groups is None else await groups.waiting(agent)
        past = None if self._t.past is None else await self._t.past(agent.id)
        self._t.metrics.responses[response].inc()
        return AgentDetails(
            request=request,
            outcome=Outcome.OK,
            worker_id=str(agent.worker_id),
            agent_id=agent.wire_id,
            init_task_data=init_data if past is None else past.init_data(init_data),
            seen=0 if past is None else past.seen,
            status=agent.status,
            time_left_s=time_left_s(agent.due_at, self._t.wall()),
            waiting=None if waiting is None else dict(waiting),
        )

    def ended(self, request: str, agent: Agent, unit: Unit, crowdd_client: bool) -> AgentDetails:
        """How the agent ended; unchanged pages know one sentence for all ends."""
        reason = lifecycle.refusal_of_ended(agent, unit) if crowdd_client else Reason.TASK_MISSING
        return attrs.evolve(self.refusal(request, reason), status=agent.status)

    def refusal(self, request: str, reason: Reason, worker: Worker | None = None) -> AgentDetails:
        """Why there is no work, in the task's own words where it has some."""
        later_s = _LATER_S.get(reason)
        return AgentDetails(
            request=request,
            outcome=Outcome.REFUSED if later_s is None else Outcome.TRY_LATER,
            worker_id=None if worker is None else str(worker.id),
            failure_reason=self.sentence(reason),
            reason=reason,
            retry_after_s=later_s,
        )

    def sentence(self, reason: Reason) -> str:
        """What a worker reads: the task's own words, or ours."""
        return sentence(self._t.config.texts, reason)

    async def _init_data(self, agent: Agent, unit: Unit, assignment: Assignment) -> Any:
        if self._t.hooks.has(HookName.INIT_DATA):
            read = await self._t.storage.worker_facts(self._t.run.id, agent.worker_id)
            known = Known(read.worker, read.grants)
            return await self._t.hooks.init_data(known, agent, Candidate(unit, assignment))
        with timed(self._t.metrics.external["get_init_data_for_agent"]):
            return self._t.blueprint.init_data(assignment, unit)


def sentence(texts: Mapping[str, str], reason: Reason) -> str:
    """What a worker reads: the task's own words, or ours."""
    return texts.get(reason.value, SENTENCES[reason])
