"""Deletes ended runs for good: their files, then their records, bit by bit.

The order is what makes a crash in the middle harmless. First the run is marked, in one transaction: from then
on it is never exported, and every start of the daemon goes on with it. Then its links are closed, and routers
that outlast it drop what they kept or set aside of it (a router of its own is down by then, or is ended here
where the task is broken). Then its files go, its assignments with all that hangs on them, some at a time, and
last the run itself with its mark. Each step may be done again, and leaves a store that `crowdd storage check`
finds whole; as the mark goes last, no file and no row is ever left without a run that names it.

What stays: workers with their grants and blocks, the task, who deleted the run (history), and that its links
are revoked. What its workers did in it counts no more against `maximum_units_per_worker` of the task.
"""

import logging
import os
import shutil
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import attrs
import trio

from ..files.durable import sync_folder
from ..storage.records import TaskRun
from .architects.contract import Architect
from .causes import words_of
from .channel import Channel, LinkLost, LinkRefused
from .house import House
from .parts import Outside, RunBroken, outside_of
from .provider_calls import ProviderSilent, ask_provider
from .providers.contract import CrowdProvider
from .registry import BrokenPlugIn, Registry, UnknownPlugIn

log = logging.getLogger(__name__)

_LEFT = (
    "{} may still have answers of run {label!r} that it kept or set aside: "
    "while it is stopped, remove runs/{label} and set_aside/{label}-* from its folder."
)
_UNKNOWN = "Its routers are not known: {}. One that runs other runs, too,"
CLOSE_LINKS_S = 600.0  # a run may have very many; a plug-in that never comes back keeps no other run
LASTING_S = 60.0  # to say which routers there are, of which nothing is asked yet
UNITS_PER_TRANSACTION = 500  # so that the answers of other runs never wait long for it


class DeletionFailed(Exception):
    """The run is going, but could not be removed entirely; says why. The next start tries again."""


@attrs.define(eq=False)
class Order:
    """One deletion that was asked for."""

    run: TaskRun
    who: str
    left: list[str] = attrs.Factory(list[str])
    """What is out of our reach and may still be there: where, and what to do."""
    done: trio.Event = attrs.Factory(trio.Event)


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

    async def steps(self, order: Order) -> AsyncGenerator[None]:
        """Remove a marked run, which nobody holds; yields after each step.

        OSError: a file cannot be removed. NotFound: the run is gone.
        """
        run = order.run
        await self._tell_others(order)
        yield
        for folder in self._folders(run):
            await self._house.user_code.off_loop(_remove, folder)
            yield
        while await self._house.storage.delete_assignments(run.id, UNITS_PER_TRANSACTION):
            yield
        await self._house.storage.finish_deletion(run.id, self._house.wall(), order.who)
        yield

    def _folders(self, run: TaskRun) -> Sequence[Path]:
        """The task's last: who closes the links needs it."""
        return self._house.run_folder(run.id), self._house.task_folder(run.launch_id)

    async def _tell_others(self, order: Order) -> None:
        run = order.run
        try:
            outside = await self._outside(run)
        except RunBroken as exc:  # also after a crash: the task's folder has gone by then
            log.warning("its provider could not be told: %s", exc, extra={"run": run.id})
            await self._without_parts(order, exc)
            return
        await _close_links(order, outside.provider)
        for channel in await _lasting(order, outside.architect):
            await _clear(order, channel)

    async def _outside(self, run: TaskRun) -> Outside:
        """RunBroken. NoThread."""
        try:
            return await self._house.user_code.load(outside_of, run, self._house, self._registry)
        except (RunBroken, OSError):
            raise
        except Exception as exc:  # the boundary to plug-ins, which may be the author's own
            raise RunBroken(_said(exc)) from exc

    async def _without_parts(self, order: Order, why: RunBroken) -> None:
        """Routers that may outlast the run are out of our reach; one of its own may run still."""
        found = await self._house.user_code.off_loop(_installed, order.run.architect, self._registry)
        if found is None or found.lasting is not Architect.lasting:
            _is_left(order, _UNKNOWN.format(why))
        if found is not None:
            await found.end_left_behind(self._house.run_folder(order.run.id))


def _installed(name: str, registry: Registry) -> type[Architect] | None:
    """None: a task's own, of which nothing is known without the task."""
    try:
        return registry.architect(name)
    except (UnknownPlugIn, BrokenPlugIn):
        return None


async def _close_links(order: Order, provider: CrowdProvider) -> None:
    forget = partial(provider.forget_run, order.who)
    try:
        await ask_provider("closing its links", forget, CLOSE_LINKS_S)
    except ProviderSilent as exc:
        log.warning("its provider could not be told: %s", exc, extra={"run": order.run.id})


async def _lasting(order: Order, architect: Architect) -> Sequence[Channel]:
    try:
        with trio.fail_after(LASTING_S):
            return await architect.lasting()
    except OSError:
        raise
    except trio.TooSlowError:
        _is_left(order, _UNKNOWN.format(f"nothing is known of them after {LASTING_S:.0f} s"))
    except Exception as exc:  # the boundary to a plug-in
        _is_left(order, _UNKNOWN.format(_said(exc)))
    return ()


async def _clear(order: Order, channel: Channel) -> None:
    """Also of a run that was taken off long ago: what was set aside of it is there still."""
    try:
        await channel.undeploy(order.run.label, discard=True)
    except (LinkLost, LinkRefused) as exc:
        _is_left(order, f"Router {channel.name} could not be told: {exc}. It")


def _is_left(order: Order, which: str) -> None:
    words = _LEFT.format(which, label=order.run.label)
    log.warning("%s", words, extra={"run": order.run.id})
    order.left.append(words)


def _said(exc: Exception) -> str:
    """What a plug-in's error says: one that the contract names is for people, another is told by its name."""
    return str(exc) if isinstance(exc, LinkRefused) else f"{type(exc).__name__}: {words_of(exc)}"


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
