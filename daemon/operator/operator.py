"""Begins and leaves the runs, and is the face of all that is asked of them: others behind it do it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import trio

from ...protocol.names import UNFINISHED_RUN, AgentId, RunId, WorkerId
from ...storage.contract import Storage
from ...storage.records import Agent, TaskRun
from ..backup import Backup
from ..blocks import Blocks, BlockSet
from ..checking import LaunchRefused, Plan
from ..control.shapes.service import HeldView
from ..degraded import Degradation
from ..deletion import Stock
from ..departure import Departure, Manner
from ..disk_use import DiskUse, disk_use
from ..errands import Errand, Errands
from ..errands.providers import RunProviders
from ..farewell import Farewell
from ..hooks import Judged
from ..hooks.effects import BY as TASK
from ..house import House
from ..late_pay import LatePaid, LatePayer
from ..launching import Launcher, Warn, no_one
from ..live_run import LiveRun
from ..metrics.families import Metrics
from ..registry import Registry
from ..reloading import Reload, Reloaded
from ..review import Reviewed, Reviewer
from ..revocation import Revocation, Revoker
from ..store_loss import StoreLoss
from ..structuring import Faults
from ..task_options import FolderOptions
from ..terms import Extended, Wish
from ..verdict import Verdict
from .deletions import Deletions
from .held_runs import HeldRuns
from .holder import Holder
from .steering import Steering


class Operator:
    """One per daemon. Resumes, launches, says goodbye for all; the rest is passed on to who does it."""

    def __init__(self, house: House, registry: Registry, departure: Departure | None = None) -> None:
        self._house = house
        self._registry = registry
        self.departure = departure or Departure()
        """Whom to tell that the daemon is to go."""
        self._held = HeldRuns()
        self._launcher = Launcher(house, registry)
        self._begun, self._to_begin = trio.open_memory_channel[TaskRun](64)
        take_read, judged = self._launcher.take_read, self._judged_by_task
        self._holder = Holder(house, registry, self.departure, self._held, take_read, judged)
        self._deletions = Deletions(house, registry, self._held, self._holder)
        self._steering = Steering(house, self._held)
        self._revoker = Revoker(house, registry, self._held.settled)
        providers = RunProviders(house, registry, self._held.live)
        self._errands = Errands(house.storage, house.wall, house.rng, providers.of)
        self._blocks = Blocks(house.storage, house.wall, self._errands)
        self._reviewer = Reviewer(house.storage, house.wall, providers.of, self._errands, self._reviewed)
        self._late_payer = LatePayer(house.storage, house.wall, self._errands)
        self._reload: Reload | None = None

    # --- the life of the daemon

    async def serve(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Resume every unfinished run and hold it until the departure; then leave it as told, and return.

        LeaseLost and StorageFailed, once everybody was told to try later: a goodbye could not be recorded.
        Cancelled: as after a crash.
        """
        farewell = Farewell(self._house.pace, self._held.all, lambda: self._held.changed)
        left: Sequence[LiveRun] = ()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.loss.serve, farewell.lose_store)
            runs = await self.storage.runs()
            nursery.start_soon(self._deletions.serve, [run for run in runs if run.deleting])
            for run in runs:
                if not run.deleting and self._holder.is_wanted(run):
                    self._take_up(run, nursery)
            nursery.start_soon(self._begin_launched, nursery)
            nursery.start_soon(self._errands.serve)
            nursery.start_soon(self._house.router_processes.keep_spare)
            task_status.started()
            await self.departure.told.wait()
            if self.departure.manner is Manner.SUSPEND:
                await farewell.suspend()
            else:
                left = await farewell.say(self.departure.cut)
            nursery.cancel_scope.cancel(reason="the daemon stops")
        if self._house.end_routers:
            await farewell.end_routers(left)

    def _take_up(self, run: TaskRun, nursery: trio.Nursery) -> None:
        """Hold the run in a task of its own, unless one does, or the daemon stops and the next will."""
        if not self._is_going and self._held.take_up(run.id):
            nursery.start_soon(self._holder.hold, run)

    async def _begin_launched(self, nursery: trio.Nursery) -> None:
        async for run in self._to_begin:
            self._take_up(run, nursery)

    @property
    def _is_going(self) -> bool:
        return self.departure.told.is_set()

    async def unfinished(self) -> list[TaskRun]:
        """The runs that are to go on."""
        return await self.storage.runs(UNFINISHED_RUN)

    def longest_stop_s(self) -> float:
        """What a stop that began now may take: the longest grace, the goodbyes, the ends of routers."""
        graces = [live.leaving.grace_s for live in self._held.all()]
        return max(graces, default=0.0) + 2 * self._house.pace.goodbye_s

    # --- launching

    async def launch(
        self, folder: Path, overrides: Mapping[str, str], launch_id: str, who: str, warn: Warn = no_one
    ) -> TaskRun:
        """Launch the task in `folder`; the same `launch_id` again is the same run. `warn`: see the launcher.

        Returns once the run is stored: routers and units follow. LaunchRefused: nothing was stored.
        """
        if self._is_going:
            raise LaunchRefused(["the daemon is stopping; launch again once it is back"])
        run = await self._launcher.store(folder, overrides, launch_id, who, warn)
        if run.state in UNFINISHED_RUN:
            await self._begun.send(run)
        return run

    async def plan(self, folder: Path, overrides: Mapping[str, str]) -> Plan:
        """What `launch` would launch now. LaunchRefused: everything that is wrong. Nothing is stored."""
        return await self._launcher.plan(folder, overrides)

    async def folder_options(self, folder: Path) -> FolderOptions:
        """What can be set for the task in `folder`; runs its task.py. ConfigRefused."""
        return await self._launcher.options(folder)

    @property
    def plug_ins(self) -> Registry:
        """The installed plug-ins."""
        return self._registry

    # --- what staff ask of a run

    async def stop(self, run_id: RunId, now: bool, who: str) -> None:
        """Stop a run: let nobody else in; `now` also dismisses who is at work. NotFound."""
        await self._steering.stop(run_id, now, who)

    async def pause(self, run_id: RunId, paused: bool, who: str, why: str) -> None:
        """Let nobody new in, or let them in again; also a run that is not held. NotFound, StaleWrite."""
        await self._steering.pause(run_id, paused, who, why)

    async def extend(self, run_id: RunId, wish: Wish, who: str) -> Extended:
        """Other limits and pay, and more rows. ExtensionRefused, StaleWrite, NotFound."""
        return await self._steering.extend(run_id, wish, who)

    async def expire(self, run_id: RunId, who: str) -> int:
        """Expire every unit that nobody holds; returns how many. NotFound."""
        return await self._steering.expire(run_id, who)

    async def links(self, run_id: RunId, workers: Sequence[str]) -> list[tuple[str, str]]:
        """Personal addresses for workers: (name, url). LookupError: the run is not held at present."""
        return await self._steering.links(run_id, workers)

    async def revoke_link(self, link: str, now: bool, who: str) -> Revocation:
        """Refuse a personal link from the next request on; `now` takes its units back. LinkUnknown."""
        return await self._revoker.revoke_link(link, now, who)

    async def revoke_link_of(self, run_id: RunId, worker: str, now: bool, who: str) -> Revocation:
        """The same for the link that a worker was given last. LinkUnknown, NotFound."""
        return await self._revoker.revoke_link_of(run_id, worker, now, who)

    async def stock(self, run_id: RunId) -> Stock:
        """What would go with the run. NotFound."""
        return await self._deletions.stock(run_id)

    async def delete(self, run_id: RunId, who: str) -> tuple[Stock, Sequence[str]]:
        """Delete an ended run with its files (see `Deletions`). StaleWrite, NotFound, DeletionFailed."""
        return await self._deletions.delete(run_id, who)

    # --- what staff ask about workers and their work

    async def review(
        self, agents: Sequence[AgentId], verdict: Verdict, note: str | None, who: str
    ) -> list[Reviewed]:
        """Judge the work of agents, of runs that are held or have ended. NotFound."""
        return await self._reviewer.review(agents, verdict, note, who)

    async def _judged_by_task(self, agent_id: AgentId, judged: Judged) -> str | None:
        """What a task's own code says of an agent's work; why that cannot be, if so."""
        (reviewed,) = await self._reviewer.review([agent_id], judged.verdict, judged.note, TASK)
        return reviewed.refused

    def _reviewed(self, agent: Agent) -> None:
        live = self._held.live(agent.run_id)
        if live is not None:
            live.reviewed(agent)

    async def pay_late(
        self, late: Sequence[int], cents: int | None, note: str | None, who: str
    ) -> list[LatePaid]:
        """Pay for answers that came too late to count, of runs that are held or have ended. NotFound."""
        return await self._late_payer.pay(late, cents, note, who)

    async def set_blocked(
        self, workers: Sequence[WorkerId], blocked: bool, reason: str, who: str
    ) -> list[BlockSet]:
        """Block or unblock workers, all or none. NotFound."""
        return await self._blocks.set(workers, blocked, reason, who)

    def owed(self, run_id: RunId) -> list[Errand]:
        """What the run's provider is still to be told, oldest first."""
        return self._errands.owed(run_id)

    # --- what is asked of the daemon as a whole

    def reloads_with(self, reload: Reload) -> None:
        """Who reads the configuration again when staff ask for it."""
        self._reload = reload

    async def reload(self) -> Reloaded:
        """Read the configuration again. Faults: everything stays as it was."""
        if self._reload is None:
            raise Faults(["this daemon was started without a configuration to read again"])
        return await self._reload()

    async def backup(self) -> Backup:
        """A backup, its copy of the store made. StorageFull, StorageFailed, StorageRefused."""
        backup = Backup(self._house)
        await backup.begin()
        return backup

    async def disk_use(self) -> DiskUse:
        """What takes how much in the data folder."""
        folders = {
            run.id: (self._house.task_folder(run.launch_id), self._house.run_folder(run.id))
            for run in await self.storage.runs()
        }
        return await self._house.user_code.off_loop(disk_use, self._house.data, folders)

    # --- how things are

    def live(self, run_id: RunId) -> LiveRun | None:
        """The run, while it is held."""
        return self._held.live(run_id)

    def live_runs(self) -> list[LiveRun]:
        """The runs that are held now."""
        return self._held.all()

    def degraded(self) -> Sequence[Degradation]:
        """What is missing at present, for metrics."""
        return self._house.degraded.now()

    def status(self) -> HeldView:
        """What is up and what is away, for `crowdctl status`."""
        return {
            "stopping": self._is_going,
            "epoch": self.storage.epoch,
            "runs": {
                live.run.id: [{"name": r.name, "up": r.up} for r in live.routers()]
                for live in self._held.all()
            },
            "degraded": [
                {
                    "what": each.lack.value,
                    "about": each.about,
                    "words": each.words,
                    "since": each.since,
                    "run_id": each.run_id,
                }
                for each in self.degraded()
            ],
        }

    # --- what of the house others see

    @property
    def storage(self) -> Storage:
        """The store, for reading."""
        return self._house.storage

    @property
    def loss(self) -> StoreLoss:
        """Whom to tell that the store is lost."""
        return self._house.loss

    @property
    def metrics(self) -> Metrics:
        """What was counted so far."""
        return self._house.metrics

    @property
    def suspend_s(self) -> float:
        """How long routers keep pages calm while the daemon is away on purpose."""
        return self._house.pace.suspend_s

    def wall(self) -> datetime:
        """The time, for what is written."""
        return self._house.wall()

    @property
    def scratch(self) -> Path:
        """Where a task folder is unpacked for the time of a request."""
        return self._house.scratch

    def uploads(self, run_id: RunId) -> Path:
        """The folder of the files that workers of the run uploaded, by sha256."""
        return self._house.uploads(run_id)
