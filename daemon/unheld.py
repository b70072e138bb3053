"""What staff can do to a run that cannot be held at present: it has no links, and nobody watches its time."""

from ..protocol.names import UNFINISHED_RUN, Reason, RunId, RunState
from ..storage.records import Agent
from ..storage.writes import MoveRun
from .goodbye import dismiss_all
from .house import House
from .lifecycle import Dismissed
from .lifecycle.onboarding import step_onboarding
from .task_runner import Doors, TaskRunner


class UnheldRuns:
    """Acts on storage alone. Whoever calls makes sure that nobody takes the run up meanwhile."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def stop(self, run_id: RunId, now: bool, who: str) -> None:
        """Let nobody else in; `now` also dismisses who is at work. NotFound."""
        run = await self._house.storage.run(run_id)
        if run.state not in UNFINISHED_RUN:
            return
        await self.expire(run_id, who, "stopped by staff")
        if now:
            doors = Doors(_nobody_is_told, _not_done, lambda: None, _no_deadline)
            await self._dismiss_onboardings(run_id)
            await dismiss_all(
                run_id, self._house, TaskRunner(run, self._house.storage, self._house.wall, doors)
            )
        if not await self._house.storage.reserved_agents(run_id):
            after, why = RunState.STOPPED, "stopped while it could not be held"
        elif run.state is RunState.RUNNING:
            after, why = RunState.DRAINING, "who is at work may finish once it can be held"
        else:
            return
        await self._house.storage.commit([MoveRun(run_id, run.state, after, who, why)], self._house.wall())

    async def _dismiss_onboardings(self, run_id: RunId) -> None:
        agents = await self._house.storage.live_onboarding_agents(run_id)
        moves = [step_onboarding(agent, Dismissed()) for agent in agents]
        await self._house.storage.commit(moves, self._house.wall())

    async def expire(self, run_id: RunId, who: str, why: str) -> int:
        """Expire every unit that nobody holds; returns how many. NotFound."""
        await self._house.storage.add_assignments(run_id, [], True, self._house.wall())
        return len(await self._house.storage.expire_units(run_id, self._house.wall(), who, why))


def _nobody_is_told(_agent: Agent, _reason: Reason | None) -> None:
    """A run that is not held has no links to its pages."""


async def _not_done(_agent: Agent) -> None:
    """Who is dismissed has done nothing that a provider should hear of."""


def _no_deadline(_agent: Agent) -> None:
    """Nobody watches the time of a run that is not held."""
