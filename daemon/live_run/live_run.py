"""One task run while the daemon holds it: how it begins and goes on, and what others see of it."""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import TypeVar

import trio

from ...protocol.names import LIVE_AGENT, RunState, WireId
from ...storage.records import Agent, TaskRun
from ..follow_ups import Review
from ..full_disk import with_space
from ..grouping import Room
from ..house import House
from ..metrics.readings import RunReading
from ..parts import Parts
from ..providers.contract import CrowdProvider
from ..router_link import RouterState
from ..row_source import RowSource
from ..task_runner import TaskRunner
from .crew import Crew
from .leaving import Leaving
from .steering import RunSteering

log = logging.getLogger(__name__)

T = TypeVar("T")


class LiveRun:
    """Made anew at every start from what storage says; a crash is only a start that nobody planned."""

    def __init__(self, run: TaskRun, parts: Parts, house: House, rows: RowSource, review: Review) -> None:
        self._parts = parts
        self._house = house
        self._crew = Crew(run, parts, house, rows, review)
        self.steering = RunSteering(self._crew, parts, house)
        """For what staff ask of it."""
        self.leaving = Leaving(self._crew, house)
        """For the daemon that goes."""
        self.retired = trio.Event()
        """Set by whoever does not wait for late pages of a run that has ended."""

    # --- its life

    async def serve(self) -> None:
        """Hold the run until it has ended and late pages had their time, or until cancelled.

        Cancelled: storage is whole, routers run on and wait for the next daemon.
        """
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._crew.reception.io.serve)
            await self._open(nursery)
            await self.ended.wait()
            log.info("the run is %s", self.run.state.value, extra={"run": self.run.id})
            with trio.move_on_after(self._house.pace.linger_s):
                await self.retired.wait()
            await self._hear_all_that_is_kept()
            nursery.cancel_scope.cancel(reason="the run has ended")
        await self._crew.routers.undeploy(self.run)

    async def _open(self, nursery: trio.Nursery) -> None:
        await self._with_space(self._parts.provider.set_up)
        await self._crew.follow_ups.remember()
        nursery.start_soon(self._crew.supply.serve, self._crew.look_again)
        await self._open_doors(nursery)
        await self._with_space(self._be_running)
        self._begin_work(nursery)

    async def _open_doors(self, nursery: trio.Nursery) -> None:
        """Bring up the routers, and take up who is at work before their pages are heard."""
        crew = self._crew
        await crew.routers.deploy(self.run, crew.reception.io)
        links = crew.routers.links
        crew.reception.connect(links)
        nursery.start_soon(crew.routers.watch)
        await crew.live_work.take_up(links)
        if crew.onboarding is not None:
            await crew.onboarding.take_up()
        crew.routers.serve(nursery)
        await crew.timekeeper.remember()
        crew.live_work.serve(nursery)
        if crew.onboarding is not None:
            await crew.onboarding.remember()
            nursery.start_soon(crew.onboarding.watch, links)

    def _begin_work(self, nursery: trio.Nursery) -> None:
        crew = self._crew
        nursery.start_soon(crew.timekeeper.watch, crew.routers.links)
        nursery.start_soon(crew.follow_ups.serve)
        crew.supply.open()
        nursery.start_soon(crew.ending.watch)
        nursery.start_soon(crew.news.hear)
        nursery.start_soon(self._lose_patience)

    async def _be_running(self) -> None:
        await self._crew.course.move(RunState.LAUNCHING, RunState.RUNNING, "daemon", "routers are deployed")

    async def _lose_patience(self) -> None:
        """Stop a run to which nobody came or submitted for long."""
        waited_s = await self._crew.patience.lost()
        if not self.ended.is_set():
            log.warning("nobody came for %g s, stopping the run", waited_s, extra={"run": self.run.id})
            why = "nobody came for too long"
            await self._with_space(lambda: self.steering.stop(now=True, who="daemon", why=why))

    async def _hear_all_that_is_kept(self) -> None:
        """Wait for what routers called submitted; told to retire, they keep it for the next start."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._cancel_when_retired, nursery.cancel_scope)
            await self._crew.routers.emptied()
            nursery.cancel_scope.cancel()

    async def _cancel_when_retired(self, scope: trio.CancelScope) -> None:
        await self.retired.wait()
        scope.cancel(reason="the daemon stops, or the run is deleted")

    async def _with_space(self, write: Callable[[], Awaitable[T]]) -> T:
        return await with_space(f"run {self.run.id}", write)

    # --- what others see of it

    @property
    def run(self) -> TaskRun:
        """Its record, as far as this daemon moved it."""
        return self._crew.course.run

    @property
    def ended(self) -> trio.Event:
        """Set when nothing is left to do in it."""
        return self._crew.course.ended

    @property
    def runner(self) -> TaskRunner:
        """Lets things happen to its agents."""
        return self._crew.runner

    @property
    def provider(self) -> CrowdProvider:
        """Where its workers come from."""
        return self._parts.provider

    @property
    def goes_on(self) -> bool:
        """Whether units that are given back return to the pool."""
        return self.run.state is RunState.RUNNING

    @property
    def address(self) -> str | None:
        """Where workers find the run's pages, once its routers are there."""
        return self._crew.routers.address

    @property
    def pieces(self) -> int:
        """How many pieces of live work are carried on."""
        return self._crew.live_work.pieces

    def is_present(self, wire_id: WireId) -> bool:
        """Whether a page of this agent of live work is there, as routers tell it."""
        return self._crew.live_work.is_present(wire_id)

    def routers(self) -> list[RouterState]:
        """How the run's routers are."""
        return self._crew.routers.states()

    async def rooms(self) -> Sequence[Room]:
        """The groups in which workers wait for others."""
        return await self._crew.live_work.rooms()

    def counters(self) -> dict[str, int]:
        """What was handled, refused and failed since the run was taken up, by name."""
        return self._crew.reception.io.totals()

    def reviewed(self, agent: Agent) -> None:
        """Staff or the task's code judged the agent's work, and it is stored: say so to its page."""
        self._crew.tell(agent, None)

    async def reading(self) -> RunReading:
        """How it is now, for metrics."""
        counts = await self._house.storage.counts(self.run.id)
        at_work = await self._house.storage.reserved_agents(self.run.id)
        workers = {agent.worker_id for agent in at_work if agent.status in LIVE_AGENT}
        io = self._crew.reception.io
        routers = self._crew.routers.readings(io.router_counters)
        return RunReading(
            self.run.label, self.run.state, counts, len(workers), io.inbox_length, io.counters, routers
        )

    def watch(self) -> AsyncGenerator[None]:
        """Yield at once, then after changes, until the run has ended (see `Course.watch`)."""
        return self._crew.course.watch()
