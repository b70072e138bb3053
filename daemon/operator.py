"""Holds many runs: launches, resumes, stops them, and says goodbye for all. One per daemon."""

import logging
from collections.abc import Mapping, Sequence
from contextlib import aclosing, suppress
from datetime import datetime
from pathlib import Path

import trio

from ..protocol.names import UNFINISHED_RUN, AgentId, RunId, WorkerId
from ..storage.contract import Storage
from ..storage.errors import LeaseLost, NotFound, StorageFailed, StorageFull
from ..storage.records import Agent, TaskRun
from ..supervision.tasks import NoThread
from .added_rows import all_rows
from .backup import Backup
from .blocks import Blocks, BlockSet
from .causes import causes
from .checking import LaunchRefused, Plan
from .control.shapes.service import HeldView
from .degraded import Degradation, Lack
from .deletion import Deletion, DeletionFailed, Order, Stock
from .departure import Departure, Manner
from .disk_use import DiskUse, disk_use
from .errands import Errand, Errands
from .errands.providers import RunProviders
from .error_notes import PLUG_IN, ErrorNotes
from .events import any_of
from .farewell import Farewell
from .full_disk import RETRY_S, may_pass
from .hooks import Judged
from .hooks.effects import BY as TASK
from .house import House
from .launching import Launcher
from .live_run import DEPLOYED, LiveRun
from .metrics.families import Metrics
from .parts import Parts, RunBroken, assemble
from .registry import Registry
from .reloading import Reload, Reloaded
from .review import Reviewed, Reviewer
from .revocation import Revocation, Revoker
from .store_loss import StoreLoss
from .structuring import Faults
from .task_config import ConfigRefused
from .task_options import FolderOptions, folder_options
from .terms import Extended, ExtensionRefused, Wish
from .unheld import UnheldRuns
from .user_code import UserCodeFailed
from .verdict import Verdict

log = logging.getLogger(__name__)

TROUBLE_CHARACTERS_MAX = 500


class Operator:
    """Launch, list, stop, wait, shut down. Storage is the truth; this only holds what is alive."""

    def __init__(self, house: House, registry: Registry, departure: Departure | None = None) -> None:
        self._house = house
        self._registry = registry
        self.departure = departure or Departure()
        """Whom to tell that the daemon is to go."""
        self._launcher = Launcher(house, registry)
        self._unheld = UnheldRuns(house)
        self._revoker = Revoker(house, registry, self._held)
        providers = RunProviders(house, registry, self.live)
        self._errands = Errands(house.storage, house.wall, house.rng, providers.of)
        self._blocks = Blocks(house.storage, house.wall, self._errands)
        self._reviewer = Reviewer(house.storage, house.wall, providers.of, self._errands, self._reviewed)
        self._taken_up: set[RunId] = set()
        """Runs that a task of ours holds, or is about to: never two of the same."""
        self._live: dict[RunId, LiveRun] = {}
        self._begun, self._to_begin = trio.open_memory_channel[TaskRun](64)
        self._deletion = Deletion(house, registry)
        self._one_deletion = trio.Lock()
        self._to_delete, self._deletions = trio.open_memory_channel[Order](64)
        self._changed = trio.Event()
        self._reload: Reload | None = None
        self._stopping = False

    @property
    def storage(self) -> Storage:
        """The store, for reading."""
        return self._house.storage

    @property
    def loss(self) -> StoreLoss:
        """Whom to tell that the store is lost."""
        return self._house.loss

    @property
    def suspend_s(self) -> float:
        """How long routers keep pages calm while the daemon is away on purpose."""
        return self._house.pace.suspend_s

    def wall(self) -> datetime:
        """The time, for what is written."""
        return self._house.wall()

    @property
    def metrics(self) -> Metrics:
        """What was counted so far."""
        return self._house.metrics

    async def serve(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Resume every unfinished run and hold it until the departure; then leave it as told, and return.

        LeaseLost and StorageFailed, once everybody was told to try later: a goodbye could not be recorded.
        Cancelled: as after a crash.
        """
        farewell = Farewell(self._house.pace, self.live_runs, lambda: self._changed)
        left: Sequence[LiveRun] = ()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.loss.serve, farewell.lose_store)
            for run in await self.storage.runs():
                if run.deleting:
                    nursery.start_soon(self._delete, Order(run, "daemon"))
                elif run.state in UNFINISHED_RUN or self._is_deployed(run):
                    self._take_up(run, nursery)
            nursery.start_soon(self._begin_deletions, nursery)
            nursery.start_soon(self._begin_launched, nursery)
            nursery.start_soon(self._errands.serve)
            nursery.start_soon(self._house.router_processes.keep_spare)
            task_status.started()
            await self.departure.told.wait()
            self._stopping = True
            if self.departure.manner is Manner.SUSPEND:
                await farewell.suspend()
            else:
                left = await farewell.say(self.departure.cut)
            nursery.cancel_scope.cancel(reason="the daemon stops")
        if self._house.end_routers:
            await farewell.end_routers(left)

    async def unfinished(self) -> list[TaskRun]:
        """The runs that are to go on."""
        return await self.storage.runs(UNFINISHED_RUN)

    def longest_stop_s(self) -> float:
        """What a stop that began now may take: the longest grace, the goodbyes, the ends of routers."""
        graces = [live.grace_s for live in self._live.values()]
        return max(graces, default=0.0) + 2 * self._house.pace.goodbye_s

    def _is_deployed(self, run: TaskRun) -> bool:
        """Whether an ended run still has routers that answer late pages."""
        return self._house.run_folder(run.id).joinpath(DEPLOYED).exists()

    # --- launching

    async def launch(self, folder: Path, overrides: Mapping[str, str], launch_id: str, who: str) -> TaskRun:
        """Launch the task in `folder`; the same `launch_id` again is the same run.

        Returns once the run is stored: routers and units follow. LaunchRefused: nothing was stored.
        """
        if self._stopping:
            raise LaunchRefused(["the daemon is stopping; launch again once it is back"])
        run = await self._launcher.store(folder, overrides, launch_id, who)
        if run.state in UNFINISHED_RUN:
            await self._begun.send(run)
        return run

    async def plan(self, folder: Path, overrides: Mapping[str, str]) -> Plan:
        """What `launch` would launch now. LaunchRefused: everything that is wrong. Nothing is stored."""
        return await self._launcher.plan(folder, overrides)

    async def folder_options(self, folder: Path) -> FolderOptions:
        """What can be set for the task in `folder`; runs its task.py. ConfigRefused."""
        try:
            return await self._house.user_code.load(folder_options, self._registry, folder)
        except UserCodeFailed as exc:
            raise ConfigRefused([f"task.py: {exc}"]) from exc

    @property
    def plug_ins(self) -> Registry:
        """The installed plug-ins."""
        return self._registry

    async def _begin_launched(self, nursery: trio.Nursery) -> None:
        async for run in self._to_begin:
            self._take_up(run, nursery)

    # --- holding

    def _take_up(self, run: TaskRun, nursery: trio.Nursery) -> None:
        """Hold the run in a task of its own, unless one does, or the daemon stops and the next will."""
        if run.id not in self._taken_up and not self._stopping:
            self._taken_up.add(run.id)
            nursery.start_soon(self._hold, run)

    # --- deleting

    async def stock(self, run_id: RunId) -> Stock:
        """What would go with the run. NotFound."""
        return await self._deletion.stock(await self.storage.run(run_id))

    async def delete(self, run_id: RunId, who: str) -> tuple[Stock, Sequence[str]]:
        """Delete an ended run with its files; says what it had, and what of it is out of our reach.

        StaleWrite: it has not ended. NotFound.

        DeletionFailed: it is going, but something stays; the next start, or asking again, tries again.
        Cancelled: what was begun is gone on with.
        """
        run = await self.storage.begin_deletion(run_id, self._house.wall(), who)
        stock = await self._deletion.stock(run)
        order = Order(run, who)
        await self._to_delete.send(order)
        await order.done.wait()
        with suppress(NotFound):
            run = await self.storage.run(run_id)
            raise DeletionFailed(run.trouble or "its deletion was broken off")
        return stock, order.left

    async def _begin_deletions(self, nursery: trio.Nursery) -> None:
        async for order in self._deletions:
            nursery.start_soon(self._delete, order)

    async def _delete(self, order: Order) -> None:
        """Remove one run; its failure is its own, noted with the run. One after the other: it is no hurry."""
        run = order.run
        try:
            async with self._one_deletion:
                await self._let_go(run)
                async with aclosing(self._deletion.steps(order)) as steps:
                    async for _ in steps:
                        pass
                log.info("the run is deleted", extra={"run": run.id})
        except NotFound:
            log.info("the run was deleted before", extra={"run": run.id})
        except (OSError, StorageFull) as exc:
            log.error("the run is not deleted yet: %s", exc, extra={"run": run.id})
            with suppress(StorageFull):
                await self.storage.set_trouble(run.id, f"it is being deleted, but: {exc}")
        finally:
            order.done.set()

    async def _let_go(self, run: TaskRun) -> None:
        """Return when nobody holds the run and its routers are down, as far as they can be reached."""
        live = await self._held(run.id)
        if live is not None:
            live.retired.set()
        while run.id in self._taken_up:
            await self._changed.wait()
        if self._is_deployed(run):  # a crash came between
            self._taken_up.add(run.id)
            await self._hold(run)

    # --- holding one

    async def _hold(self, run: TaskRun) -> None:
        """Hold one run to its end. Its failure is its own: noted with the run, the others go on."""
        try:
            await self._serve_run(run)
        except* (LeaseLost, StorageFailed):
            raise
        except* RunBroken as broken:
            await self._note_trouble(run, str(causes(broken)[0]), broken)
        except* Exception as group:
            log.error("the run failed", exc_info=group, extra={"run": run.id})
            said = str(causes(group)[0])[:TROUBLE_CHARACTERS_MAX]
            await self._note_trouble(run, f"{said} (see the log; the next start tries again)", group)
        finally:
            self._taken_up.discard(run.id)
            self._note_change()

    async def _serve_run(self, run: TaskRun) -> None:
        parts = await self._assembled(run)
        if parts is None:
            return
        names = [each.name for each in await self.storage.added_rows(run.id)]
        folder = self._house.run_folder(run.id)
        # No name here keeps what its launch has read: this call lasts as long as the run.
        rows = all_rows(parts.blueprint, folder, names, self._launcher.take_read(run.id))
        run = await self.storage.run(run.id)  # staff may have stopped it before we took it up
        if self._stopping or not (run.state in UNFINISHED_RUN or self._is_deployed(run)):
            return
        live = self._live[run.id] = LiveRun(run, parts, self._house, rows, self._judged_by_task)
        if run.deleting:
            live.retired.set()
        self._note_change()
        try:
            await live.serve()
        finally:
            del self._live[run.id]
            self._house.metrics.leave(run.label)
            self._house.degraded.leave(run.id)

    async def _assembled(self, run: TaskRun) -> Parts | None:
        """The run's parts, waiting while disk or threads do not let it; None: the daemon stops."""
        degraded = self._house.degraded
        while not self._stopping:
            try:
                parts = await self._house.user_code.load(self._assemble, run)
            except OSError as exc:
                if not (isinstance(exc, NoThread) or may_pass(exc)):
                    raise
                words = f"it cannot be held yet, and is tried again every {RETRY_S:g} s: {exc}"
                degraded.begin(Lack.RUN_WAITS, words, run.label, run.id)
            else:
                degraded.end(Lack.RUN_WAITS, run.label)
                return parts
            await trio.sleep(RETRY_S)
        degraded.leave(run.id)
        return None

    def _assemble(self, run: TaskRun) -> Parts:
        return assemble(run, self._house, self._registry)

    async def _note_trouble(self, run: TaskRun, trouble: str, error: BaseException) -> None:
        log.error("the run cannot go on: %s", trouble, extra={"run": run.id})
        try:
            await self.storage.set_trouble(run.id, trouble)
        except StorageFull as exc:
            log.error("its trouble could not be noted: %s", exc, extra={"run": run.id})
        await ErrorNotes(run.id, self.storage, self._house.wall).note(PLUG_IN, "holding the run", error)

    def _note_change(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    # --- what staff ask for

    def live(self, run_id: RunId) -> LiveRun | None:
        """The run, while it is held."""
        return self._live.get(run_id)

    async def _held(self, run_id: RunId) -> LiveRun | None:
        """The run, if it is held; waits for one that is just taken up, so that no two decide about it."""
        while run_id in self._taken_up and run_id not in self._live:
            await self._changed.wait()
        return self._live.get(run_id)

    def live_runs(self) -> list[LiveRun]:
        """The runs that are held now."""
        return list(self._live.values())

    async def stop(self, run_id: RunId, now: bool, who: str) -> None:
        """Stop a run: let nobody else in; `now` also dismisses who is at work. NotFound."""
        live = await self._held(run_id)
        if live is not None:
            await live.stop(now, who)
            return
        self._taken_up.add(run_id)  # by us, for so long
        try:
            await self._unheld.stop(run_id, now, who)
        finally:
            self._taken_up.discard(run_id)
            self._note_change()

    async def pause(self, run_id: RunId, paused: bool, who: str, why: str) -> None:
        """Let nobody new in, or let them in again; also a run that is not held. NotFound, StaleWrite."""
        live = await self._held(run_id)
        if live is not None:
            await live.pause(paused, who, why)
        else:
            await self.storage.set_paused(run_id, paused, self._house.wall(), who, why)

    async def extend(self, run_id: RunId, wish: Wish, who: str) -> Extended:
        """Other limits and pay, and more rows. ExtensionRefused, StaleWrite, NotFound."""
        live = await self._held(run_id)
        if live is None:
            run = await self.storage.run(run_id)
            why = run.trouble or "it is not being carried out at present"
            raise ExtensionRefused([f"run {run.label!r} cannot be extended now: {why}"])
        return await live.extend(wish, who)

    async def expire(self, run_id: RunId, who: str) -> int:
        """Expire every unit that nobody holds; returns how many. NotFound."""
        live = await self._held(run_id)
        if live is not None:
            return await live.expire(who)
        await self.storage.run(run_id)
        return await self._unheld.expire(run_id, who, "expired by staff")

    async def links(self, run_id: RunId, workers: Sequence[str]) -> list[tuple[str, str]]:
        """Personal addresses for workers: (name, url). NotFound when the run is not held at present."""
        live = self._live.get(run_id)
        if live is None:
            raise LookupError(f"run {run_id} is not running")
        return await live.personal_links(workers)

    async def revoke_link(self, link: str, now: bool, who: str) -> Revocation:
        """Refuse a personal link from the next request on; `now` takes its units back. LinkUnknown."""
        return await self._revoker.revoke_link(link, now, who)

    async def revoke_link_of(self, run_id: RunId, worker: str, now: bool, who: str) -> Revocation:
        """The same for the link that a worker was given last. LinkUnknown, NotFound."""
        return await self._revoker.revoke_link_of(run_id, worker, now, who)

    @property
    def scratch(self) -> Path:
        """Where a task folder is unpacked for the time of a request."""
        return self._house.scratch

    def uploads(self, run_id: RunId) -> Path:
        """The folder of the files that workers of the run uploaded, by sha256."""
        return self._house.uploads(run_id)

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
        live = self._live.get(agent.run_id)
        if live is not None:
            live.reviewed(agent)

    async def set_blocked(
        self, workers: Sequence[WorkerId], blocked: bool, reason: str, who: str
    ) -> list[BlockSet]:
        """Block or unblock workers, all or none. NotFound."""
        return await self._blocks.set(workers, blocked, reason, who)

    def owed(self, run_id: RunId) -> list[Errand]:
        """What the run's provider is still to be told, oldest first."""
        return self._errands.owed(run_id)

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

    async def wait_for_all(self) -> None:
        """Return once every run that is held has ended."""
        while going := [live for live in self._live.values() if not live.ended.is_set()]:
            await any_of(going[0].ended, self._changed)

    def status(self) -> HeldView:
        """What is up and what is away, for `crowdctl status`."""
        return {
            "stopping": self._stopping,
            "epoch": self.storage.epoch,
            "runs": {
                live.run.id: [{"name": r.name, "up": r.up} for r in live.routers()]
                for live in self._live.values()
            },
            "degraded": [
                {
                    "what": each.lack.value,
                    "about": each.about,
                    "words": each.words,
                    "since": each.since,
                    "run_id": each.run_id,
                }
                for each in self._house.degraded.now()
            ],
        }

    def degraded(self) -> Sequence[Degradation]:
        """What is missing at present, for metrics."""
        return self._house.degraded.now()
