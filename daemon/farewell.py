"""How a daemon leaves its runs: with grace and a goodbye to every page, or so that nobody notices."""

import logging
from collections.abc import Callable, Sequence

import trio

from .live_run import LiveRun
from .pace import Pace

log = logging.getLogger(__name__)


class Farewell:
    """One per shutdown. `held` gives the runs that are held now; `changed` the event of the next change."""

    def __init__(
        self, pace: Pace, held: Callable[[], Sequence[LiveRun]], changed: Callable[[], trio.Event]
    ) -> None:
        self._pace = pace
        self._held = held
        self._changed = changed

    async def say(self, cut: trio.Event) -> Sequence[LiveRun]:
        """Say goodbye to everybody; returns the runs that go on after the next start.

        Bounded: by the longest grace (or `cut`, which ends it), and then by `goodbye_s`.
        """
        runs = [live for live in self._held() if not live.ended.is_set()]
        for live in self._held():
            live.leaving.close_doors()
        await self._grace(runs, cut)
        with trio.move_on_after(self._pace.goodbye_s) as scope:
            async with trio.open_nursery() as nursery:
                for live in runs:
                    nursery.start_soon(self._say_goodbye, live)
                nursery.start_soon(self._retire_ended)
        if scope.cancelled_caught:
            log.warning("not every page could be told in %g s", self._pace.goodbye_s)
        return [live for live in runs if not live.ended.is_set()]

    async def suspend(self) -> None:
        """Ask every router to keep its pages calm until the next start; nobody is told anything else.

        Bounded by `goodbye_s`: a router that takes nothing keeps its pages calm by itself for a while.
        """
        with trio.move_on_after(self._pace.goodbye_s) as scope:
            async with trio.open_nursery() as nursery:
                for live in self._held():
                    nursery.start_soon(live.leaving.suspend, self._pace.suspend_s)
        if scope.cancelled_caught:
            log.warning("not every router could be told in %g s", self._pace.goodbye_s)

    async def lose_store(self) -> None:
        """Tell everybody who waits to try later, and routers to keep pages calm: the store is lost."""
        async with trio.open_nursery() as nursery:
            for live in self._held():
                nursery.start_soon(live.leaving.lose_store, self._pace.suspend_s)

    async def end_routers(self, runs: Sequence[LiveRun]) -> None:
        """Take routers down; only once no task of their runs can start one again."""
        with trio.move_on_after(self._pace.goodbye_s):
            async with trio.open_nursery() as nursery:
                for live in runs:
                    nursery.start_soon(live.leaving.end_routers)

    async def _grace(self, runs: Sequence[LiveRun], cut: trio.Event) -> None:
        """Let work in progress go on, each run for its own grace, until all are quiet or `cut`."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_cancel_when, cut, nursery.cancel_scope)
            async with trio.open_nursery() as quiet:
                for live in runs:
                    quiet.start_soon(live.leaving.quiet)
            nursery.cancel_scope.cancel(reason="nobody is at work any more")

    async def _say_goodbye(self, live: LiveRun) -> None:
        count = await live.leaving.say_goodbye(self._pace.suspend_s)
        ids = {"run": live.run.id}
        log.info("%d active agents disconnected, their units are kept", count, extra=ids)

    async def _retire_ended(self) -> None:
        """Do not wait for late pages of ended runs any longer; return when their routers are down."""
        for live in self._held():
            if live.ended.is_set():
                live.retired.set()
        while any(live.retired.is_set() for live in self._held()):
            await self._changed().wait()


async def _cancel_when(cut: trio.Event, scope: trio.CancelScope) -> None:
    await cut.wait()
    scope.cancel(reason="told to stop at once")
