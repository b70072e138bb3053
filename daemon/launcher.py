"""Makes assignments from rows and releases their units, within the run's cap. Woken, never polling."""

import itertools
import logging
import sys
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

import attrs
import trio

from ..protocol.names import UnitStatus
from ..storage.contract import NewAssignment, RunCounts, Storage
from ..storage.records import TaskRun, Unit
from .admission_config import Choice
from .blueprints.contract import Row
from .clock import Wall
from .full_disk import with_space
from .next_rows import Batch, row_digest, some_assignments, some_rows
from .row_source import MakeRows, RowSource
from .user_code import UserCode, UserCodeFailed

log = logging.getLogger(__name__)

ROWS_PER_TRANSACTION = 1000  # others wait for the writing thread: each costs it 20 us and what it holds
UNITS_PER_TRANSACTION = 1000  # each costs it some 25 us where it is only released
ROW_LIMIT_S = 3600.0  # a generator may wait for its data; it never holds anything else up
BATCH_PATIENCE_S = 0.5  # rows that come slowly are released as they come
OPEN_PATIENCE_S = 1.0  # rows that are released as they are made cost half: the first wait so long for that
T = TypeVar("T")
RELEASED = (UnitStatus.LAUNCHED, UnitStatus.ASSIGNED)


class RowsChanged(Exception):
    """The data no longer begins with the rows that were already launched; says which row differs."""


class TaskLauncher:
    """Keeps one run supplied with launched units until its rows are used up.

    `published` is awaited with the units of each transaction, after it; until `is_open` nothing is released,
    but rows are made. Holds no truth: `rows_made` and the units' statuses are in storage, so a restart goes
    on where the last transaction ended.
    """

    def __init__(
        self,
        run: TaskRun,
        rows: RowSource,
        storage: Storage,
        user_code: UserCode,
        wall: Wall,
        published: Callable[[Sequence[Unit]], Awaitable[None]],
        pay_cents: int = 0,
        max_concurrent: int = 0,
        choice: Choice | None = None,
        is_open: Callable[[], bool] = lambda: True,
    ) -> None:
        self._run = run
        self._rows = rows
        self._storage = storage
        self._user_code = user_code
        self._wall = wall
        self._published = published
        self._pay_cents = pay_cents
        self._cap = max_concurrent
        self._choice = choice or Choice()
        self._is_open = is_open
        self._rows_made = run.rows_made
        self._rows_done = run.rows_done
        self._wake = trio.Event()
        self._added = trio.Event()
        self._is_replayed = False
        self._until_open = 0.0
        self._stopped = False
        self._writing = trio.Lock()
        self.failure: str | None = None
        """Why no more rows can be had from its sources; None: they can, or there are none left."""

    @property
    def rows_done(self) -> bool:
        """True once every row became an assignment, or no more are wanted."""
        return self._rows_done

    @property
    def is_at_first(self) -> bool:
        """Whether rows still come, or may, from where they came at the launch."""
        return not self._rows_done and self._rows.is_at_first

    def refill(self) -> None:
        """A unit ended or was given back, or units may be released from now on: look again."""
        self._wake.set()

    def stop(self) -> None:
        """Make and release nothing more; units that are out stay out."""
        self._stopped = True
        self._wake.set()

    async def launch(self) -> None:
        """Supply the run until cancelled, stopped, or there is nothing left to release.

        RowsChanged: the data differs from what was launched before. UserCodeFailed: a generator raised.
        Cancelled: the last transaction is whole; nothing else is left behind.
        """
        try:
            await self._launch()
        except (RowsChanged, UserCodeFailed) as exc:
            self.failure = str(exc)
            raise

    async def until_added(self) -> None:
        """Return when rows are added: `launch` has something to do again."""
        await self._added.wait()

    async def change(
        self, store: Callable[[], Awaitable[T]], pay_cents: int, max_concurrent: int, more: MakeRows | None
    ) -> T:
        """Go on with other pay, another cap and more rows once `store` has stored that they are so.

        Nothing is made or released meanwhile: what was made before is as it was then.
        """
        async with self._writing:
            stored = await store()
            self._pay_cents, self._cap = pay_cents, max_concurrent
            if more is not None:
                self._rows.add(more)
                self._rows_done = self._stopped = False
        if more is not None:
            self._added.set()
            self._added = trio.Event()
        self.refill()
        return stored

    async def _launch(self) -> None:
        if not self._is_replayed:
            await self._replay()
            self._is_replayed = True
        self._until_open = trio.current_time() + OPEN_PATIENCE_S
        while not self._stopped:
            self._wake = trio.Event()
            counts = await self._storage.counts(self._run.id)
            if await self._with_space(partial(self._release, counts)) or await self._make(counts):
                continue
            if self._rows_done and not counts.units.get(UnitStatus.CREATED, 0):
                return
            await self._wake.wait()

    async def finish_rows(self) -> None:
        """No more rows are wanted: note that in storage. What is being released is published by then."""
        self.stop()
        async with self._writing:
            await self._storage.add_assignments(self._run.id, [], True, self._wall())
            self._rows_done = True

    def _room(self, counts: RunCounts, *taken: UnitStatus) -> int:
        """How many more units may be where these are; UNITS_PER_TRANSACTION where there is no cap."""
        if not self._cap:
            return UNITS_PER_TRANSACTION
        return max(0, self._cap - sum(counts.units.get(status, 0) for status in taken))

    async def _release(self, counts: RunCounts) -> bool:
        """Launch what is created and fits under the cap; True when something was launched."""
        room = min(self._room(counts, *RELEASED), UNITS_PER_TRANSACTION)
        if not self._is_open() or not room or not counts.units.get(UnitStatus.CREATED, 0):
            return False
        async with self._writing:
            if self._stopped:
                return False
            units = await self._storage.launch_units(self._run.id, room, self._wall())
            if units:
                await self._published(units)
        return bool(units)

    async def _make(self, counts: RunCounts) -> bool:
        """Turn the next rows into assignments, no further ahead than the cap asks; True when some were."""
        wanted = min(self._room(counts, UnitStatus.CREATED, *RELEASED), ROWS_PER_TRANSACTION)
        if self._rows_done or not wanted:
            return False
        none_waits = not counts.units.get(UnitStatus.CREATED, 0)
        new, done = await self._next(wanted)
        await self._nearly_open()
        return await self._with_space(partial(self._add, self._rows_made, new, done, none_waits))

    async def _nearly_open(self) -> None:
        """Return when units may be released, or that takes its time."""
        with trio.move_on_at(self._until_open):
            while not (self._is_open() or self._stopped):
                self._wake = trio.Event()
                await self._wake.wait()

    async def _add(self, first: int, new: Sequence[NewAssignment], done: bool, none_waits: bool) -> bool:
        """Make assignments of these rows, once, and release their units where that may be and none wait."""
        async with self._writing:
            if self._stopped:
                return False
            if self._rows_made != first:
                return True  # it was the provider who found the disk full
            new = [self._paid_now(each) for each in new]
            done = done and not self._rows.has_more
            released = list[Unit]()
            if none_waits and self._may_release(new):
                released = await self._storage.launch_assignments(self._run.id, new, done, self._wall())
            else:
                await self._storage.add_assignments(self._run.id, new, done, self._wall())
            self._note_made(len(new), done)
            if released:
                await self._published(released)
        return True

    def _paid_now(self, new: NewAssignment) -> NewAssignment:
        if new.pay_cents == self._pay_cents:
            return new
        return attrs.evolve(new, pay_cents=self._pay_cents)  # staff changed it since the row was taken

    def _may_release(self, new: Sequence[NewAssignment]) -> bool:
        """Whether all units of new rows may be released with them; under a cap those are counted first."""
        units = sum(len(each.unit_data) for each in new)
        return bool(self._is_open() and not self._cap and 0 < units <= UNITS_PER_TRANSACTION)

    def _note_made(self, rows: int, done: bool) -> None:
        self._rows_made += rows
        self._rows_done = done
        ids = {"run": self._run.id}
        log.info("%d rows made%s", self._rows_made, ", all" if done else "", extra=ids)

    async def _with_space(self, write: Callable[[], Awaitable[T]]) -> T:
        return await with_space(f"the launcher of run {self._run.id}", write)

    async def _next(self, count: int) -> tuple[Sequence[NewAssignment], bool]:
        """The next rows, as they are to be stored; and whether there are no more."""
        batch = Batch(count, UNITS_PER_TRANSACTION, BATCH_PATIENCE_S)
        facts = self._rows_made, self._choice, self._pay_cents
        return await self._user_code.run_sync(
            some_assignments, self._rows, batch, *facts, limit_s=ROW_LIMIT_S
        )

    async def _replay(self) -> None:
        """Step over the rows that are launched already, making sure they are the same."""
        last, seen = 0, 0
        while seen < self._rows_made:
            page = await self._storage.assignments(self._run.id, after=last, limit=ROWS_PER_TRANSACTION)
            stored = [assignment for assignment in page if assignment.row >= 0]
            batch = Batch(len(stored), sys.maxsize, ROW_LIMIT_S)
            rows, _ = await self._user_code.run_sync(some_rows, self._rows, batch, limit_s=ROW_LIMIT_S)
            for assignment, row in itertools.zip_longest(stored, rows):
                if row is None or assignment.digest != row_digest(row):
                    raise RowsChanged(_difference(assignment.row, row))
            seen += len(stored)
            last = page[-1].id


def _difference(number: int, row: Row | None) -> str:
    what = "is missing" if row is None else "is another than the one that was launched"
    return (
        f"row {number} of the data {what}. Nothing was changed; units that are out go on. "
        "Put the data back as it was and restart the daemon, or stop the run and launch anew."
    )


def nothing_left(counts: RunCounts) -> bool:
    """Whether no unit of the run can be worked on any more, screening and gold units among them."""
    open_units = (UnitStatus.CREATED, *RELEASED)
    kinds = (counts.units, counts.screening, counts.gold)
    return not any(kind.get(status, 0) for kind in kinds for status in open_units)
