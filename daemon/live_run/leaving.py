"""How a held run is left when the daemon goes: with grace and a goodbye, or so that its pages stay calm."""

import logging
from contextlib import aclosing

import trio

from ...protocol.names import LIVE_AGENT
from ...storage.contract import RunCounts
from ...storage.errors import StorageFull
from ..goodbye import shut_down_all
from ..house import House
from .crew import Crew

log = logging.getLogger(__name__)


class Leaving:
    """One per LiveRun. Ends nobody's task: the run is cancelled once everybody was told."""

    def __init__(self, crew: Crew, house: House) -> None:
        self._crew = crew
        self._house = house
        self._run_id = crew.course.run.id

    @property
    def grace_s(self) -> float:
        """How long those at work may go on when the daemon stops."""
        return self._crew.terms.config.limits.grace_s

    def close_doors(self) -> None:
        """Let nobody new in: the daemon is stopping."""
        self._crew.desk.shut()

    async def quiet(self) -> None:
        """Return once nobody is at work, or the run's grace is over."""
        with trio.move_on_after(self.grace_s):
            async with aclosing(self._crew.course.watch()) as changes:
                async for _ in changes:
                    if not _at_work(await self._house.storage.counts(self._run_id)):
                        return

    async def say_goodbye(self, suspend_s: float) -> int:
        """Disconnect every active agent, its unit kept, and tell the pages; returns how many."""
        self.close_doors()
        count = 0
        try:
            limits, live = self._crew.terms.config.limits, self._crew.live_work.is_there
            count = await shut_down_all(self._run_id, self._house, self._crew.runner, limits, live)
            if self._crew.onboarding is not None:
                count += await self._crew.onboarding.lives.shut_down_all()
        except StorageFull as exc:
            log.error("agents stay as they are until the next start: %s", exc, extra={"run": self._run_id})
        await self._crew.routers.suspend(suspend_s, stopping=True)
        return count

    async def suspend(self, suspend_s: float) -> None:
        """Ask the routers to keep all pages as they are for so long: the next daemon goes on with them."""
        await self._crew.routers.suspend(suspend_s, stopping=False)

    async def lose_store(self, suspend_s: float) -> None:
        """Nothing definite can be said any more: whoever waits for an answer is told to try later."""
        self._crew.reception.io.tell_all_later()
        await self.suspend(suspend_s)

    async def end_routers(self) -> None:
        """Take the run's routers down; a later start of an unfinished run brings them back."""
        await self._crew.routers.end()


def _at_work(counts: RunCounts) -> bool:
    return any(
        by_status.get(status, 0) for by_status in (counts.agents, counts.onboarding) for status in LIVE_AGENT
    )
