"""The runs that are held now, and who waits for one to be taken up or let go. Knows not how one is held."""

from collections.abc import Generator
from contextlib import contextmanager

import trio

from ...protocol.names import RunId
from ..live_run import LiveRun


class HeldRuns:
    """One per daemon. Storage is the truth; this only holds what is alive."""

    def __init__(self) -> None:
        self._taken_up: set[RunId] = set()
        """Runs that a task of ours holds, or is about to: never two of the same."""
        self._live: dict[RunId, LiveRun] = {}
        self._changed = trio.Event()

    @property
    def changed(self) -> trio.Event:
        """Set when the next run comes to life or is let go."""
        return self._changed

    def all(self) -> list[LiveRun]:
        """Those that are alive."""
        return list(self._live.values())

    def live(self, run_id: RunId) -> LiveRun | None:
        """The run, while it is alive."""
        return self._live.get(run_id)

    async def settled(self, run_id: RunId) -> LiveRun | None:
        """The run, if it is held; waits for one that is just taken up, so that no two decide about it."""
        while run_id in self._taken_up and run_id not in self._live:
            await self._changed.wait()
        return self._live.get(run_id)

    async def until_let_go(self, run_id: RunId) -> None:
        """Return when nobody holds the run."""
        while run_id in self._taken_up:
            await self._changed.wait()

    def take_up(self, run_id: RunId) -> bool:
        """From now on the caller holds the run, until it lets go; False: somebody does already."""
        is_free = run_id not in self._taken_up
        self._taken_up.add(run_id)
        return is_free

    def let_go(self, run_id: RunId) -> None:
        """The run is held no longer."""
        self._taken_up.discard(run_id)
        self._tell()

    @contextmanager
    def alive(self, live: LiveRun) -> Generator[None]:
        """A run that was taken up is this one meanwhile."""
        run_id = live.run.id
        self._live[run_id] = live
        self._tell()
        try:
            yield
        finally:
            del self._live[run_id]

    def _tell(self) -> None:
        self._changed.set()
        self._changed = trio.Event()
