"""The router processes of this machine: one is started for a run, or is the one that was kept ready."""

import logging
import os
import sys
from pathlib import Path

import trio

from .detached import Detached, held_lock, name_holder, opened_log, start_detached
from .spare import Spare, start_spare

log = logging.getLogger(__name__)

TURNS = 8  # a router that starts needs a core for half a second, and has 30 s for it
REST_S = 1.0  # from a start to making the next one ready: whoever launches is served first
DIED_S = 60.0  # until another is kept ready after one ended by itself
END_S = 5.0  # for one that did not become what it was told
FOR_SYSTEMD_ONLY = ("NOTIFY_SOCKET", "WATCHDOG_", "LISTEN_", "CREDENTIALS_DIRECTORY")


class RouterProcesses:
    """One per daemon. Keeps at most one process ready, and only where routers are started here at all."""

    def __init__(self, data: Path | None = None, keeps_spare: bool = False) -> None:
        self._data = data
        self._keeps_spare = keeps_spare
        self.turns = trio.CapacityLimiter(TURNS)
        """To be held while a router is brought up: of hundreds at once all would seem to hang."""
        self._spare: Spare | None = None
        self._used = trio.Event()
        self._keeping = trio.CancelScope()

    async def start(self, config: Path, lock: Path, log: Path) -> Detached:
        """A router with this config, its output added to `log`. BlockingIOError: one holds the lock. OSError.

        Cancelled: it may have been started; it is found by its lock.
        """
        self._used.set()
        process = await self._told(config, lock, log)
        if process is None:
            process = start_detached(_command("router", "--config", str(config)), lock, log, _environment())
        return process

    async def keep_spare(self) -> None:
        """Keep a process ready for the next start, from the first one on, if this is wanted.

        Cancelled: it ends.
        """
        while self._keeps_spare:
            await self._used.wait()
            await trio.sleep(REST_S)
            if not await self._kept():
                await trio.sleep(DIED_S)

    async def _told(self, config: Path, lock: Path, log: Path) -> Detached | None:
        """The process that was kept ready, as this router; None: there is none that could be it."""
        if self._spare is None:
            return None
        with held_lock(lock) as held, opened_log(log) as out:
            spare, self._spare = self._spare, None
            self._keeping.cancel(reason="it is used")
            if await spare.become(config, held, out):
                name_holder(held, spare.process.pid)
                return spare.process
        await spare.process.end(END_S)
        return None

    async def _kept(self) -> bool:
        """Keep one until it is used; False: it could not be started, or has ended before."""
        try:
            spare = start_spare(_command("spare-router", str(self._data or "")), _environment())
        except OSError as exc:
            log.warning("no router process can be kept ready: %s", exc)
            return False
        log.debug("router process %d is kept ready", spare.process.pid)
        self._spare = spare
        try:
            with trio.CancelScope() as self._keeping:
                await spare.process.ended()
        finally:
            is_used = self._spare is not spare
            if not is_used:
                self._spare = None
                spare.let_go()
        if not is_used:
            log.warning("the router process that was kept ready has ended")
        return is_used


def _command(*words: str) -> list[str]:
    return [sys.executable, "-P", "-m", "crowdd.cli", *words]


def _environment() -> dict[str, str]:
    """Ours without what systemd told us alone: the router is not our service."""
    return {name: value for name, value in os.environ.items() if not name.startswith(FOR_SYSTEMD_ONLY)}
