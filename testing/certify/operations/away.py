"""An answer handed in while the daemon says nothing."""

import os
import signal

import trio

from .act import AGAIN_S, Broken
from .page import Submit

DELIVERED_S = 30.0  # until then the daemon has what the router kept


class SubmitAway(Submit):
    """An answer is handed in while the daemon says nothing: the router keeps it, and delivers it later."""

    name = "submit, daemon away"
    parts = ("router",)

    async def prepare(self) -> None:
        await super().prepare()
        os.kill(self.scene.daemon.pid, signal.SIGSTOP)

    async def finish(self) -> None:
        os.kill(self.scene.daemon.pid, signal.SIGCONT)
        with trio.move_on_after(DELIVERED_S):
            while not await self._is_delivered():  # noqa: ASYNC110  # nobody tells
                await trio.sleep(AGAIN_S)
            return
        raise Broken(f"what the router called submitted is not with the daemon after {DELIVERED_S:.0f} s")

    async def _is_delivered(self) -> bool:
        query = {"worker": self.worker(self.number)}
        _, shown = await self.scene.control("GET", f"/runs/{self.task.name}/agents", query=query)
        return [agent["status"] for agent in shown["agents"]] == ["completed"]
