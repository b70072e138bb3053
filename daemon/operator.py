"""Holds many runs: launches, resumes, stops them, and says goodbye for all. One per daemon."""

import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import trio

from ..protocol.names import UNFINISHED_RUN, Reason, RunId, RunState
from ..storage.contract import (
    Duplicate,
    InvalidRecord,
    LeaseLost,
    MoveRun,
    NewRun,
    Storage,
    StorageFailed,
    StorageFull,
)
from ..storage.records import Agent, TaskRun
from .architects.contract import Ground
from .blueprints.contract import BlueprintFault
from .causes import causes
from .disk_use import DiskUse, disk_use
from .error_notes import PLUG_IN, ErrorNotes
from .goodbye import dismiss_all
from .house import House
from .live_run import DEPLOYED, LiveRun
from .metrics.families import Metrics
from .parts import Parts, RunBroken, assemble, task_code
from .registry import BrokenPlugIn, Registry
from .routers import Routers
from .task_config import ConfigRefused, RunConfig, config_to_json, load_config
from .task_folder import TaskCodeFailed, TaskRefused
from .task_runner import Doors, TaskRunner
from .task_store import keep_task

log = logging.getLogger(__name__)

KEY_BYTES = 32
TROUBLE_CHARACTERS_MAX = 500
LABELS_TRIED_MAX = 1000  # runs of one task that are kept at a time; labels of ended runs stay taken


class LaunchRefused(Exception):
    """Nothing was launched; `problems` says everything that is wrong, one "path: what" each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Operator:
    """Launch, list, stop, wait, shut down. Storage is the truth; this only holds what is alive."""

    def __init__(self, house: House, registry: Registry) -> None:
        self._house = house
        self._registry = registry
        self._taken_up: set[RunId] = set()
        """Runs that a task of ours holds, or is about to: never two of the same."""
        self._live: dict[RunId, LiveRun] = {}
        self._begun, self._to_begin = trio.open_memory_channel[TaskRun](64)
        self._changed = trio.Event()
        self._stopping = False

    @property
    def storage(self) -> Storage:
        """The store, for reading."""
        return self._house.storage

    @property
    def metrics(self) -> Metrics:
        """What was counted so far."""
        return self._house.metrics

    async def serve(
        self,
        stop: trio.Event,
        cut: trio.Event,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Resume every unfinished run and hold it until `stop`; then say goodbye and return.

        `cut` ends the grace at once. LeaseLost and StorageFailed end everything without a goodbye that
        nothing could record. Cancelled: as after a crash.
        """
        left: Sequence[LiveRun] = ()
        async with trio.open_nursery() as nursery:
            for run in await self.storage.runs():
                if run.state in UNFINISHED_RUN or self._is_deployed(run):
                    self._take_up(run, nursery)
            nursery.start_soon(self._begin_launched, nursery)
            task_status.started()
            await stop.wait()
            left = await self._wind_down(cut)
            nursery.cancel_scope.cancel(reason="the daemon stops")
        await self._end_routers(left)

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
        config = await self._house.user_code.off_loop(
            checked_config, self._registry, folder, dict(overrides), self._house.routers
        )
        try:
            await self._house.user_code.off_loop(keep_task, folder, self._house.task_folder(launch_id))
        except TaskRefused as exc:
            raise LaunchRefused([str(exc)]) from exc
        run = await self._create(config, launch_id, who)
        if run.state in UNFINISHED_RUN:
            await self._begun.send(run)
        return run

    async def _create(self, config: RunConfig, launch_id: str, who: str) -> TaskRun:
        key = self._house.rng.randbytes(KEY_BYTES)
        label = config.label
        for number in range(1, LABELS_TRIED_MAX):
            label = config.label or numbered_label(config.name, number)
            try:
                return await self.storage.create_run(
                    self._new_run(config, launch_id, label, key), self._house.wall(), who
                )
            except InvalidRecord as exc:
                raise LaunchRefused([str(exc)]) from exc
            except Duplicate:
                if config.label:
                    break
        raise LaunchRefused([f"label: {label!r} is taken by another run; choose another"])

    def _new_run(self, config: RunConfig, launch_id: str, label: str, key: bytes) -> NewRun:
        return NewRun(
            task_name=config.task,
            requester_name=config.requester,
            launch_id=launch_id,
            label=label,
            blueprint=config.blueprint.type,
            provider=config.provider.type,
            architect=config.architect.type,
            sandbox=self._is_sandbox(config),
            config=config_to_json(config),
            key=key,
            project_name=config.project,
        )

    def _is_sandbox(self, config: RunConfig) -> bool:
        try:
            return self._registry.provider(config.provider.type).sandbox
        except LookupError:
            return False

    async def _begin_launched(self, nursery: trio.Nursery) -> None:
        async for run in self._to_begin:
            self._take_up(run, nursery)

    # --- holding

    def _take_up(self, run: TaskRun, nursery: trio.Nursery) -> None:
        """Hold the run in a task of its own, unless one does, or the daemon stops and the next will."""
        if run.id not in self._taken_up and not self._stopping:
            self._taken_up.add(run.id)
            nursery.start_soon(self._hold, run)

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
        parts = await self._house.user_code.off_loop(self._assemble, run)
        run = await self.storage.run(run.id)  # staff may have stopped it before we took it up
        if self._stopping or not (run.state in UNFINISHED_RUN or self._is_deployed(run)):
            return
        live = self._live[run.id] = LiveRun(run, parts, self._house)
        self._note_change()
        try:
            await live.serve()
        finally:
            del self._live[run.id]
            self._house.metrics.leave(run.label)

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
            await self._stop_unheld(run_id, now, who)
        finally:
            self._taken_up.discard(run_id)
            self._note_change()

    async def _stop_unheld(self, run_id: RunId, now: bool, who: str) -> None:
        run = await self.storage.run(run_id)
        if run.state not in UNFINISHED_RUN:
            return
        await self._expire_unheld(run_id, who, "stopped by staff")
        if now:
            doors = Doors(_nobody_is_told, _not_done, lambda: None, _no_deadline)
            await dismiss_all(run_id, self._house, TaskRunner(run, self.storage, self._house.wall, doors))
        if not await self.storage.reserved_agents(run_id):
            after, why = RunState.STOPPED, "stopped while it could not be held"
        elif run.state is RunState.RUNNING:
            after, why = RunState.DRAINING, "who is at work may finish once it can be held"
        else:
            return
        await self.storage.commit([MoveRun(run_id, run.state, after, who, why)], self._house.wall())

    async def _expire_unheld(self, run_id: RunId, who: str, why: str) -> int:
        await self.storage.add_assignments(run_id, [], True, self._house.wall())
        return len(await self.storage.expire_units(run_id, self._house.wall(), who, why))

    async def expire(self, run_id: RunId, who: str) -> int:
        """Expire every unit that nobody holds; returns how many. NotFound."""
        live = await self._held(run_id)
        if live is not None:
            return await live.expire(who)
        await self.storage.run(run_id)
        return await self._expire_unheld(run_id, who, "expired by staff")

    async def links(self, run_id: RunId, workers: Sequence[str]) -> list[tuple[str, str]]:
        """Personal addresses for workers: (name, url). NotFound when the run is not held at present."""
        live = self._live.get(run_id)
        if live is None:
            raise LookupError(f"run {run_id} is not running")
        return await live.personal_links(workers)

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
            await _any_of(going[0].ended, self._changed)

    def status(self) -> dict[str, Any]:
        """What is up and what is away, for `crowdctl status`."""
        return {
            "stopping": self._stopping,
            "epoch": self.storage.epoch,
            "runs": {
                live.run.id: [{"name": r.name, "up": r.up} for r in live.routers()]
                for live in self._live.values()
            },
        }

    # --- the end

    async def _wind_down(self, cut: trio.Event) -> Sequence[LiveRun]:
        """Say goodbye to everybody; returns the runs that go on after the next start."""
        self._stopping = True
        runs = [live for live in self._live.values() if not live.ended.is_set()]
        for live in self._live.values():
            live.close_doors()
        await self._grace(runs, cut)
        with trio.move_on_after(self._house.pace.goodbye_s) as scope:
            async with trio.open_nursery() as nursery:
                for live in runs:
                    nursery.start_soon(self._say_goodbye, live)
                nursery.start_soon(self._retire_ended)
        if scope.cancelled_caught:
            log.warning("not every page could be told in %g s", self._house.pace.goodbye_s)
        return [live for live in runs if not live.ended.is_set()]

    async def _say_goodbye(self, live: LiveRun) -> None:
        count = await live.say_goodbye(self._house.pace.suspend_s)
        ids = {"run": live.run.id}
        log.info("%d active agents disconnected, their units are kept", count, extra=ids)

    async def _end_routers(self, runs: Sequence[LiveRun]) -> None:
        """Take routers down where that is wanted: only once no task of their runs can start one again."""
        if self._house.pace.leave_routers:
            return
        with trio.move_on_after(self._house.pace.goodbye_s):
            async with trio.open_nursery() as nursery:
                for live in runs:
                    nursery.start_soon(live.end_routers)

    async def _retire_ended(self) -> None:
        """Do not wait for late pages of ended runs any longer; return when their routers are down."""
        for live in list(self._live.values()):
            if live.ended.is_set():
                live.retired.set()
        while any(live.retired.is_set() for live in self._live.values()):
            await self._changed.wait()

    async def _grace(self, runs: Sequence[LiveRun], cut: trio.Event) -> None:
        """Let work in progress go on, each run for its own grace, until all are quiet or `cut`."""
        async with trio.open_nursery() as nursery:

            async def until_cut() -> None:
                await cut.wait()
                nursery.cancel_scope.cancel(reason="told to stop at once")

            async def until_quiet() -> None:
                async with trio.open_nursery() as quiet:
                    for live in runs:
                        quiet.start_soon(live.quiet)
                nursery.cancel_scope.cancel(reason="nobody is at work any more")

            nursery.start_soon(until_cut)
            nursery.start_soon(until_quiet)


def checked_config(
    registry: Registry, folder: Path, overrides: Mapping[str, str], routers: Routers | None = None
) -> RunConfig:
    """The config of a task folder that can be launched; LaunchRefused says everything that is wrong.

    Without `routers`, whether its routers can be had is left open: only the daemon knows them.
    """
    try:
        code = task_code(registry, folder)
        config = load_config(folder, overrides, code.registry)
        problems = code.blueprint(config, folder).check()
        if routers is not None:
            ground = Ground(routers, config.label or numbered_label(config.name, 1), config.shared_origin)
            architect = code.registry.architect(config.architect.type)
            problems = [*problems, *architect.check(config.architect.options, ground)]
    except ConfigRefused as exc:
        raise LaunchRefused(exc.problems) from exc
    except (TaskCodeFailed, BrokenPlugIn, BlueprintFault) as exc:
        raise LaunchRefused([str(exc)]) from exc
    if problems:
        raise LaunchRefused(problems)
    return config


def _nobody_is_told(_agent: Agent, _reason: Reason | None) -> None:
    """A run that is not held has no links to its pages."""


async def _not_done(_agent: Agent) -> None:
    """Who is dismissed has done nothing that a provider should hear of."""


def _no_deadline(_agent: Agent) -> None:
    """Nobody watches the time of a run that is not held."""


def numbered_label(name: str, number: int) -> str:
    """A label from a task's name: `digits`, `digits-2`, ...; at most 40 characters."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:32].strip("-") or "run"
    return slug if number == 1 else f"{slug}-{number}"


async def _any_of(*events: trio.Event) -> None:
    """Return when one of them is set."""
    async with trio.open_nursery() as nursery:

        async def until(event: trio.Event) -> None:
            await event.wait()
            nursery.cancel_scope.cancel(reason="one is enough")

        for event in events:
            nursery.start_soon(until, event)
