"""How long a run waits for somebody to come or submit before it is to end itself. Stops nothing."""

import math
from collections.abc import Callable

import trio


class Patience:
    """One per LiveRun. `active_at` says when somebody last came or submitted. A pause holds it up.

    It begins anew at every start, after a pause, and when its limit is changed.
    """

    def __init__(self, active_at: Callable[[], float], limit_s: float, paused: bool) -> None:
        self._active_at = active_at
        self._limit_s = limit_s
        self._paused = paused
        self._begun_at = trio.current_time()
        self._changed = trio.Event()

    def hold(self, paused: bool) -> None:
        """The run is paused, or goes on."""
        self._paused = paused
        self._begin_anew()

    def use(self, limit_s: float) -> None:
        """Another limit counts from now on; 0: none."""
        if limit_s != self._limit_s:
            self._limit_s = limit_s
            self._begin_anew()

    async def lost(self) -> float:
        """Return once nobody has come for too long; says for how long that was."""
        while trio.current_time() < self._ends_at():
            changed = self._changed
            with trio.move_on_at(self._ends_at()):
                await changed.wait()
        return self._limit_s

    def _ends_at(self) -> float:
        if self._paused or not self._limit_s:
            return math.inf
        return max(self._active_at(), self._begun_at) + self._limit_s

    def _begin_anew(self) -> None:
        self._begun_at = trio.current_time()
        self._changed.set()
        self._changed = trio.Event()
