"""Lets workers in: from "a page asks for work" to "this unit is theirs", or to a refusal with its reason."""

import logging
import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol

import attrs

from ..protocol.ids import new_wire_id
from ..protocol.limits import PAUSED_RETRY_AFTER_S, RETRY_AFTER_S
from ..protocol.names import (
    LIVE_AGENT,
    SENTENCES,
    AgentStatus,
    Outcome,
    Reason,
)
from ..protocol.packets import AgentDetails, RegisterAgent
from ..storage.contract import NotReserved, Registration, Reserved, Storage
from ..storage.records import Agent, TaskRun, Unit, Worker
from . import lifecycle
from .blueprints.contract import Blueprint
from .clock import Wall
from .lifecycle import IllegalEvent
from .log_ids import ids_of
from .metrics.families import ASSIGNED, RECONNECTION, RunMetrics, timed
from .providers.contract import CrowdProvider, Identity, IdentityUnverified, ProviderFailed
from .task_config import RunConfig
from .task_runner import TaskRunner

log = logging.getLogger(__name__)

WIRE_ID_BYTES = 16
_LATER_S = {Reason.TRY_LATER: float(RETRY_AFTER_S), Reason.PAUSED: float(PAUSED_RETRY_AFTER_S)}
"""Reasons that pass, and when to ask again."""


class Desk(Protocol):
    """What the pool may ask of the run it works for."""

    def closed(self) -> Reason | None:
        """Why nobody is let in at present, or None."""
        ...

    def due_changed(self, agent: Agent) -> None:
        """An agent was made, or its time changed."""
        ...

    async def failed(self, doing: str, error: Exception) -> None:
        """A plug-in failed at something: staff are to see it."""
        ...


@attrs.frozen
class Tools:
    """What the pool works with."""

    run: TaskRun
    config: RunConfig
    storage: Storage
    provider: CrowdProvider
    blueprint: Blueprint
    runner: TaskRunner
    wall: Wall
    rng: random.Random
    metrics: RunMetrics


class WorkerPool:
    """The admission of one run. Holds no state: everything is in storage, so a restart changes nothing."""

    def __init__(self, tools: Tools, desk: Desk) -> None:
        self._t = tools
        self._desk = desk

    async def register(self, packet: RegisterAgent) -> AgentDetails:
        """Answer a page that asks for work. Never raises for what a page or worker can cause."""
        try:
            identity = await self._t.provider.verify(packet.provider_data)
        except IdentityUnverified as exc:
            log.info("identity not verified: %s", exc, extra={"run": self._t.run.id})
            return self._refusal(packet, Reason.IDENTITY_UNVERIFIED)
        except ProviderFailed as exc:
            log.exception("the provider failed to verify a worker", extra={"run": self._t.run.id})
            await self._desk.failed("verifying a worker", exc)
            return self._refusal(packet, Reason.TRY_LATER)
        return await self._admit(packet, identity)

    async def _admit(self, packet: RegisterAgent, identity: Identity) -> AgentDetails:
        before = await self._t.storage.agents_of_link(self._t.run.id, identity.link)
        if before and (answer := await self._returning(packet, identity, before[-1])):
            return answer
        closed = self._desk.closed()
        if closed is not None:
            return self._refusal(packet, closed)
        worker = await self._t.storage.register_worker(
            self._t.provider.name, identity.worker_name, dict(identity.worker_data), self._t.wall()
        )
        refused = await self._t.provider.admits(worker)
        if refused is not None:
            return self._refusal(packet, refused, worker)
        return await self._reserve(packet, identity, worker)

    async def _returning(self, packet: RegisterAgent, identity: Identity, last: Agent) -> AgentDetails | None:
        """The answer for a link that had an agent before; None when it goes on to a next unit."""
        unit = await self._t.storage.unit(last.unit_id)
        if lifecycle.may_rejoin(last, unit) and self._desk.closed() is not Reason.TRY_LATER:
            last = await self._rejoined(last)
        elif lifecycle.may_rejoin(last, unit):
            return self._refusal(packet, Reason.TRY_LATER)
        if last.status in LIVE_AGENT:
            return await self._details(packet, last, RECONNECTION)
        if identity.after is None:
            return self._ended(packet, last, unit)
        if identity.after == last.wire_id:
            return None
        ended = self._ended(packet, last, unit)
        return attrs.evolve(ended, outcome=Outcome.OK, finished=True, agent_id=last.wire_id)

    async def _rejoined(self, agent: Agent) -> Agent:
        try:
            return await self._t.runner.rejoin(agent.id, self._t.blueprint.first_status(), self._full_time())
        except IllegalEvent:
            return await self._t.storage.agent(agent.id)

    async def _reserve(self, packet: RegisterAgent, identity: Identity, worker: Worker) -> AgentDetails:
        limits = self._t.config.limits
        registration = Registration(
            run_id=self._t.run.id,
            worker_id=worker.id,
            wire_id=new_wire_id(self._t.run.key, self._t.rng.randbytes(WIRE_ID_BYTES)),
            link=identity.link,
            after=identity.after or "",
            path=(AgentStatus.ACCEPTED, self._t.blueprint.first_status()),
            due_at=self._full_time(),
            provider_data=dict(identity.agent_data),
            allowed_concurrent=limits.allowed_concurrent,
            maximum_units_per_worker=limits.maximum_units_per_worker,
        )
        outcome = await self._t.storage.reserve(registration, self._t.wall())
        if isinstance(outcome, NotReserved):
            ids = {"run": self._t.run.id, "worker": worker.id}
            log.info("refused: %s", outcome.reason, extra=ids)
            return self._refusal(packet, Reason(outcome.reason), worker)
        return await self._reserved(packet, outcome)

    async def _reserved(self, packet: RegisterAgent, outcome: Reserved) -> AgentDetails:
        if not outcome.existing:
            agent = outcome.agent
            log.info("a unit for a worker", extra=ids_of(agent))
            self._desk.due_changed(agent)
        if outcome.agent.status not in LIVE_AGENT:
            return self._ended(packet, outcome.agent, outcome.unit)
        response = RECONNECTION if outcome.existing else ASSIGNED
        return await self._details(packet, outcome.agent, response)

    async def _details(self, packet: RegisterAgent, agent: Agent, response: str) -> AgentDetails:
        assignment = await self._t.storage.assignment(agent.assignment_id)
        unit = await self._t.storage.unit(agent.unit_id)
        with timed(self._t.metrics.external["get_init_data_for_agent"]):
            init_data = self._t.blueprint.init_data(assignment, unit)
        self._t.metrics.responses[response].inc()
        return AgentDetails(
            request=packet.request,
            outcome=Outcome.OK,
            worker_id=str(agent.worker_id),
            agent_id=agent.wire_id,
            init_task_data=init_data,
            status=agent.status,
            time_left_s=self._time_left(agent),
        )

    def _ended(self, packet: RegisterAgent, agent: Agent, unit: Unit) -> AgentDetails:
        reason = lifecycle.refusal_of_ended(agent, unit)
        if packet.crowdd_client:
            return attrs.evolve(self._refusal(packet, reason), status=agent.status)
        return attrs.evolve(self._refusal(packet, Reason.TASK_MISSING), status=agent.status)

    def _refusal(self, packet: RegisterAgent, reason: Reason, worker: Worker | None = None) -> AgentDetails:
        later_s = _LATER_S.get(reason)
        return AgentDetails(
            request=packet.request,
            outcome=Outcome.REFUSED if later_s is None else Outcome.TRY_LATER,
            worker_id=None if worker is None else str(worker.id),
            failure_reason=sentence(self._t.config.texts, reason),
            reason=reason,
            retry_after_s=later_s,
        )

    def _full_time(self) -> datetime | None:
        duration = self._t.config.limits.assignment_duration_s
        return self._t.wall() + timedelta(seconds=duration) if duration else None

    def _time_left(self, agent: Agent) -> float | None:
        if agent.due_at is None:
            return None
        return max(0.0, (agent.due_at - self._t.wall()).total_seconds())


def sentence(texts: Mapping[str, str], reason: Reason) -> str:
    """What a worker reads: the task's own words, or ours."""
    return texts.get(reason.value, SENTENCES[reason])
