"""Onboarding as pages see it: its page, what was submitted, and what that led to. Holds no truth."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

import attrs

from ...protocol.names import LIVE_AGENT, AgentId, AgentStatus, Outcome, Reason, WireId
from ...protocol.packets import AgentDetails, Answer, ReturnUnit, SubmitOnboarding
from ...storage.errors import NotFound
from ...storage.records import OnboardingAgent, Worker
from ..admission_replies import Replies
from ..admission_tools import Seat
from ..due_times import time_left_s
from ..hooks import HookFailed, HookName, Known
from ..lifecycle import GaveBack, IllegalEvent
from ..lifecycle.onboarding import Answered, may_resume, refusal_of_onboarding, shown_status
from ..live.past import Past
from ..metrics.families import ASSIGNED_ONBOARDING, RECONNECTION
from .page_data import PageData, page_data_of
from .verdicts import Verdicts, VerdictTools

AdmitAfter = Callable[[str, Worker, Seat], Awaitable[AgentDetails]]
"""The answer to a request once its onboarding is passed: `WorkerPool.admit_after_onboarding`."""


ReadPast = Callable[[AgentId], Awaitable[Past]]


class OnboardingDesk:
    """One per run that onboards: the `OnboardingDoor` of admission, and what pages send."""

    def __init__(self, tools: VerdictTools, replies: Replies, admit: AdmitAfter) -> None:
        self._t = tools
        self._replies = replies
        self._admit = admit
        self._verdicts = Verdicts(tools)
        self._new: set[AgentId] = set()
        self._past: ReadPast | None = None

    def carry_live(self, past: ReadPast) -> None:
        """Code accompanies the onboardings: pages are told what was said so far."""
        self._past = past

    # --- for admission

    async def kept_data(self, known: Known, seat: Seat) -> dict[str, Any]:
        """What is kept with a new onboarding agent: its page is the same at every reload. HookFailed."""
        return PageData(await self._page(known), seat.data).stored()

    async def after(self, seat: Seat) -> str:
        """What a new onboarding of this seat comes after: staff may have it repeated by revoking a grant."""
        tries = await self._t.storage.onboarding_of_link(self._t.run.id, seat.link)
        judged = (AgentStatus.APPROVED, AgentStatus.REJECTED)
        return tries[-1].wire_id if tries and tries[-1].status in judged else seat.after

    def full_time(self) -> datetime | None:
        """Until when somebody has time who begins now."""
        return self._t.lives.full_time()

    def begun(self, agent: OnboardingAgent) -> None:
        """An onboarding agent was made."""
        self._t.metrics.onboardings["launched"].inc()
        self._new.add(agent.id)
        self._t.lives.begun(agent)

    def may_resume(self, agent: OnboardingAgent) -> bool:
        """Whether a shutdown interrupted it, and it may go on."""
        return may_resume(agent, self._t.wall())

    async def resume(self, agent: OnboardingAgent) -> OnboardingAgent:
        """It goes on, if it still may."""
        return await self._t.lives.resume(agent)

    async def details(self, request: str, agent: OnboardingAgent) -> AgentDetails:
        """What the page of an onboarding agent is told; for one who submitted, once there is a verdict."""
        if agent.status is AgentStatus.WAITING:
            return await self._judged(request, agent)
        if agent.status in LIVE_AGENT:
            return await self._at_work(request, agent)
        return await self._ended(request, agent)

    # --- for pages

    async def submit(self, packet: SubmitOnboarding) -> AgentDetails:
        """Store what was submitted, judge it, and answer with the first unit or the refusal.

        The same again, at any time: the same, or what has become of it since.
        """
        agent = await self.find(packet.subject)
        if agent is None:
            return self._replies.refusal(packet.request, Reason.UNKNOWN_AGENT)
        if self.may_resume(agent):
            agent = await self._t.lives.resume(agent)
        if agent.status is AgentStatus.ONBOARDING:
            agent = await self._answered(agent, packet.onboarding_data)
        if agent.status in (AgentStatus.WAITING, AgentStatus.APPROVED):
            return await self._judged(packet.request, agent)
        return await self._ended(packet.request, agent)

    async def give_back(self, packet: ReturnUnit, agent: OnboardingAgent) -> Answer:
        """The worker does not want to go on; given back twice is given back once."""
        if agent.status is not AgentStatus.RETURNED:
            try:
                agent = await self._t.lives.happen(agent.id, GaveBack())
            except IllegalEvent:
                agent = await self._t.storage.onboarding_agent(agent.id)
        if agent.status is AgentStatus.RETURNED:
            return Answer(packet.request, Outcome.OK, status=agent.status)
        reason = refusal_of_onboarding(agent, self._t.wall()) or Reason.ALREADY_SUBMITTED
        words = self._replies.sentence(reason)
        return Answer(packet.request, Outcome.REFUSED, reason, words, status=shown_status(agent))

    async def judge(self, agent: OnboardingAgent) -> None:
        """Reach the verdict without being asked for it, if that can be; else when somebody asks."""
        with suppress(HookFailed):
            await self._verdicts.reach(agent)

    async def find(self, wire_id: WireId) -> OnboardingAgent | None:
        """The onboarding agent of this run that a page means."""
        try:
            agent = await self._t.storage.onboarding_by_wire_id(wire_id)
        except NotFound:
            return None
        return agent if agent.run_id == self._t.run.id else None

    # --- how

    async def _answered(self, agent: OnboardingAgent, data: Any) -> OnboardingAgent:
        try:
            return await self._t.lives.happen(agent.id, Answered({} if data is None else data))
        except IllegalEvent:  # another copy was quicker, or the time is over
            return await self._t.storage.onboarding_agent(agent.id)

    async def _judged(self, request: str, agent: OnboardingAgent) -> AgentDetails:
        """What the verdict leads to. A verdict that cannot be had now: try later, what was sent is kept."""
        try:
            agent = await self._verdicts.reach(agent)
        except HookFailed:  # who asked has noted it
            return self._replies.refusal(request, Reason.TRY_LATER)
        if agent.status is not AgentStatus.APPROVED:
            return await self._ended(request, agent)
        worker = await self._t.storage.worker(agent.worker_id)
        seat = Seat(agent.link, agent.after, dict(page_data_of(agent).provider))
        return await self._admit(request, worker, seat)

    async def _ended(self, request: str, agent: OnboardingAgent) -> AgentDetails:
        worker = await self._t.storage.worker(agent.worker_id)
        reason = refusal_of_onboarding(agent, self._t.wall()) or Reason.TRY_LATER
        return attrs.evolve(self._replies.refusal(request, reason, worker), status=shown_status(agent))

    async def _page(self, known: Known) -> Mapping[str, Any]:
        if self._t.hooks.has(HookName.ONBOARDING_DATA):
            return (await self._t.hooks.onboarding_data(known)).answer
        return self._t.onboarding.data

    async def _at_work(self, request: str, agent: OnboardingAgent) -> AgentDetails:
        self._t.metrics.responses[ASSIGNED_ONBOARDING if agent.id in self._new else RECONNECTION].inc()
        self._new.discard(agent.id)
        page = dict(page_data_of(agent).page)
        past = None if self._past is None else await self._past(agent.id)
        return AgentDetails(
            request=request,
            outcome=Outcome.OK,
            worker_id=str(agent.worker_id),
            agent_id=agent.wire_id,
            init_task_data=page if past is None else past.init_data(page),
            seen=0 if past is None else past.seen,
            status=agent.status,
            time_left_s=time_left_s(agent.due_at, self._t.wall()),
        )
