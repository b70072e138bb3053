"""Workers who are being onboarded, in memory."""

from datetime import datetime

import attrs

from ...protocol.names import LIVE_AGENT, AgentId, RunId, WireId, WorkerId
from .. import admission_rules, rules
from ..admission import NewOnboarding, OnboardingBegun
from ..contract import NotReserved
from ..errors import Duplicate
from ..hand import Hand
from ..records import OnboardingAgent
from ..rows import fresh
from ..writes import MoveOnboarding
from .body import MemoryBody, copies, note
from .decisions import record_decision
from .people import change_grants
from .reserving import grants_by_name
from .tables import Tables


class MemoryOnboarding(MemoryBody):
    """What `Storage` says about onboarding."""

    async def begin_onboarding(self, new: NewOnboarding, now: datetime) -> OnboardingBegun | NotReserved:
        async with self._write() as tables:
            return _begin(tables, new, rules.moment(now))

    async def onboarding_agent(self, agent_id: AgentId) -> OnboardingAgent:
        return fresh(_the_onboarding_agent(await self._read(), agent_id))

    async def onboarding_by_wire_id(self, wire_id: WireId) -> OnboardingAgent:
        agent = (await self._read()).onboarding_agents.the("wire_id", wire_id)
        return fresh(rules.found(agent, "onboarding agent", "with this wire id"))

    async def onboarding_of_link(self, run_id: RunId, link: str) -> list[OnboardingAgent]:
        return copies((await self._read()).onboarding_agents.having("link", (run_id, link)))

    async def onboarding_agents(
        self, run_id: RunId, worker_id: WorkerId | None = None
    ) -> list[OnboardingAgent]:
        agents = (await self._read()).onboarding_agents.having("run", run_id)
        return copies(agent for agent in agents if worker_id in (None, agent.worker_id))

    async def live_onboarding_agents(self, run_id: RunId) -> list[OnboardingAgent]:
        agents = (await self._read()).onboarding_agents.having("run", run_id)
        return copies(agent for agent in agents if agent.status in LIVE_AGENT)


def _begin(tables: Tables, new: NewOnboarding, at: datetime) -> OnboardingBegun | NotReserved:
    agent = admission_rules.new_onboarding(new, at)
    run = rules.found(tables.runs.get(new.run_id), "run", new.run_id)
    worker = rules.found(tables.workers.get(new.worker_id), "worker", new.worker_id)
    existing = _existing(tables, new)
    if existing is not None:
        return OnboardingBegun(fresh(existing), existing=True)
    refusal = rules.closed_to(worker.blocked, run.state, run.paused) or admission_rules.grants_changed(
        new.expect, grants_by_name(tables, worker.id)
    )
    return refusal or OnboardingBegun(fresh(_add(tables, agent, new)), existing=False)


def _existing(tables: Tables, new: NewOnboarding) -> OnboardingAgent | None:
    for agent in tables.onboarding_agents.having("link", (new.run_id, new.link)):
        if agent.after == new.after:
            admission_rules.check_same_person(agent, new)
            return agent
    mine = tables.onboarding_agents.having("worker", (new.run_id, new.worker_id))
    return next((agent for agent in mine if agent.status in LIVE_AGENT), None)


def _add(tables: Tables, agent: OnboardingAgent, new: NewOnboarding) -> OnboardingAgent:
    if tables.onboarding_agents.the("wire_id", agent.wire_id):
        raise Duplicate("there is an onboarding agent with this wire id")
    number = AgentId(tables.onboarding_agents.next_id())
    agent = tables.onboarding_agents.put(number, attrs.evolve(agent, id=number))
    note(tables, Hand("worker", "began onboarding", agent.created_at).onboarding(None, agent))
    change_grants(tables, new.worker_id, new.grants, agent.created_at)
    if new.decision is not None:
        record_decision(tables, attrs.evolve(new.decision, onboarding_id=number), agent.created_at)
    return agent


def move_onboarding(tables: Tables, move: MoveOnboarding, at: datetime) -> None:
    """Stage a moved onboarding agent and its history."""
    old = _the_onboarding_agent(tables, move.id)
    new = admission_rules.moved_onboarding(old, move, at)
    others = tables.onboarding_agents.having("worker", (old.run_id, old.worker_id))
    if new.status in LIVE_AGENT and any(each.status in LIVE_AGENT for each in others if each.id != old.id):
        raise Duplicate(f"worker {old.worker_id} is being onboarded")
    tables.onboarding_agents.put(old.id, new)
    note(tables, Hand(move.who, move.why, at).onboarding(old, new))


def _the_onboarding_agent(tables: Tables, agent_id: AgentId) -> OnboardingAgent:
    return rules.found(tables.onboarding_agents.get(agent_id), "onboarding agent", agent_id)
