"""What a page of live work says and hears."""

import random
from typing import Any

import trio

from ...tab import Tab
from ..tasks import ECHO
from .act import Broken
from .page import PageAct

WITHIN_S = 60.0  # a router may hold a submission for so long


class Speak(PageAct):
    """A live page says something and hears the task's code say it back."""

    name = "live update"
    task = ECHO

    async def prepare(self) -> None:
        await super().prepare()
        given = await self.come()
        rng = random.Random(self.number)  # noqa: S311  # repeatable on purpose
        history = self.scene.history
        self._tab = Tab(self.client, self.agent, self.doors, history, rng, lambda _told: None)
        self._tab.load(given.told)
        self._said = 0

    async def act(self) -> None:
        heard: Any = None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._tab.serve)
            await self._tab.player.send({"word": self._said})
            with trio.move_on_after(WITHIN_S):
                heard = await self._tab.player.receive()
                await self._tab.emptied()
            nursery.cancel_scope.cancel()
        if heard != {"echo": self._said}:
            raise Broken(f"live code answered {heard} to word {self._said}")
        self._said += 1
