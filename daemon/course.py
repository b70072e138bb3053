"""How far a run is: its record, who may move it on, and who is told that something changed."""

from collections.abc import AsyncGenerator, Callable

import attrs
import trio

from ..protocol.names import RunState
from ..storage.contract import Storage
from ..storage.records import TaskRun
from ..storage.writes import MoveRun
from .clock import Wall

TICK_S = 0.1  # watchers hear of changes at most this often


class Course:
    """One per LiveRun. `moved` hears of each new state, once it is stored."""

    def __init__(
        self, run: TaskRun, storage: Storage, wall: Wall, moved: Callable[[RunState], object]
    ) -> None:
        self.run = run
        """As stored when this daemon last moved it."""
        self.ended = trio.Event()
        """Set when nothing is left to do in it."""
        self.deciding = trio.Lock()
        """Held while it is decided whether the run has ended, and while rows are added: never both."""
        self._storage = storage
        self._wall = wall
        self._moved = moved
        self._changed = trio.Event()

    @property
    def state(self) -> RunState:
        """How far it is."""
        return self.run.state

    async def move(self, before: RunState, after: RunState, who: str, why: str) -> None:
        """Move the run on, unless it is not `before` (any more): staff stop runs that end at this moment."""
        async with self.deciding:
            await self.move_decided(before, after, who, why)

    async def move_decided(self, before: RunState, after: RunState, who: str, why: str) -> None:
        """The same for who holds `deciding`."""
        if self.run.state is not before:
            return
        write = MoveRun(self.run.id, before, after, who, why)
        await self._storage.commit([write], self._wall())
        self.run = attrs.evolve(self.run, state=after)
        self._moved(after)
        self.tick()

    def end(self) -> None:
        """Nothing is left: whoever watches is told, for the last time."""
        self.tick()
        self.ended.set()

    def tick(self) -> None:
        """Something of the run changed."""
        self._changed.set()
        self._changed = trio.Event()

    async def watch(self) -> AsyncGenerator[None]:
        """Yield at once, then after changes, at most every TICK_S, until the run has ended."""
        while True:
            changed = self._changed
            yield
            if self.ended.is_set():
                return
            await changed.wait()
            await trio.sleep(TICK_S)
