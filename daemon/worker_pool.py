"""Lets workers in: from "a page asks for work" to "this unit is theirs", or to a refusal with its reason."""

import logging
from datetime import datetime, timedelta
from functools import partial

import attrs

from ..protocol.names import LIVE_AGENT, AgentStatus, Outcome, Reason
from ..protocol.packets import AgentDetails, RegisterAgent
from ..storage.admission import NewDecision, OnboardingBegun, WorkerFacts
from ..storage.contract import Arrival, Arrived, LastOfLink, Reserved
from ..storage.errors import Duplicate, NotFound, StorageFull
from ..storage.records import Agent, OnboardingAgent, Unit, Worker
from . import lifecycle
from .admission import ADMISSION, Facts, Last, Refuse, Return, outcome_of, returning, to_json
from .admission_replies import Replies
from .admission_tools import Desk, OnboardingDoor, Seat, Tools
from .admitting import Admitted, Admitting
from .due_times import due_after
from .faces import Faces
from .going_on import GoingOn, going_on
from .lifecycle import IllegalEvent
from .log_ids import ids_of
from .metrics.families import ASSIGNED, RECONNECTION
from .provider_calls import ProviderSilent, ask_provider
from .providers.contract import Identity, IdentityUnverified

log = logging.getLogger(__name__)

UNVERIFIED_CHARACTERS_MAX = 300  # of what is kept about somebody who is not who they say
ANOTHERS_LINK = "the link led another worker to the agent that it had last"


class WorkerPool:
    """The door of one run. Holds no state but a guess: all is in storage, so a restart changes nothing."""

    def __init__(self, tools: Tools, desk: Desk, door: OnboardingDoor | None = None) -> None:
        self._desk = desk
        self._door = door
        self._faces = Faces()
        self.use(tools)

    def use(self, tools: Tools) -> None:
        """Work with these from now on; who is being let in at this moment is let in by those before."""
        self._t = tools
        self._admitting = Admitting(tools, self._desk, self._door)
        self._replies = Replies(tools)

    async def register(self, packet: RegisterAgent) -> AgentDetails:
        """Answer a page that asks for work. Never raises for what a page, worker or plug-in can cause."""
        try:
            identity = await ask_provider("verify", partial(self._t.provider.verify, packet.provider_data))
        except IdentityUnverified as exc:
            return await self._unverified(packet, str(exc))
        except ProviderSilent as exc:
            log.exception("the provider failed to verify a worker", extra={"run": self._t.run.id})
            await self._desk.failed("verifying a worker", exc)
            return self._replies.refusal(packet.request, Reason.TRY_LATER)
        return await self._by_face(packet, identity)

    async def admit_after_onboarding(self, request: str, worker: Worker, seat: Seat) -> AgentDetails:
        """The answer to an onboarding that is over: the first real unit, or why there is none."""
        admitted = await self._admitting.admit(worker, seat)
        return await self._answer(request, admitted, worker, crowdd_client=True)

    # --- who comes for the first time, or comes back

    async def _by_face(self, packet: RegisterAgent, identity: Identity) -> AgentDetails:
        """Who seems to be new is let in without a look at their link; whoever is not: by that."""
        familiar = self._faces.familiar(identity.worker_name)
        if familiar or identity.after or self._desk.closed() is not None:
            return await self._by_link(packet, identity)
        seat = _seat(identity)
        try:
            arrived = await self._arrived(identity, seat, fresh_link=identity.link)
        except (Duplicate, StorageFull):  # the link leads somewhere, also while nothing can be written
            return await self._by_link(packet, identity)
        if arrived.facts is None:
            return await self._by_link(packet, identity, arrived.worker)
        return await self._let_in(packet, arrived, seat)

    async def _by_link(
        self, packet: RegisterAgent, identity: Identity, known: Worker | None = None
    ) -> AgentDetails:
        """`known`: who comes, if that is known already."""
        last = await self._last_of_link(identity)
        if self._door is not None:
            onboardings = await self._t.storage.onboarding_of_link(self._t.run.id, identity.link)
            if onboardings and (last is None or onboardings[-1].created_at > last.agent.created_at):
                return await self._after_onboarding(packet, identity, onboardings[-1], self._door)
        if last is None:
            return await self._admit(packet, identity, known)
        return await self._after(packet, identity, last)

    async def _last_of_link(self, identity: Identity) -> LastOfLink | None:
        """Where the link led last; with facts, if who goes on may be decided from them."""
        where = self._t.run.id, identity.link
        before = self._going_on(identity)
        if before is None:
            return await self._t.storage.last_of_link(*where)
        last = await self._t.storage.last_of_link(*where, before.after, before.bar)
        return before.kept(last, self._going_on(identity))

    def _going_on(self, identity: Identity) -> GoingOn | None:
        return going_on(identity, self._t.provider, self._desk) if self._door is None else None

    def _theirs(self, identity: Identity, worker: Worker) -> Worker | None:
        """The worker of an agent, if that is who comes now."""
        same = (worker.provider, worker.name) == (self._t.provider.name, identity.worker_name)
        return worker if same else None

    async def _after(self, packet: RegisterAgent, identity: Identity, last: LastOfLink) -> AgentDetails:
        """The answer for a link that had this agent last."""
        agent, unit, worker = last.agent, last.unit, self._theirs(identity, last.worker)
        may_rejoin = lifecycle.may_rejoin(agent, unit)
        match returning(self._last(identity, agent, worker is not None, may_rejoin=may_rejoin)):
            case Return.ADMISSION:
                return await self._admit(packet, identity, worker, last.facts)
            case Return.NOT_THEIRS:
                return await self._unverified(packet, ANOTHERS_LINK)
            case Return.TRY_LATER:
                return self._replies.refusal(packet.request, Reason.TRY_LATER)
            case Return.REJOIN:
                agent = await self._rejoined(agent, unit)
                unit = await self._t.storage.unit(agent.unit_id)
                return await self._after(
                    packet, identity, attrs.evolve(last, agent=agent, unit=unit, facts=None)
                )
            case Return.AGENT:
                return await self._replies.details(packet.request, agent, unit, last.assignment, RECONNECTION)
            case Return.ENDED:
                return self._replies.ended(packet.request, agent, unit, packet.crowdd_client)
            case Return.FINISHED:
                ended = self._replies.ended(packet.request, agent, unit, packet.crowdd_client)
                return attrs.evolve(ended, outcome=Outcome.OK, finished=True, agent_id=agent.wire_id)

    async def _after_onboarding(
        self, packet: RegisterAgent, identity: Identity, agent: OnboardingAgent, door: OnboardingDoor
    ) -> AgentDetails:
        """The answer for a link whose last agent was onboarded, or is."""
        worker = self._theirs(identity, await self._t.storage.worker(agent.worker_id))
        may_rejoin = door.may_resume(agent)
        match returning(self._last(identity, agent, worker is not None, True, may_rejoin)):
            case Return.ADMISSION:
                return await self._admit(packet, identity, worker)
            case Return.NOT_THEIRS:
                return await self._unverified(packet, ANOTHERS_LINK)
            case Return.TRY_LATER:
                return self._replies.refusal(packet.request, Reason.TRY_LATER)
            case Return.REJOIN:
                return await door.details(packet.request, await door.resume(agent))
            case Return.AGENT | Return.ENDED:
                return await door.details(packet.request, agent)
            case Return.FINISHED:
                ended = await door.details(packet.request, agent)
                return attrs.evolve(ended, outcome=Outcome.OK, finished=True, agent_id=agent.wire_id)

    def _last(
        self,
        identity: Identity,
        agent: Agent | OnboardingAgent,
        theirs: bool,
        onboarding: bool = False,
        may_rejoin: bool = False,
    ) -> Last:
        return Last(
            agent.status,
            theirs,
            onboarding,
            may_rejoin,
            closing=self._desk.closed() is Reason.TRY_LATER,
            says_after=identity.after is not None,
            goes_on=identity.after == agent.wire_id,
        )

    async def _rejoined(self, agent: Agent, unit: Unit) -> Agent:
        first = self._t.blueprint.first_status(unit.unit_index)
        if self._t.groups is not None and self._t.groups.has_begun(agent):
            first = AgentStatus.IN_TASK
        try:
            return await self._t.runner.rejoin(agent.id, first, self._time_again(agent, first))
        except IllegalEvent:
            return await self._t.storage.agent(agent.id)

    def _time_again(self, agent: Agent, status: AgentStatus) -> datetime | None:
        """Until when who comes back has time. Nobody waits for longer in all, but to have come back."""
        now, time_s = self._t.wall(), self._t.time_s(status)
        if status is AgentStatus.WAITING and time_s:
            soonest = now + timedelta(seconds=self._t.config.limits.rejoin_s)
            limit = timedelta(seconds=time_s)
            return min(now + limit, max(agent.created_at + limit, soonest))
        return due_after(now, time_s)

    # --- who comes in

    async def _admit(
        self,
        packet: RegisterAgent,
        identity: Identity,
        known: Worker | None,
        facts: WorkerFacts | None = None,
    ) -> AgentDetails:
        """Let somebody in whose link led nowhere, or to what is over; `known`: who it is, as of now.

        `facts`: theirs, if they are enough: nothing is to be waited for, and the provider welcomes them.
        """
        provider, name = self._t.provider.name, identity.worker_name
        closed = self._desk.closed()
        if closed is not None:
            why = Facts(self._t.rules, closed=closed)
            return await self._refused(packet, await self._known_worker(provider, name), why, closed)
        seat = _seat(identity)
        if known is None:
            return await self._let_in(packet, await self._arrived(identity, seat), seat)
        return await self._let_in(packet, Arrived(known, facts), seat, welcome=facts is not None)

    async def _let_in(
        self, packet: RegisterAgent, arrived: Arrived, seat: Seat, welcome: bool = False
    ) -> AgentDetails:
        if isinstance(arrived.reserved, Reserved):
            admitted: Admitted = arrived.reserved
        else:
            admitted = await self._admitting.admit(arrived.worker, seat, arrived.facts, welcome)
        return await self._answer(packet.request, admitted, arrived.worker, packet.crowdd_client)

    async def _arrived(self, identity: Identity, seat: Seat, fresh_link: str | None = None) -> Arrived:
        who = self._t.provider.name, identity.worker_name, dict(identity.worker_data)
        arrival = Arrival(self._t.run.id, *who, self._admitting.for_newcomers(seat), fresh_link)
        return await self._t.storage.arrive(arrival, self._t.wall())

    async def _answer(
        self, request: str, admitted: Admitted, worker: Worker, crowdd_client: bool
    ) -> AgentDetails:
        match admitted:
            case Refuse():
                return self._replies.refusal(request, admitted.reason, worker)
            case OnboardingBegun():
                assert self._door is not None
                return await self._door.details(request, admitted.agent)
            case Reserved(agent=agent, unit=unit, existing=existing):
                if not existing:
                    log.info("a unit for a worker", extra=ids_of(agent))
                    self._desk.due_changed(agent)
                if agent.status not in LIVE_AGENT:
                    return self._replies.ended(request, agent, unit, crowdd_client)
                response = RECONNECTION if existing else ASSIGNED
                return await self._replies.details(request, agent, unit, admitted.assignment, response)

    async def _known_worker(self, provider: str, name: str) -> Worker | None:
        """Who is turned away at a closed door does not become known by that."""
        try:
            return await self._t.storage.worker_by_name(provider, name)
        except NotFound:
            return None

    async def _unverified(self, packet: RegisterAgent, why: str) -> AgentDetails:
        log.info("identity not verified: %s", why, extra={"run": self._t.run.id})
        facts = Facts(self._t.rules, unverified=why[:UNVERIFIED_CHARACTERS_MAX])
        return await self._refused(packet, None, facts, Reason.IDENTITY_UNVERIFIED)

    async def _refused(
        self, packet: RegisterAgent, worker: Worker | None, facts: Facts, reason: Reason
    ) -> AgentDetails:
        """Refuse before the facts were read; recorded, but for a daemon that is going or coming."""
        if reason is not Reason.TRY_LATER:
            outcome = outcome_of(Refuse(reason)).value
            worker_id = None if worker is None else worker.id
            new = NewDecision(self._t.run.id, worker_id, ADMISSION, outcome, reason.value, to_json(facts))
            await self._t.storage.record_decision(new, self._t.wall())
        return self._replies.refusal(packet.request, reason, worker)


def _seat(identity: Identity) -> Seat:
    return Seat(identity.link, identity.after or "", dict(identity.agent_data))
