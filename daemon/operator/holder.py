"""Holds one run to its end: puts it together, carries it on, and notes with it why it cannot go on."""

import logging
from collections.abc import Callable

import trio

from ...protocol.names import UNFINISHED_RUN, RunId
from ...storage.errors import LeaseLost, StorageFailed, StorageFull
from ...storage.records import TaskRun
from ...supervision.tasks import NoThread
from ..added_rows import all_rows
from ..blueprints.contract import ReadData
from ..causes import causes, whole_characters, words_of
from ..degraded import Lack
from ..departure import Departure
from ..error_notes import PLUG_IN, ErrorNotes
from ..follow_ups import Review
from ..full_disk import RETRY_S, may_pass
from ..house import House
from ..live_run import DEPLOYED, LiveRun
from ..parts import Parts, RunBroken, assemble
from ..registry import Registry
from ..row_source import RowSource
from .held_runs import HeldRuns

log = logging.getLogger(__name__)

TROUBLE_CHARACTERS_MAX = 500

TakeRead = Callable[[RunId], ReadData | None]
"""The data of a run as its launch has read it, once (see `Launcher.take_read`)."""


class Holder:
    """One per daemon, a call for each run. Once the daemon is to go, it begins with none."""

    def __init__(
        self,
        house: House,
        registry: Registry,
        departure: Departure,
        held: HeldRuns,
        take_read: TakeRead,
        review: Review,
    ) -> None:
        self._house = house
        self._registry = registry
        self._departure = departure
        self._held = held
        self._take_read = take_read
        self._review = review

    async def hold(self, run: TaskRun) -> None:
        """Hold a run that was taken up, and let it go at its end.

        Its failure is its own: noted with the run, the others go on. LeaseLost, StorageFailed (in a group).
        Cancelled: as after a crash.
        """
        try:
            await self._serve(run)
        except* (LeaseLost, StorageFailed):
            raise
        except* RunBroken as broken:
            await self._note_trouble(run, whole_characters(str(causes(broken)[0])), broken)
        except* Exception as group:
            log.error("the run failed", exc_info=group, extra={"run": run.id})
            said = words_of(causes(group)[0])[:TROUBLE_CHARACTERS_MAX]
            await self._note_trouble(run, f"{said} (see the log; the next start tries again)", group)
        finally:
            self._held.let_go(run.id)

    def is_wanted(self, run: TaskRun) -> bool:
        """Whether there is anything to hold the run for."""
        return run.state in UNFINISHED_RUN or self.is_deployed(run)

    def is_deployed(self, run: TaskRun) -> bool:
        """Whether a run, perhaps ended, still has routers that answer late pages."""
        return self._house.run_folder(run.id).joinpath(DEPLOYED).exists()

    async def _serve(self, run: TaskRun) -> None:
        parts = await self._assembled(run)
        if parts is None:
            return
        rows = await self._rows(run, parts)
        run = await self._house.storage.run(run.id)  # staff may have stopped it before we took it up
        if self._is_going or not self.is_wanted(run):
            return
        live = LiveRun(run, parts, self._house, rows, self._review)
        if run.deleting:
            live.retired.set()
        try:
            with self._held.alive(live):
                await live.serve()
        finally:
            self._house.metrics.leave(run.label)
            self._house.degraded.leave(run.id)

    async def _rows(self, run: TaskRun, parts: Parts) -> RowSource:
        names = [each.name for each in await self._house.storage.added_rows(run.id)]
        # What its launch has read gets no name here: it goes as soon as its rows are made.
        return all_rows(parts.blueprint, self._house.run_folder(run.id), names, self._take_read(run.id))

    async def _assembled(self, run: TaskRun) -> Parts | None:
        """The run's parts, waiting while disk or threads do not let it; None: the daemon stops."""
        degraded = self._house.degraded
        while not self._is_going:
            try:
                parts = await self._house.user_code.load(assemble, run, self._house, self._registry)
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

    @property
    def _is_going(self) -> bool:
        return self._departure.told.is_set()

    async def _note_trouble(self, run: TaskRun, trouble: str, error: BaseException) -> None:
        log.error("the run cannot go on: %s", trouble, extra={"run": run.id})
        storage = self._house.storage
        try:
            await storage.set_trouble(run.id, trouble)
        except StorageFull as exc:
            log.error("its trouble could not be noted: %s", exc, extra={"run": run.id})
        await ErrorNotes(run.id, storage, self._house.wall).note(PLUG_IN, "holding the run", error)
