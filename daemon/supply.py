"""Where the units of a run come from, and how those go that nobody holds: launcher and provider in step."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import trio

from ..protocol.names import RunState
from ..storage.records import Unit
from .course import Course
from .error_notes import HOOK, PLUG_IN, ErrorNotes
from .full_disk import with_space
from .house import House
from .launcher import RowsChanged, TaskLauncher
from .parts import Parts
from .providers.contract import ProviderFailed
from .row_source import RowSource
from .user_code import UserCode, UserCodeFailed

log = logging.getLogger(__name__)

SUPPLIED = frozenset({RunState.LAUNCHING, RunState.RUNNING})


class Supply:
    """One per LiveRun. `address` says where workers find its pages; `refilled` hears of units set free."""

    def __init__(
        self,
        course: Course,
        parts: Parts,
        house: House,
        rows: RowSource,
        user_code: UserCode,
        errors: ErrorNotes,
        address: Callable[[], str],
        refilled: Callable[[], None],
    ) -> None:
        self._course = course
        self._provider = parts.provider
        self._house = house
        self._errors = errors
        self._address = address
        self._refilled = refilled
        self._opened = trio.Event()
        self.launcher = TaskLauncher(
            course.run,
            rows,
            house.storage,
            user_code,
            house.wall,
            self._publish,
            parts.config.pay.cents,
            parts.config.limits.max_num_concurrent_units,
            parts.config.choice,
            self._opened.is_set,
        )

    def open(self) -> None:
        """The run's routers are there: units may be released and published."""
        self._opened.set()
        self.launcher.refill()

    async def serve(self, look: Callable[[], None]) -> None:
        """Launch rows as there is room for them, until no more can be had; `look` is called after some.

        Before `open` the rows of a new run are made, if its routers take their time to start. Of a run that
        was launched before nothing is done until then: those who are in it come first.
        """
        run_id = self._course.run.id
        if self._course.state is not RunState.LAUNCHING:
            await self._opened.wait()
        await self._note_trouble(None)
        if self._course.state is RunState.DRAINING:  # a crash may have come before its units expired
            await with_space(f"run {run_id}", partial(self.expire, "daemon", "the run is stopped"))
        while self._course.state in SUPPLIED and await self._launch():
            look()
            await self.launcher.until_added()
        look()

    async def expire(self, who: str, why: str) -> int:
        """Expire every unit that nobody holds; no further rows are launched. Returns how many units."""
        await self.launcher.finish_rows()
        run_id = self._course.run.id
        units = await self._house.storage.expire_units(run_id, self._house.wall(), who, why)
        await self._tell_provider("taking units back", units, self._provider.expire(units))
        self._refilled()
        return len(units)

    async def _launch(self) -> bool:
        """Launch what there is; False when no more rows can be had."""
        try:
            await self.launcher.launch()
        except (RowsChanged, UserCodeFailed) as exc:
            log.error("no more rows are launched: %s", exc, extra={"run": self._course.run.id})
            await self._note_trouble(str(exc))
            await self._errors.note(HOOK, "launching rows", exc)
            return False
        return True

    async def _note_trouble(self, trouble: str | None) -> None:
        run_id = self._course.run.id
        await with_space(f"run {run_id}", lambda: self._house.storage.set_trouble(run_id, trouble))

    async def _publish(self, units: Sequence[Unit]) -> None:
        published = self._provider.publish(units, self._address())
        await self._tell_provider("publishing units", units, published)
        self._course.tick()

    async def _tell_provider(self, doing: str, units: Sequence[Unit], telling: Awaitable[None]) -> None:
        try:
            await telling
        except ProviderFailed as exc:
            log.exception("%s failed: %d units", doing, len(units), extra={"run": self._course.run.id})
            await self._errors.note(PLUG_IN, doing, exc)
