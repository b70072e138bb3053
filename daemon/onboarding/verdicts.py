"""Judges what workers submitted as onboarding: asks the task, grants, and stores the verdict with them."""

from collections.abc import Iterable, Mapping
from typing import Any
from weakref import WeakValueDictionary

import attrs
import trio

from ...protocol.names import AgentId, AgentStatus
from ...storage.admission import NewDecision
from ...storage.contract import Storage
from ...storage.errors import NotFound, StaleWrite
from ...storage.records import OnboardingAgent, TaskRun
from ...storage.writes import RecordDecision, SetGrant, TakeGrant, Write
from ..admission.onboarding import FAILED_VALUE, PASSED_VALUE
from ..admission_config import Onboarding
from ..clock import Wall
from ..hooks import HookFailed, HookName, Hooks, Known, Reply, grants_of
from ..lifecycle import IllegalEvent
from ..lifecycle.onboarding import Failed, Passed
from ..metrics.families import RunMetrics
from .lives import OnboardingLives
from .results import Results

WHY = "onboarding"
ROUNDS_MAX = 3


@attrs.frozen
class VerdictTools:
    """What is judged with."""

    run: TaskRun
    onboarding: Onboarding
    storage: Storage
    wall: Wall
    hooks: Hooks
    made: Mapping[str, str]
    """The qualifications that the run itself makes, with their descriptions."""
    lives: OnboardingLives
    metrics: RunMetrics
    results: Results | None = None
    """Of the code that accompanies onboardings; None: none does."""


class Verdicts:
    """One per run that onboards. Whoever asks for a verdict that is being reached waits for that one."""

    def __init__(self, tools: VerdictTools) -> None:
        self._t = tools
        self._judging: WeakValueDictionary[AgentId, trio.Lock] = WeakValueDictionary()

    async def reach(self, agent: OnboardingAgent) -> OnboardingAgent:
        """The agent once it is judged, or has ended in another way. HookFailed: it goes on waiting.

        What accompanied the onboarding comes to its end before that.
        """
        returned = None
        if self._t.results is not None and agent.status is AgentStatus.WAITING:
            returned = await self._t.results.returned(agent.id)
        async with self._judging.setdefault(agent.id, trio.Lock()):
            for _ in range(ROUNDS_MAX):
                agent = await self._t.storage.onboarding_agent(agent.id)
                if agent.status is not AgentStatus.WAITING:
                    return agent
                try:
                    return await self._judge(agent, returned)
                except (StaleWrite, IllegalEvent):
                    continue
        return agent

    async def _judge(self, agent: OnboardingAgent, returned: Any) -> OnboardingAgent:
        facts = await self._t.storage.worker_facts(self._t.run.id, agent.worker_id)
        reply = await self._asked(Known(facts.worker, facts.grants), agent, returned)
        await self._t.storage.ensure_qualifications(self._t.made, self._t.wall())
        writes = [
            *grants_of(reply.effects, agent.worker_id, facts.grants),
            *self._grants(agent, reply.answer, facts.grants),
            RecordDecision(self._decision(agent, reply.answer, returned)),
        ]
        event = Passed() if reply.answer else Failed()
        try:
            judged = await self._t.lives.happen(agent.id, event, writes)
        except NotFound as exc:  # a hook granted what no qualification is called: the author's mistake
            await self._t.hooks.note_failure(HookName.VALIDATE_ONBOARDING, exc)
            raise HookFailed(HookName.VALIDATE_ONBOARDING, str(exc)) from exc
        self._t.metrics.onboardings["passed" if reply.answer else "failed"].inc()
        return judged

    async def _asked(self, known: Known, agent: OnboardingAgent, returned: Any) -> Reply[bool]:
        """Where the task has no hook to judge by, only code that returned False says that it is failed."""
        if not self._t.hooks.has(HookName.VALIDATE_ONBOARDING):
            return Reply(returned is not False)
        data = agent.data if returned is None else returned
        return await self._t.hooks.validate_onboarding(known, data)

    def _grants(self, agent: OnboardingAgent, passed: bool, grants: Iterable[str]) -> list[Write]:
        own, worker = self._t.onboarding, agent.worker_id
        if not passed:
            return [
                SetGrant(own.qualification, worker, FAILED_VALUE, "daemon", WHY),
                SetGrant(own.failed, worker, FAILED_VALUE, "daemon", WHY),
            ]
        forgiven = [TakeGrant(own.failed, worker, "daemon", WHY)] if own.failed in grants else []
        return [SetGrant(own.qualification, worker, PASSED_VALUE, "daemon", WHY), *forgiven]

    def _decision(self, agent: OnboardingAgent, passed: bool, returned: Any) -> NewDecision:
        asked = self._t.hooks.has(HookName.VALIDATE_ONBOARDING)
        by_code = self._t.results is not None and not asked
        return NewDecision(
            self._t.run.id,
            agent.worker_id,
            "onboarding",
            "passed" if passed else "failed",
            None,
            {
                "qualification": self._t.onboarding.qualification,
                "validate_onboarding": passed if asked else None,
                **({"run_onboarding": returned is not False} if by_code else {}),
            },
            onboarding_id=agent.id,
        )
