"""The runs that a router serves, each a desk, a folder and pages. Loaded at start, changed by deploys."""

import logging
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import anyio
import attrs

from ..protocol.names import Reason
from ..protocol.uploads import UploadRule
from .bundle import Page
from .desk import Desk
from .house import House, RuleDamaged, RunFolder
from .limits import OUTBOX_BYTES_MAX, RUNS_MAX
from .quota import Quota
from .run import RouterRun
from .spooling import Spooling
from .threads import in_thread

log = logging.getLogger(__name__)


class OutboxNotEmpty(Exception):
    """What pages were told is submitted is still here."""


@attrs.define(eq=False)
class Served:
    """One run as it is served."""

    label: str
    folder: RunFolder
    desk: Desk
    digest: str | None = None
    pages: dict[str, Page] = attrs.Factory(dict[str, Page])


class Runs:
    """All runs by their label; `epoch` is this start of the router."""

    def __init__(self, house: House, epoch: int, outbox_bytes_max: int = OUTBOX_BYTES_MAX) -> None:
        self.house = house
        self.epoch = epoch
        self.spooling = Spooling()
        self._quota = Quota(outbox_bytes_max)
        self._runs: dict[str, Served] = {}
        self._changing = anyio.Lock()

    def __contains__(self, label: object) -> bool:
        return label in self._runs

    def __iter__(self) -> Iterator[Served]:
        return iter(list(self._runs.values()))

    def get(self, label: str) -> Served | None:
        """The run of this label."""
        return self._runs.get(label)

    async def load(self) -> None:
        """Take up what an earlier life of this router served."""
        for label in await in_thread(self.house.labels):
            await self._open(label)
            log.info("the run is served again", extra={"label": label})

    async def get_or_make(self, label: str) -> Served | None:
        """The run of this (checked) label, made if there is room; None: too many runs."""
        async with self._changing:
            served = self._runs.get(label)
            if served is None and len(self._runs) < RUNS_MAX:
                await in_thread(self.house.run(label).make)
                served = await self._open(label)
            return served

    async def deploy(self, served: Served, incoming: Path, digest: str) -> None:
        """Switch a run to a received archive; BundleRefused leaves it as it was."""
        async with self._changing:
            served.pages = await in_thread(served.folder.switch_to, incoming)
            served.digest = digest
        ids = {"label": served.label}
        log.info("bundle %s deployed, %d pages", digest[:12], len(served.pages), extra=ids)

    async def remove(self, label: str, discard: bool = False) -> None:
        """Take a run off: pages, key, uploads; whoever still waits is told that it has ended.

        OutboxNotEmpty: the daemon does not have everything yet, and takes the run off once it has; unless
        that is to be discarded.
        """
        async with self._changing:
            served = self._runs.get(label)
            if served is not None and len(served.desk.run.outbox) and not discard:
                raise OutboxNotEmpty
            self._runs.pop(label, None)
            if served is not None:
                served.desk.carry_out(served.desk.run.end(Reason.RUN_ENDED))
                served.desk.drop_link("the run was taken off this router")
                log.info("the run was taken off", extra={"label": label})
            await in_thread(self.house.remove, label, discard)

    def end(self) -> None:
        """The router stops: everybody who waits is told to try again."""
        for served in self:
            served.desk.carry_out(served.desk.run.end(Reason.TRY_LATER))
            served.desk.drop_link("the router is stopping")

    async def _open(self, label: str) -> Served:
        folder = self.house.run(label)
        key, rule = await in_thread(_told_to, folder)
        bundle = await in_thread(folder.bundle)
        kept = await in_thread(folder.spool.load)
        run = RouterRun(label, key, self.epoch, time.monotonic(), time.time, self._quota, kept, rule)
        run.outbox.set_aside = await in_thread(folder.spool.count_set_aside)
        desk = Desk(run, folder.drop_uploads, partial(self.spooling.hand_in, folder.spool), time.monotonic)
        served = self._runs[label] = Served(label, folder, desk)
        if bundle is not None:
            served.digest, served.pages = bundle
        if kept:
            log.info("%d things that were handed in wait for the daemon", len(kept), extra={"label": label})
        return served


def _told_to(folder: RunFolder) -> tuple[bytes | None, UploadRule | None]:
    """What a daemon said last of ids and uploads. Without the key nobody is told "Submitted!" for it."""
    try:
        return folder.key(), folder.rule()
    except RuleDamaged as exc:
        log.error("%s: pages are told to try later until the daemon is there", exc)
        return None, None
