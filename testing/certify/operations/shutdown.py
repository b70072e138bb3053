"""The daemon's stop, as a worker meets it."""

import os
import signal

import trio

from .act import AGAIN_S
from .page import PageAct


class Shutdown(PageAct):
    """The daemon is told to stop while somebody is at work, who comes back."""

    name = "shutdown"
    parts = ("daemon",)

    async def prepare(self) -> None:
        await super().prepare()
        await self.come()
        self._pid = self.scene.daemon.pid
        self._told = False

    async def act(self) -> None:
        if not self._told:
            self._told = True
            os.kill(self._pid, signal.SIGTERM)
            while self.scene.daemon.pid == self._pid:  # noqa: ASYNC110  # it tells nobody
                await trio.sleep(AGAIN_S)
        await self.come()
