"""Keeps systemd patient for as long as there is reason to be: the loop turns and the store can be read."""

import logging
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager

import trio

from ..supervision.notify import Notifier

log = logging.getLogger(__name__)

LOOK_S = 10.0  # between two looks at the store when nobody is to be fed
EXTEND_S = 15.0  # a stop that says nothing for so long is stuck

Probe = Callable[[], Awaitable[object]]


class Watchdog:
    """One per daemon. It is fed from the loop that does the work, so a blocked loop misses its pings."""

    def __init__(self, notifier: Notifier) -> None:
        self._notifier = notifier
        self._probe: Probe | None = None

    @contextmanager
    def probing(self, probe: Probe) -> Generator[None]:
        """Within the block nothing is fed before `probe` has come back: a hanging store is a hang."""
        self._probe = probe
        try:
            yield
        finally:
            self._probe = None

    async def serve(self) -> None:
        """Feed it until cancelled, also while the store is opened and closed. Raises what the probe does.

        Without systemd the store is looked at all the same: it may have failed after the last write.
        """
        every_s = self._notifier.ping_every_s or LOOK_S
        while True:
            if self._probe is not None:
                await self._prove_alive(self._probe, every_s)
            if self._notifier.ping_every_s is not None:
                self._notifier.say(watchdog=1)
            await trio.sleep(every_s)

    async def _prove_alive(self, probe: Probe, patience_s: float) -> None:
        began = trio.current_time()
        await probe()
        took_s = trio.current_time() - began
        if took_s > patience_s:
            log.warning("the store took %.1f s for a small read: is its disk overloaded?", took_s)


async def extend_stop(notifier: Notifier, stop: trio.Event, at_most_s: Callable[[], float]) -> None:
    """Once `stop` is set, ask for more time to stop, again and again; return when `at_most_s` has passed."""
    await stop.wait()
    with trio.move_on_after(at_most_s()):
        while True:
            notifier.say(extend_timeout_usec=int(EXTEND_S * 1e6))
            await trio.sleep(EXTEND_S / 3)
