"""What staff ask of a held run: to stop, pause, be extended, and for addresses of workers."""

from collections.abc import Sequence

from ...protocol.names import RunState
from ..goodbye import dismiss_all
from ..house import House
from ..parts import Parts
from ..terms import Extended, Wish
from .crew import Crew


class RunSteering:
    """One per LiveRun. `who` is kept with what was done."""

    def __init__(self, crew: Crew, parts: Parts, house: House) -> None:
        self._crew = crew
        self._provider = parts.provider
        self._house = house

    async def stop(self, now: bool, who: str, why: str = "stopped by staff") -> None:
        """Let nobody else in; who is at work may finish, or (`now`) is dismissed. Ends as `stopped`."""
        crew, course = self._crew, self._crew.course
        crew.supply.launcher.stop()
        await course.move(RunState.LAUNCHING, RunState.RUNNING, who, why)
        await course.move(RunState.RUNNING, RunState.DRAINING, who, why)
        if course.state is RunState.DRAINING:
            await self.expire(who, why)
        if now:
            await dismiss_all(course.run.id, self._house, crew.runner)
            if crew.onboarding is not None:
                await crew.onboarding.lives.dismiss_all()
        crew.ending.look_again()

    async def pause(self, paused: bool, who: str, why: str) -> None:
        """Let nobody new in, or let them in again; who is at work goes on. StaleWrite: the run has ended."""
        await self._crew.terms.pause(paused, who, why)
        self._crew.course.tick()

    async def extend(self, wish: Wish, who: str) -> Extended:
        """Other limits and pay, and more rows. ExtensionRefused, StaleWrite: nothing was changed."""
        extended = await self._crew.terms.extend(wish, who)
        self._crew.refill()
        return extended

    async def expire(self, who: str, why: str = "expired by staff") -> int:
        """Expire every unit that nobody holds; no further rows are launched. Returns how many units."""
        return await self._crew.supply.expire(who, why)

    async def personal_links(self, workers: Sequence[str]) -> list[tuple[str, str]]:
        """An address for each named worker: (name, url)."""
        return await self._provider.links(workers, self._crew.routers.address or "")
