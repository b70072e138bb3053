"""Space on the disk: a reserve to say goodbye with, and the watch of a full disk until it has room again."""

import logging
import os
import shutil
from pathlib import Path

import trio

from ..storage.contract import Storage
from ..storage.errors import StorageFull
from ..supervision.tasks import NoThread
from .degraded import Degraded, Lack
from .full_disk import RETRY_S
from .threads import in_thread

log = logging.getLogger(__name__)

RESERVE_BYTES = 16 * 1024 * 1024  # goodbyes to thousands of agents; and what counts as room again
RESERVE_NAME = "reserve"


class DiskSpace:
    """One per daemon. It knows from `degraded` that the disk is full: refused writes are noted there."""

    def __init__(self, data: Path, storage: Storage, degraded: Degraded) -> None:
        self._reserve = data / RESERVE_NAME
        self._storage = storage
        self._degraded = degraded

    async def serve(self, leaving: trio.Event) -> None:
        """Keep a reserve and watch a full disk; once the daemon is `leaving`, give the reserve to it."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.watch)
            await leaving.wait()
            nursery.cancel_scope.cancel(reason="the daemon leaves")
        await self.give_up()

    async def watch(self) -> None:
        """Keep a reserve; try again and again while the disk is full, until it has room; until cancelled."""
        await self._fill()
        while True:
            await self._until(Lack.DISK_FULL, Lack.DISK_RESERVE)
            await trio.sleep(RETRY_S)
            await self._look()

    async def give_up(self) -> None:
        """Remove the reserve once the disk is full, or nearly: its room is for the last writes."""
        if shutil.disk_usage(self._reserve.parent).free >= RESERVE_BYTES:
            await self._until(Lack.DISK_FULL)
        try:
            await in_thread(_remove, self._reserve)
        except NoThread:  # room for the last words is worth a moment of the loop
            _remove(self._reserve)
        log.warning("the reserve of %d MB is given up for the last writes", RESERVE_BYTES >> 20)

    async def _until(self, *lacks: Lack) -> None:
        while not any(self._degraded.has(lack) for lack in lacks):
            await self._degraded.until_changed()

    async def _look(self) -> None:
        """Only what has room for a reserve, and takes a write, is not full any more."""
        if not await self._fill():
            return
        try:
            await self._storage.renew_lease()
        except StorageFull:
            return
        self._degraded.end(Lack.DISK_FULL)

    async def _fill(self) -> bool:
        """Have the reserve there, whole; False when it could not be made."""
        try:
            await in_thread(_allocate, self._reserve)
        except OSError as exc:
            remedy = "" if isinstance(exc, NoThread) else ": make room"
            words = f"no reserve of {RESERVE_BYTES >> 20} MB yet ({exc.strerror}){remedy}"
            self._degraded.begin(Lack.DISK_RESERVE, words)
            return False
        self._degraded.end(Lack.DISK_RESERVE)
        return True


def _allocate(path: Path) -> None:
    """OSError: nothing is left there."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(file, 0, RESERVE_BYTES)
    except OSError:
        _remove(path)
        raise
    finally:
        os.close(file)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
