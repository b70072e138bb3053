"""One task run while the daemon holds it: its parts, its tasks, how it begins, goes on and ends."""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from datetime import datetime
from functools import partial
from typing import TypeVar

import trio

from ..protocol.names import LIVE_AGENT, AgentId, PieceKind, Reason, RunState, WireId, WorkerId
from ..storage.errors import StorageFull
from ..storage.records import Agent, OnboardingAgent, TaskRun
from .course import Course
from .error_notes import HOOK, PLUG_IN, ErrorNotes
from .follow_up_rules import judging_rules
from .follow_ups import FollowUps, FollowUpTools, Review
from .full_disk import with_space
from .goodbye import dismiss_all, shut_down_all
from .grouping import Room
from .hooks import Hooks, RunView, TaskView
from .house import House
from .launcher import nothing_left
from .live_work import LiveNeeds, LiveWork
from .log_ids import ids_of
from .metrics.readings import RouterReading, RunReading
from .onboarding import RunOnboarding
from .parts import Parts
from .patience import Patience
from .presence import give_back
from .provider_news import ProviderNews
from .providers.contract import CrowdProvider, ProviderFailed
from .reception import Reception
from .router_link import LinkDuties, RouterLink, RouterState
from .row_source import RowSource
from .supply import Supply
from .task_config import Limits, RunConfig
from .task_runner import Doors, TaskRunner
from .terms import Affected, Extended, RunTerms, Wish
from .timekeeper import Timekeeper, Timing
from .user_code import UserCode

log = logging.getLogger(__name__)

T = TypeVar("T")
DEPLOYED = "deployed"
"""A file in the run's folder, from before its routers are there until after they are gone."""


class LiveRun:
    """Made anew at every start from what storage says; a crash is only a start that nobody planned."""

    def __init__(self, run: TaskRun, parts: Parts, house: House, rows: RowSource, review: Review) -> None:
        self._parts = parts
        self._house = house
        self._closed: Reason | None = None
        self._paused = run.paused
        self._look = trio.Event()
        self._links: list[RouterLink] = []
        self.retired = trio.Event()
        self._course = Course(run, house.storage, house.wall, self._moved)
        doors = Doors(self._tell, self._mark_done, self._refill, self.due_changed)
        self.runner = TaskRunner(run, house.storage, house.wall, doors)
        self._errors = ErrorNotes(run.id, house.storage, house.wall)
        self._view = RunView(run.id, run.label, TaskView(parts.config.task))
        self._timekeeper = self._make_timekeeper()
        user_code = house.user_code.for_run()
        self._hooks = self._make_hooks(user_code)
        self._onboarding = self._make_onboarding()
        self._follow_ups = self._make_follow_ups(review)
        self._reception = Reception(
            run, parts, house, self.runner, self._hooks, self._follow_ups, self._onboarding, self
        )
        self._live_work = LiveWork(self._live_needs(user_code))
        self._supply = Supply(
            self._course,
            parts,
            house,
            rows,
            user_code,
            self._errors,
            lambda: self.address or "",
            self._refill,
        )
        self._news = ProviderNews(run.id, parts.provider, house.storage, self.runner)
        limits = parts.config.limits
        self._patience = Patience(self._last_activity, limits.no_submission_patience_s, run.paused)
        affected = Affected(self._supply.launcher, self._patience, self._use, self.due_changed)
        self._terms = RunTerms(run, parts, house, affected, self._course.deciding)

    def _make_timekeeper(self) -> Timekeeper[Agent]:
        storage, limits = self._house.storage, self._parts.config.limits
        timing = Timing(
            partial(storage.reserved_agents, self.run.id), self._time_passed, partial(give_back, self._house)
        )
        return Timekeeper(self._house, _longest_s(limits), limits.rejoin_s, timing)

    def _make_hooks(self, user_code: UserCode) -> Hooks:
        return Hooks(
            self._parts.hooks.functions,
            self._view,
            user_code,
            self._house.metrics.run(self.run.label),
            partial(self._errors.note, HOOK),
        )

    def _make_onboarding(self) -> RunOnboarding | None:
        if self._parts.config.onboarding is None:
            return None
        by_code = self._parts.blueprint.play(PieceKind.ONBOARDING) is not None
        return RunOnboarding(self.run, self._parts.config, self._house, self._tell, by_code)

    def _make_follow_ups(self, review: Review) -> FollowUps:
        tools = FollowUpTools(
            self.run,
            judging_rules(self._parts.config),
            self._parts.config.admission.made_qualifications(),
            self._house.storage,
            self._house.wall,
            self._hooks,
            review,
            self._look_again,
        )
        return FollowUps(tools)

    def _live_needs(self, user_code: UserCode) -> LiveNeeds:
        return LiveNeeds(
            run=self.run,
            view=self._view,
            parts=self._parts,
            house=self._house,
            runner=self.runner,
            user_code=user_code,
            errors=self._errors,
            reception=self._reception,
            onboarding=self._onboarding,
            tell=self._tell,
            limits=lambda: self._terms.config.limits,
            goes_on=lambda: self.goes_on,
            is_paused=lambda: self._paused,
            due_changed=self.due_changed,
        )

    @property
    def run(self) -> TaskRun:
        """Its record, as far as this daemon moved it."""
        return self._course.run

    @property
    def ended(self) -> trio.Event:
        """Set when nothing is left to do in it."""
        return self._course.ended

    # --- its life

    async def serve(self) -> None:
        """Hold the run until it has ended and late pages had their time, or until cancelled.

        Cancelled: storage is whole, routers run on and wait for the next daemon.
        """
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._reception.io.serve)
            await self._open(nursery)
            await self.ended.wait()
            log.info("the run is %s", self.run.state.value, extra={"run": self.run.id})
            with trio.move_on_after(self._house.pace.linger_s):
                await self.retired.wait()
            await self._hear_all_that_is_kept()
            nursery.cancel_scope.cancel(reason="the run has ended")
        await self._undeploy()

    async def _open(self, nursery: trio.Nursery) -> None:
        await self._with_space(self._parts.provider.set_up)
        await self._follow_ups.remember()
        self._house.run_folder(self.run.id).joinpath(DEPLOYED).touch()
        nursery.start_soon(self._supply.serve, self._look_again)
        channels = await self._parts.architect.deploy()
        duties = LinkDuties(
            self.run,
            self._parts.page,
            self._house.storage,
            self._reception.io,
            self._house.wall,
            self._house.rng,
            self._house.degraded,
            self._parts.config.upload_rule,
        )
        self._links = [RouterLink(channel, duties) for channel in channels]
        self._reception.connect(self._links)
        nursery.start_soon(self._parts.architect.watch)
        await self._live_work.take_up(self._links)
        if self._onboarding is not None:
            await self._onboarding.take_up()
        for link in self._links:
            nursery.start_soon(link.serve)
        await self._timekeeper.remember()
        self._live_work.serve(nursery)
        if self._onboarding is not None:
            await self._onboarding.remember()
            nursery.start_soon(self._onboarding.watch, self._links)
        await self._with_space(self._be_running)
        nursery.start_soon(self._timekeeper.watch, self._links)
        nursery.start_soon(self._follow_ups.serve)
        self._supply.open()
        nursery.start_soon(self._watch_end)
        nursery.start_soon(self._news.hear)
        nursery.start_soon(self._lose_patience)

    async def _be_running(self) -> None:
        await self._course.move(RunState.LAUNCHING, RunState.RUNNING, "daemon", "routers are deployed")

    async def _undeploy(self) -> None:
        """Take the run off its routers; off one that is away, or keeps something, after the next start."""
        discard = (await self._house.storage.run(self.run.id)).deleting
        is_off = [await link.undeploy(discard) for link in self._links]
        await self.end_routers()
        if all(is_off) or discard:
            self._house.run_folder(self.run.id).joinpath(DEPLOYED).unlink(missing_ok=True)

    async def _hear_all_that_is_kept(self) -> None:
        """Wait for what routers called submitted; told to retire, they keep it for the next start."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._cancel_when_retired, nursery.cancel_scope)
            for link in self._links:
                await link.outbox.emptied()
            nursery.cancel_scope.cancel()

    async def _cancel_when_retired(self, scope: trio.CancelScope) -> None:
        await self.retired.wait()
        scope.cancel(reason="the daemon stops, or the run is deleted")

    async def end_routers(self) -> None:
        """Take the run's routers down; a later start of an unfinished run brings them back."""
        await self._parts.architect.shutdown()

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
        return self._links[0].channel.url if self._links else None

    def is_present(self, wire_id: WireId) -> bool:
        """Whether a page of this agent of live work is there, as routers tell it."""
        return self._live_work.is_present(wire_id)

    @property
    def pieces(self) -> int:
        """How many pieces of live work are carried on."""
        return self._live_work.pieces

    def routers(self) -> list[RouterState]:
        """How the run's routers are."""
        return [link.state for link in self._links]

    async def rooms(self) -> Sequence[Room]:
        """The groups in which workers wait for others."""
        return await self._live_work.rooms()

    def counters(self) -> dict[str, int]:
        """What was handled, refused and failed since the run was taken up, by name."""
        return self._reception.io.totals()

    def reviewed(self, agent: Agent) -> None:
        """Staff or the task's code judged the agent's work, and it is stored: say so to its page."""
        self._tell(agent, None)

    async def reading(self) -> RunReading:
        """How it is now, for metrics."""
        counts = await self._house.storage.counts(self.run.id)
        at_work = await self._house.storage.reserved_agents(self.run.id)
        workers = {agent.worker_id for agent in at_work if agent.status in LIVE_AGENT}
        io = self._reception.io
        routers = [
            RouterReading(
                link.name,
                link.state.up,
                link.state.since,
                link.queue_length,
                link.strange,
                io.router_counters.get(link.name, {}),
            )
            for link in self._links
        ]
        return RunReading(
            self.run.label, self.run.state, counts, len(workers), io.inbox_length, io.counters, routers
        )

    def watch(self) -> AsyncGenerator[None]:
        """Yield at once, then after changes, until the run has ended (see `Course.watch`)."""
        return self._course.watch()

    # --- its end

    async def _with_space(self, write: Callable[[], Awaitable[T]]) -> T:
        return await with_space(f"run {self.run.id}", write)

    async def _watch_end(self) -> None:
        while not await self._with_space(self._has_ended):
            await self._look.wait()

    async def _has_ended(self) -> bool:
        self._look = trio.Event()
        if not self._follow_ups.idle:
            return False  # not counted while answers come: after the last of them this looks again
        async with self._course.deciding:  # nobody adds rows between looking and ending
            all_rows_made = self._supply.launcher.rows_done  # before counting: the last rows count then
            counts = await self._house.storage.counts(self.run.id)
            if not nothing_left(counts) or not self._follow_ups.idle:
                return False
            if self.run.state is RunState.RUNNING and not all_rows_made:
                return False
            move = self._course.move_decided
            await move(RunState.RUNNING, RunState.COMPLETED, "daemon", "every unit has ended")
            await move(RunState.DRAINING, RunState.STOPPED, "daemon", "everybody has finished")
        if self._onboarding is not None:
            await self._onboarding.lives.end_all()
        self._course.end()
        return True

    async def _lose_patience(self) -> None:
        """Stop a run to which nobody came or submitted for long."""
        waited_s = await self._patience.lost()
        if not self.ended.is_set():
            log.warning("nobody came for %g s, stopping the run", waited_s, extra={"run": self.run.id})
            await self._with_space(lambda: self.stop(now=True, who="daemon", why="nobody came for too long"))

    def _last_activity(self) -> float:
        return self._reception.active_at

    # --- what staff can do

    async def stop(self, now: bool, who: str, why: str = "stopped by staff") -> None:
        """Let nobody else in; who is at work may finish, or (`now`) is dismissed. Ends as `stopped`."""
        self._supply.launcher.stop()
        await self._course.move(RunState.LAUNCHING, RunState.RUNNING, who, why)
        await self._course.move(RunState.RUNNING, RunState.DRAINING, who, why)
        if self.run.state is RunState.DRAINING:
            await self.expire(who, why)
        if now:
            await dismiss_all(self.run.id, self._house, self.runner)
            if self._onboarding is not None:
                await self._onboarding.lives.dismiss_all()
        self._look.set()

    async def pause(self, paused: bool, who: str, why: str) -> None:
        """Let nobody new in, or let them in again; who is at work goes on. StaleWrite: the run has ended."""
        await self._terms.pause(paused, who, why)
        self._paused = paused
        self._course.tick()

    async def extend(self, wish: Wish, who: str) -> Extended:
        """Other limits and pay, and more rows. ExtensionRefused, StaleWrite: nothing was changed."""
        extended = await self._terms.extend(wish, who)
        self._refill()
        return extended

    def _use(self, config: RunConfig) -> None:
        self._reception.use(config)
        self._timekeeper.use(_longest_s(config.limits))
        if self._onboarding is not None:
            self._onboarding.use(config.limits)

    async def expire(self, who: str, why: str = "expired by staff") -> int:
        """Expire every unit that nobody holds; no further rows are launched. Returns how many units."""
        return await self._supply.expire(who, why)

    async def personal_links(self, workers: Sequence[str]) -> list[tuple[str, str]]:
        """An address for each named worker: (name, url)."""
        return await self._parts.provider.links(workers, self.address or "")

    @property
    def grace_s(self) -> float:
        """How long those at work may go on when the daemon stops."""
        return self._terms.config.limits.grace_s

    async def quiet(self) -> None:
        """Return once nobody is at work, or the run's grace is over."""
        with trio.move_on_after(self.grace_s):
            async with aclosing(self.watch()) as changes:
                async for _ in changes:
                    counts = await self._house.storage.counts(self.run.id)
                    at_work = (counts.agents.get(status, 0) for status in LIVE_AGENT)
                    in_onboarding = (counts.onboarding.get(status, 0) for status in LIVE_AGENT)
                    if not any(at_work) and not any(in_onboarding):
                        return

    def close_doors(self) -> None:
        """Let nobody new in: the daemon is stopping."""
        self._closed = Reason.TRY_LATER

    async def say_goodbye(self, suspend_s: float) -> int:
        """Disconnect every active agent, its unit kept, and tell the pages; returns how many."""
        self.close_doors()
        count = 0
        try:
            limits, live = self._terms.config.limits, self._live_work.is_there
            count = await shut_down_all(self.run.id, self._house, self.runner, limits, live)
            if self._onboarding is not None:
                count += await self._onboarding.lives.shut_down_all()
        except StorageFull as exc:
            log.error("agents stay as they are until the next start: %s", exc, extra={"run": self.run.id})
        await self._suspend_links(suspend_s, stopping=True)
        return count

    async def suspend(self, suspend_s: float) -> None:
        """Ask the routers to keep all pages as they are for so long: the next daemon goes on with them."""
        await self._suspend_links(suspend_s, stopping=False)

    async def lose_store(self, suspend_s: float) -> None:
        """Nothing definite can be said any more: whoever waits for an answer is told to try later."""
        self._reception.io.tell_all_later()
        await self.suspend(suspend_s)

    async def _suspend_links(self, suspend_s: float, stopping: bool) -> None:
        for link in self._links:
            link.suspend(suspend_s, stopping)
        for link in self._links:
            await link.drained()

    # --- what happens in it

    def closed(self) -> Reason | None:
        """Why nobody is let in at present, or None (see `worker_pool.Desk`)."""
        if self.run.state is RunState.RUNNING:
            return self._closed
        return Reason.TRY_LATER if self.run.state is RunState.LAUNCHING else Reason.RUN_ENDED

    async def settled(self, worker_id: WorkerId) -> None:
        """Return once all that the worker submitted is judged (see `admission_tools.Desk`)."""
        await self._follow_ups.settled(worker_id)

    async def caught_up(self) -> bool:
        """Return once what is being saved now is saved (see `admission_tools.Desk`)."""
        return await self._follow_ups.caught_up()

    def due_changed(self, agent: Agent) -> None:
        """An agent was made, or has other time or another status (see `worker_pool.Desk`)."""
        self._timekeeper.due_changed(agent)
        self._live_work.changed(agent)
        self._course.tick()

    async def failed(self, doing: str, error: Exception, agent_id: AgentId | None = None) -> None:
        """A plug-in failed at something: note it with the run (see `worker_pool.Desk`)."""
        await self._errors.note(PLUG_IN, doing, error, agent_id)

    async def _time_passed(self, agent_id: AgentId, now: datetime) -> None:
        await self._live_work.time_passed(agent_id, now)

    def _tell(self, agent: Agent | OnboardingAgent, reason: Reason | None) -> None:
        self._reception.io.tell(agent, reason)
        self._course.tick()

    async def _mark_done(self, agent: Agent) -> None:
        try:
            await self._parts.provider.mark_done(agent)
        except ProviderFailed as exc:
            log.exception("could not be marked done at the provider", extra=ids_of(agent))
            await self.failed("marking work as done", exc, agent.id)

    def _refill(self) -> None:
        self._supply.launcher.refill()
        self._look.set()
        self._live_work.look_again()
        self._course.tick()

    def _look_again(self) -> None:
        self._look.set()

    def _moved(self, state: RunState) -> None:
        self.runner.run_state = state


def _longest_s(limits: Limits) -> float:
    """More time than this nobody has, for a unit or to come back."""
    return max(limits.assignment_duration_s, limits.rejoin_s)
