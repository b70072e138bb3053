"""What an operation is to those who aim faults at it."""

import abc

import attrs
import trio

from ..scene import Scene
from ..tasks import STATIC, ScenicTask

WORDS = attrs.evolve(STATIC, options=f"{STATIC.options}grace_s = 0\n")  # a shutdown waits for nobody
AGAIN_S = 0.02


class Broken(Exception):
    """An answer that must never be given; says which."""


class Act(abc.ABC):
    """One operation, many times; each time with ids of its own."""

    name: str
    task: ScenicTask = WORDS
    """Of the run in which it happens."""
    parts: tuple[str, ...] = ("daemon",)
    """Which of them do something in it."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.number = 0

    async def prepare(self) -> None:
        """Before each time; nothing is broken meanwhile."""
        self.number += 1

    @abc.abstractmethod
    async def act(self) -> None:
        """Until answered definitely. Broken."""

    async def finish(self) -> None:
        """After each time, whatever came of it. Broken."""
        await trio.lowlevel.checkpoint()
