"""Deletes ended runs for good: their files, then their records, bit by bit.

The order is what makes a crash in the middle harmless. First the run is marked, in one transaction: from then
on it is never exported, and every start of the daemon goes on with it. Then its links are closed, its files
go, its assignments with all that hangs on them, some at a time, and last the run itself with its mark. Each
step may be done again, and leaves a store that `crowdd storage check` finds whole; as the mark goes last, no
file and no row is ever left without a run that names it.

What stays: workers with their grants and blocks, the task, who deleted the run (history), and that its links
are revoked. What its workers did in it counts no more against `maximum_units_per_worker` of the task.
"""

import logging
import os
import shutil
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from pathlib import Path

import attrs

from ..files.durable import sync_folder
from ..storage.records import TaskRun
from .house import House
from .parts import RunBroken, provider_of
from .providers.contract import ProviderFailed
from .registry import Registry

log = logging.getLogger(__name__)

UNITS_PER_TRANSACTION = 500  # so that the answers of other runs never wait long for it


class DeletionFailed(Exception):
    """The run is going, but could not be removed entirely; says why. The next start tries again."""


@attrs.frozen
class Stock:
    """What goes with a run."""

    units: int
    submissions: int
    files: int
    bytes: int


class Deletion:
    """One per daemon. Holds nothing: what is to go is marked in storage."""

    def __init__(self, house: House, registry: Registry) -> None:
        self._house = house
        self._registry = registry

    async def stock(self, run: TaskRun) -> Stock:
        """What the run has at present."""
        counts = await self._house.storage.counts(run.id)
        submissions = await self._house.storage.submissions_count(run.id)
        files, size = await self._house.user_code.off_loop(_weigh, self._folders(run))
        return Stock(sum(counts.units.values()), submissions, files, size)

    async def steps(self, run: TaskRun, who: str) -> AsyncGenerator[None]:
        """Remove a marked run, which nobody holds; yields after each step.

        OSError: a file cannot be removed. NotFound: the run is gone.
        """
        await self._close_links(run, who)
        yield
        for folder in self._folders(run):
            await self._house.user_code.off_loop(_remove, folder)
            yield
        while await self._house.storage.delete_assignments(run.id, UNITS_PER_TRANSACTION):
            yield
        await self._house.storage.finish_deletion(run.id, self._house.wall(), who)
        yield

    def _folders(self, run: TaskRun) -> Sequence[Path]:
        """The task's last: who closes the links needs it."""
        return self._house.run_folder(run.id), self._house.task_folder(run.launch_id)

    async def _close_links(self, run: TaskRun, who: str) -> None:
        try:
            provider = await self._house.user_code.off_loop(provider_of, run, self._house, self._registry)
            await provider.forget_run(who)
        except (RunBroken, ProviderFailed) as exc:  # also after a crash: the task's folder has gone by then
            log.warning("its provider could not be told: %s", exc, extra={"run": run.id})


def _remove(folder: Path) -> None:
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)
    sync_folder(folder.parent)


def _weigh(folders: Sequence[Path]) -> tuple[int, int]:
    """How many files, and bytes."""
    files = [Path(top, name) for folder in folders for top, _, names in os.walk(folder) for name in names]
    return len(files), sum(map(_size, files))


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:  # it went meanwhile
        return 0
