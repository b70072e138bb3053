"""What is done once an answer is saved: the task is asked what it makes of it, and the worker is judged.

That an answer is to be followed up is saved with the answer, and taken back in the transaction that saves
what came of it: each answer is followed up at least once, also across a crash, and counts once.
"""

import logging
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from weakref import WeakValueDictionary

import attrs
import trio

from ..protocol.names import AgentId, RunId, WorkerId
from ..storage.admission import Candidate, NewDecision
from ..storage.contract import Storage
from ..storage.errors import NotFound
from ..storage.records import Agent, Submission, TaskRun
from ..storage.writes import PutFact, RecordDecision, Write
from .clock import Wall
from .follow_up_rules import Consequences, JudgingRules
from .full_disk import with_space
from .hooks import HookFailed, HookName, Hooks, Judged, Known, Reply, grants_of
from .log_ids import ids_of

log = logging.getLogger(__name__)

AT_ONCE_MAX = 8  # hooks of this run that run at a time; the threads are shared by all runs


Review = Callable[[AgentId, Judged], Awaitable[str | None]]
"""Judge an agent's work; why it could not be, if so. The same again changes nothing."""


@attrs.frozen
class FollowUpTools:
    """What answers are followed up with."""

    run: TaskRun
    rules: JudgingRules
    made: Mapping[str, str]
    """The qualifications that the run itself makes, with their descriptions."""
    storage: Storage
    wall: Wall
    hooks: Hooks
    review: Review
    """Carries out what the author's code says of the work."""
    done: Callable[[], None]
    """Called when an answer was followed up."""


class FollowUps:
    """One per LiveRun. Which answers are open is in storage; here is who waits for which."""

    def __init__(self, tools: FollowUpTools) -> None:
        self._t = tools
        self._open: Counter[WorkerId] = Counter()
        self._closings = 0
        self._coming: set[trio.Event] = set()
        """Set once an answer is saved; whose it is only its transaction finds out."""
        self._closed = trio.Event()
        self._turns: WeakValueDictionary[WorkerId, trio.Lock] = WeakValueDictionary()
        self._in, self._out = trio.open_memory_channel[Agent](math.inf)  # as many as there are agents

    @property
    def wanted(self) -> bool:
        """Whether this run follows up on answers at all."""
        return self._t.hooks.has(HookName.ON_UNIT_SUBMITTED) or self._t.rules.follow

    def mark(self, agent_id: AgentId) -> list[Write]:
        """What is saved with an answer, so that it is followed up."""
        return [PutFact(_scope(self._t.run.id), str(agent_id), True)] if self.wanted else []

    @contextmanager
    def coming(self) -> Generator[None]:
        """While an answer is saved from which nothing follows."""
        saved = trio.Event()
        self._coming.add(saved)
        try:
            yield
        finally:
            self._coming.remove(saved)
            saved.set()
            if self.idle:
                self._t.done()

    @contextmanager
    def awaiting(self, worker_id: WorkerId) -> Generator[None]:
        """While an answer of the worker is saved: what follows from it is to be waited for."""
        self._open[worker_id] += 1
        try:
            yield
        finally:
            self._close(worker_id)

    def submitted(self, agent: Agent) -> None:
        """The agent's answer was saved, with its mark."""
        if self.wanted:
            self._open[agent.worker_id] += 1
            self._in.send_nowait(agent)

    @property
    def idle(self) -> bool:
        """Whether no answer is being saved, or waits to be followed up."""
        return not self._open and not self._coming

    @property
    def judged(self) -> int | None:
        """How many times an answer came to be followed up no longer; None while any, whoever's, is to be."""
        return None if self._open else self._closings

    async def settled(self, worker_id: WorkerId) -> None:
        """Return once every answer of the worker is followed up."""
        while worker_id in self._open:
            await self._closed.wait()

    async def caught_up(self) -> bool:
        """Return once every answer is saved that is coming now, whoever's it is; whether there was any."""
        coming = [*self._coming]
        for saved in coming:
            await saved.wait()
        return bool(coming)

    async def remember(self) -> None:
        """Take up what was open when the daemon ended."""
        for number in await self._t.storage.facts(_scope(self._t.run.id)):
            self.submitted(await self._t.storage.agent(AgentId(int(number))))

    async def serve(self) -> None:
        """Follow up, until cancelled; who is cancelled is followed up after the next start."""
        places = trio.Semaphore(AT_ONCE_MAX)
        async with trio.open_nursery() as nursery:
            async for agent in self._out:
                nursery.start_soon(self._follow, agent, places)

    async def _follow(self, agent: Agent, places: trio.Semaphore) -> None:
        """A worker's answers one after the other: what a hook reads of a grant, no other writes meanwhile."""
        turn = self._turns.setdefault(agent.worker_id, trio.Lock())
        try:
            async with turn, places:
                await with_space(f"what follows from agent {agent.id}", lambda: self._follow_up(agent))
        finally:
            self._close(agent.worker_id)

    def _close(self, worker_id: WorkerId) -> None:
        self._closings += 1
        self._open[worker_id] -= 1
        if not self._open[worker_id]:
            del self._open[worker_id]
        self._closed.set()
        self._closed = trio.Event()
        self._t.done()

    async def _follow_up(self, agent: Agent) -> None:
        storage = self._t.storage
        unit, submission = await storage.unit(agent.unit_id), await storage.submission(agent.id)
        candidate = Candidate(unit, await storage.assignment(agent.assignment_id))
        facts = await storage.worker_facts(self._t.run.id, agent.worker_id)
        known = Known(facts.worker, facts.grants)
        reply = await self._asked(known, await storage.agent(agent.id), candidate, submission)
        came_of_it = self._t.rules.consequences(unit, agent.worker_id, known.grants, reply.answer)
        effects = grants_of(reply.effects, agent.worker_id, known.grants)
        if reply.judged is not None:  # before the mark is taken back: after a crash it is judged then
            await self._review(agent, reply.judged)
        await storage.ensure_qualifications(self._t.made, self._t.wall())
        try:
            await self._save(agent, came_of_it, effects)
        except NotFound as exc:
            # A hook granted what no qualification is called: the author's mistake, and not to be asked again.
            await self._t.hooks.note_failure(HookName.ON_UNIT_SUBMITTED, exc, agent.id)
            await self._save(agent, came_of_it, [])

    async def _asked(
        self, known: Known, agent: Agent, candidate: Candidate, submission: Submission
    ) -> Reply[bool | None]:
        """A hook that fails is noted for its author; the answer is then one that was not judged."""
        if not self._t.hooks.has(HookName.ON_UNIT_SUBMITTED):
            return Reply(None)
        try:
            return await self._t.hooks.on_unit_submitted(known, agent, candidate, submission)
        except HookFailed:
            return Reply(None)

    async def _review(self, agent: Agent, judged: Judged) -> None:
        refused = await self._t.review(agent.id, judged)
        if refused is not None:
            said = ValueError(f"{judged.verdict.value}: {refused}")
            await self._t.hooks.note_failure(HookName.ON_UNIT_SUBMITTED, said, agent.id)

    async def _save(self, agent: Agent, came_of_it: Consequences, effects: list[Write]) -> None:
        done = PutFact(_scope(self._t.run.id), str(agent.id), None)
        decisions = [RecordDecision(self._decision(agent, came_of_it))] if came_of_it.kind else []
        await self._t.storage.commit([*came_of_it.writes, *effects, *decisions, done], self._t.wall())
        if came_of_it.kind:
            log.info("%s: %s", came_of_it.kind, came_of_it.outcome, extra=ids_of(agent))

    def _decision(self, agent: Agent, came_of_it: Consequences) -> NewDecision:
        return NewDecision(
            self._t.run.id,
            agent.worker_id,
            came_of_it.kind,
            came_of_it.outcome,
            None,
            {"judged_by": HookName.ON_UNIT_SUBMITTED.value},
            agent_id=agent.id,
            unit_id=agent.unit_id,
        )


def _scope(run_id: RunId) -> str:
    """Under which scope of facts the open answers of a run are kept, by the agents' numbers."""
    return f"run {run_id}: to follow up"
