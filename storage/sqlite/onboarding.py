"""Workers who are being onboarded, in SQLite."""

from datetime import datetime

import attrs

from ...protocol.names import AgentId, RunId, WireId, WorkerId
from .. import admission_rules, rules
from ..admission import NewOnboarding, OnboardingBegun
from ..contract import NotReserved
from ..hand import Hand
from ..records import OnboardingAgent
from ..sql import statements
from ..writes import MoveOnboarding
from .ask import Db, add, count, every, note, one, page, recount, save
from .body import SqliteBody
from .decisions import record_decision
from .people import change_grants
from .reserving import grants_by_name, run_and_block


class SqliteOnboarding(SqliteBody):
    """What `Storage` says about onboarding."""

    async def begin_onboarding(self, new: NewOnboarding, now: datetime) -> OnboardingBegun | NotReserved:
        return await self._engine.write(_begin, new, now)

    async def onboarding_agent(self, agent_id: AgentId) -> OnboardingAgent:
        return await self._engine.read(_the_onboarding_agent, agent_id)

    async def onboarding_by_wire_id(self, wire_id: WireId) -> OnboardingAgent:
        agent = await self._engine.read(
            one, OnboardingAgent, statements.ONBOARDING_OF_WIRE_ID, wire_id=wire_id
        )
        return rules.found(agent, "onboarding agent", "with this wire id")

    async def onboarding_of_link(self, run_id: RunId, link: str) -> list[OnboardingAgent]:
        return await self._engine.read(
            every, OnboardingAgent, statements.ONBOARDING_OF_LINK, run_id=run_id, link=link
        )

    async def onboarding_agents(
        self, run_id: RunId, worker_id: WorkerId | None = None
    ) -> list[OnboardingAgent]:
        return await self._engine.read_long(
            page, OnboardingAgent, 0, rules.VALUE_MAX, run_id=run_id, worker_id=worker_id
        )

    async def live_onboarding_agents(self, run_id: RunId) -> list[OnboardingAgent]:
        return await self._engine.read_long(every, OnboardingAgent, statements.LIVE_ONBOARDING, run_id=run_id)


def _begin(db: Db, new: NewOnboarding, now: datetime) -> OnboardingBegun | NotReserved:
    agent = admission_rules.new_onboarding(new, rules.moment(now))
    run, blocked = run_and_block(db, new.run_id, new.worker_id)
    existing = _existing(db, new)
    if existing is not None:
        return OnboardingBegun(existing, existing=True)
    refusal = rules.closed_to(blocked, run.state, run.paused) or admission_rules.grants_changed(
        new.expect, grants_by_name(db, new.worker_id)
    )
    return refusal or OnboardingBegun(_add(db, agent, new), existing=False)


def _existing(db: Db, new: NewOnboarding) -> OnboardingAgent | None:
    of_link = one(
        db,
        OnboardingAgent,
        statements.ONBOARDING_OF_PLACE,
        run_id=new.run_id,
        link=new.link,
        after=new.after,
    )
    if of_link is not None:
        admission_rules.check_same_person(of_link, new)
        return of_link
    return one(db, OnboardingAgent, statements.LIVE_ONBOARDING_OF, run_id=new.run_id, worker_id=new.worker_id)


def _add(db: Db, agent: OnboardingAgent, new: NewOnboarding) -> OnboardingAgent:
    agent = _the_onboarding_agent(db, AgentId(add(db, agent)))
    note(db, Hand("worker", "began onboarding", agent.created_at).onboarding(None, agent))
    count(db, "onboarding", agent.run_id, agent.status, 1)
    change_grants(db, new.worker_id, new.grants, agent.created_at)
    if new.decision is not None:
        record_decision(db, attrs.evolve(new.decision, onboarding_id=agent.id), agent.created_at)
    return agent


def move_onboarding(db: Db, move: MoveOnboarding, at: datetime) -> None:
    """Write a moved onboarding agent, its history and the run's counts."""
    old = _the_onboarding_agent(db, move.id)
    new = admission_rules.moved_onboarding(old, move, at)
    save(db, statements.SAVE_ONBOARDING_AGENT, new)
    recount(db, "onboarding", old.run_id, old.status, new.status)
    note(db, Hand(move.who, move.why, at).onboarding(old, new))


def _the_onboarding_agent(db: Db, agent_id: AgentId) -> OnboardingAgent:
    found = one(db, OnboardingAgent, statements.ONBOARDING_AGENT, id=agent_id)
    return rules.found(found, "onboarding agent", agent_id)
