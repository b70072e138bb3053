"""What staff may change about a run while it is held: whether it lets people in, its limits, pay and rows."""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

import attrs
import trio

from ..storage.contract import ChangeRun, NewRows
from ..storage.records import Agent, TaskRun
from .added_rows import checked_rows, kept_rows, rows_from, rows_left
from .group_faults import group_faults
from .house import House
from .launcher import ROW_LIMIT_S, TaskLauncher
from .parts import Parts
from .patience import Patience
from .presence import give_time
from .task_changes import Change, changed_config, changes_between
from .task_config import ConfigRefused, RunConfig
from .task_structuring import config_to_json
from .user_code import UserCodeFailed

log = logging.getLogger(__name__)


class ExtensionRefused(Exception):
    """Nothing was changed; `problems` says everything that is wrong, one "path: what" each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = [*problems]


@attrs.frozen
class Wish:
    """What staff want a run to be."""

    settings: Mapping[str, str] = attrs.Factory(dict[str, str])
    """`limits.grace_s`-like keys, and what they are to be, as words."""
    rows: Path | None = None
    """A file with rows to add; it is copied."""
    request_id: str = ""
    """Made by whoever asks: the same again adds no rows twice."""
    present: bool = False
    """Whether those who are at work get the run's time for a unit, where that is more than they have."""


@attrs.frozen
class Extended:
    """What became of a wish."""

    changes: Sequence[Change] = ()
    rows: int = 0
    """How many rows were added now."""
    already: bool = False
    """This request had added its rows before: nothing was changed."""
    present: int = 0
    """How many agents who are at work have more time now."""
    rows_after_code: bool = False
    """The rows come after those of rows() in task.py, which has not ended so far, and may be endless."""


@attrs.frozen
class Affected:
    """Who else goes by the run's config."""

    launcher: TaskLauncher
    patience: Patience
    use: Callable[[RunConfig], None]
    """For all that only need to know it."""
    due_changed: Callable[[Agent], None]
    """An agent has other time than before."""


class RunTerms:
    """One per LiveRun. Storage first: what was not stored does not count.

    `staying` is held while a change is stored: meanwhile the run neither ends nor stops.
    """

    def __init__(
        self,
        run: TaskRun,
        parts: Parts,
        house: House,
        affected: Affected,
        staying: AbstractAsyncContextManager[object],
    ) -> None:
        self._run_id = run.id
        self._parts = parts
        self._house = house
        self._affected = affected
        self._staying = staying
        self._one_at_a_time = trio.Lock()
        self._document = run.config
        self.config = parts.config
        """As it is now; replaced as a whole."""
        self.paused = run.paused
        """Whether nobody new is let in at present, because staff said so."""

    async def pause(self, paused: bool, who: str, why: str) -> None:
        """Let nobody new in, or let them in again; who is at work goes on either way.

        StaleWrite: the run has ended.
        """
        run = await self._house.storage.set_paused(self._run_id, paused, self._house.wall(), who, why)
        self._affected.patience.hold(run.paused)
        self.paused = run.paused
        log.info("paused" if run.paused else "not paused any more", extra={"run": self._run_id})

    async def extend(self, wish: Wish, who: str) -> Extended:
        """Change what is wished. ExtensionRefused: all that is wrong; StaleWrite: the run has ended.

        A unit keeps the pay that it was released with: other pay is for those that are not released yet.
        Nobody at work loses time. Cancelled: changed as a whole, or not at all. Two who extend at once both
        have their wish: one after the other.
        """
        async with self._one_at_a_time:
            return await self._extended(wish, who)

    async def _extended(self, wish: Wish, who: str) -> Extended:
        if wish.rows is not None and await self._is_added(wish.request_id):
            return Extended(already=True)
        config, problems = self._changed(wish)
        count, row_problems = await self._checked_rows(wish.rows)
        if problems or row_problems:
            raise ExtensionRefused([*problems, *row_problems])
        rows = None if wish.rows is None else await self._kept_rows(wish.rows, wish.request_id, count)
        changes = [*changes_between(self.config, config)]
        if changes or rows:
            await self._change(config, changes, rows, who)
        told = Extended(changes, rows.rows if rows else 0, rows_after_code=self._is_after_code(rows))
        if wish.present:
            agents = await give_time(self._run_id, self._house, self.config.limits)
            for agent in agents:
                self._affected.due_changed(agent)
            told = attrs.evolve(told, present=len(agents))
        log.info("extended: %s", _in_words(told), extra={"run": self._run_id})
        return told

    def _changed(self, wish: Wish) -> tuple[RunConfig, Sequence[str]]:
        try:
            config = changed_config(self.config, wish.settings)
        except ConfigRefused as exc:
            return self.config, exc.problems
        live = self._parts.blueprint.live
        return config, [*group_faults(config, live.group if live is not None else None)]

    async def _is_added(self, request_id: str) -> bool:
        added = await self._house.storage.added_rows(self._run_id)
        return any(each.request_id == request_id for each in added)

    async def _checked_rows(self, path: Path | None) -> tuple[int, Sequence[str]]:
        """How many rows the file has, and what speaks against adding them."""
        if path is None:
            return 0, ()
        failure = self._affected.launcher.failure
        if failure is not None:
            return 0, [f"{path.name}: the rows before these cannot be read: {failure}"]
        count, problems = await self._house.user_code.off_loop(checked_rows, self._parts.blueprint, path)
        return count, problems or await self._rows_left(path)

    async def _kept_rows(self, path: Path, request_id: str, count: int) -> NewRows:
        folder = self._house.run_folder(self._run_id)
        name = await self._house.user_code.off_loop(kept_rows, path, folder, request_id)
        return NewRows(request_id, name, count)

    async def _rows_left(self, path: Path) -> Sequence[str]:
        """Rows come after all others: where staff gave up the rest of these, none can be added."""
        run = await self._house.storage.run(self._run_id)
        if not run.rows_done:
            return []
        files = [each.name for each in await self._house.storage.added_rows(run.id)]
        look = partial(rows_left, self._parts.blueprint, self._house.run_folder(run.id), files, run.rows_made)
        try:
            left = await self._house.user_code.run_sync(look, limit_s=ROW_LIMIT_S)
        except UserCodeFailed as exc:
            return [f"{path.name}: the rows before these cannot be read: {exc}"]
        told = f"only {run.rows_made} rows of the run were launched, the rest was expired by staff"
        return [f"{path.name}: {told}; launch these as a run of their own"] if left else []

    async def _change(
        self, config: RunConfig, changes: Sequence[Change], rows: NewRows | None, who: str
    ) -> None:
        words = [change.in_words() for change in changes]
        words += [] if rows is None else [(None, f"{rows.rows} rows added")]
        pay = config.pay_cents if config.pay != self.config.pay else None
        document = config_to_json(config)
        change = ChangeRun(self._run_id, self._document, document, words, pay, rows)
        store = partial(self._house.storage.change_run, change, self._house.wall(), who, "extended by staff")
        folder = self._house.run_folder(self._run_id)
        more = None if rows is None else rows_from(self._parts.blueprint, folder, rows.name)
        async with self._staying:
            await self._affected.launcher.change(
                store, config.pay_cents, config.limits.max_num_concurrent_units, more
            )
            self.config, self._document = config, document
        self._affected.patience.use(config.limits.no_submission_patience_s)
        self._affected.use(config)

    def _is_after_code(self, rows: NewRows | None) -> bool:
        made = self._parts.blueprint.material.make_rows
        return rows is not None and made is not None and self._affected.launcher.is_at_first


def _in_words(told: Extended) -> str:
    words = [f"{change.key}={change.after}" for change in told.changes]
    words += [f"{told.rows} rows added"] if told.rows else []
    words += [f"{told.present} agents have more time"] if told.present else []
    return ", ".join(words) or "nothing is another"
