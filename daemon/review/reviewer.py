"""Reviews the work of agents, in runs held or ended: reads, lets `decisions` decide, saves, tells."""

import logging
from collections.abc import Callable, Sequence
from functools import partial

import attrs
import trio

from ...protocol.names import AgentId, AgentStatus, RunId, WorkerId
from ...storage.contract import Storage
from ...storage.errors import NotFound, StaleWrite
from ...storage.paging import every
from ...storage.records import Agent, TaskRun
from ..clock import Wall
from ..errands import Errand, Errands
from ..errands.runner import ProviderOf
from ..log_ids import ids_of
from ..verdict import Verdict
from .decisions import Decided, Refused, ReviewFacts, Unchanged, decide
from .rule import Rule, Tally, rule_of, tally

log = logging.getLogger(__name__)

ROUNDS_MAX = 8  # a fact that changes under us more often than this is a bug, not bad luck
FIRST_TRY_S = 5.0  # how long staff wait to hear whether the provider was told


@attrs.frozen
class Reviewed:
    """What became of one agent's review."""

    agent_id: AgentId
    status: AgentStatus
    """The agent's, afterwards."""
    changed: bool = False
    refused: str | None = None
    """Why nothing was changed that was asked for."""
    blocks: bool = False
    """The worker has the run's block qualification from now on."""
    owed: str | None = None
    """What the provider said instead of taking it; it is told again until it does."""


class Reviewer:
    """One per daemon: the rule on soft rejects counts, so reviews are decided one after the other."""

    def __init__(
        self,
        storage: Storage,
        wall: Wall,
        provider_of: ProviderOf,
        errands: Errands,
        told: Callable[[Agent], None],
    ) -> None:
        self._storage = storage
        self._wall = wall
        self._provider_of = provider_of
        self._errands = errands
        self._told = told
        self._one_at_a_time = trio.Lock()

    async def review(
        self, agents: Sequence[AgentId], verdict: Verdict, note: str | None, who: str
    ) -> list[Reviewed]:
        """Judge the work of each agent, in order; each is stored by itself before its provider is told.

        NotFound for an agent that is not there; those before it are done. Cancelled: what is stored stays,
        and the provider is told.
        """
        outcomes = [await self._review(agent_id, verdict, note, who) for agent_id in agents]
        await self._errands.first_try([errand for _, errand in outcomes if errand], FIRST_TRY_S)
        return [
            attrs.evolve(outcome, owed=self._errands.untold(errand) if errand else None)
            for outcome, errand in outcomes
        ]

    async def _review(
        self, agent_id: AgentId, verdict: Verdict, note: str | None, who: str
    ) -> tuple[Reviewed, Errand | None]:
        async with self._one_at_a_time:
            for _ in range(ROUNDS_MAX):
                agent = await self._storage.agent(agent_id)
                now = self._wall()
                match decide(await self._facts(agent, verdict), verdict, note, who, now):
                    case Unchanged(status):
                        return Reviewed(agent_id, status), None
                    case Refused(words):
                        return Reviewed(agent_id, agent.status, refused=words), None
                    case Decided() as decided:
                        try:
                            await self._storage.commit(decided.writes, now)
                        except StaleWrite:
                            continue
                        await self._follow_up(agent_id, decided)
                        done = Reviewed(agent_id, decided.status, changed=True, blocks=decided.blocks)
                        return done, decided.errand
        raise StaleWrite(f"agent {agent_id} kept changing")

    async def _follow_up(self, agent_id: AgentId, decided: Decided) -> None:
        self._errands.begin([decided.errand])
        agent = await self._storage.agent(agent_id)
        log.info("the agent is %s", agent.status.value, extra=ids_of(agent))
        self._told(agent)

    async def _facts(self, agent: Agent, verdict: Verdict) -> ReviewFacts:
        unit = await self._storage.unit(agent.unit_id)
        undoes = False
        if agent.status is AgentStatus.REJECTED and verdict is Verdict.APPROVE:
            undoes = (await self._provider_of(agent.run_id)).undoes_rejections
        run = await self._storage.run(agent.run_id)
        rule = rule_of(run.config) if verdict is Verdict.SOFT_REJECT else None
        if rule is None:
            return ReviewFacts(agent, unit, undoes)
        return ReviewFacts(
            agent, unit, undoes, rule, await self._tally(agent.worker_id, run), await self._has(agent, rule)
        )

    async def _has(self, agent: Agent, rule: Rule) -> bool:
        try:
            return bool(await self._storage.grants(agent.worker_id, rule.block_qualification))
        except NotFound:  # somebody deleted it: made again, without its old grants
            await self._storage.create_qualification(
                rule.block_qualification, "bars from tasks that name it", self._wall()
            )
            return False

    async def _tally(self, worker_id: WorkerId, run: TaskRun) -> Tally:
        """The worker's verdicts in all runs of the task; reads all that they ever were: few are thousands."""
        tasks: dict[RunId, int] = {run.id: run.task_id}
        statuses: list[AgentStatus] = []
        async for agent in every(partial(self._storage.agents_of_worker, worker_id)):
            if agent.run_id not in tasks:
                tasks[agent.run_id] = (await self._storage.run(agent.run_id)).task_id
            if tasks[agent.run_id] == run.task_id:
                statuses.append(agent.status)
        return tally(statuses)
