"""What staff ask of one run while it goes on. A held run does it itself; for others it is done in storage."""

from collections.abc import Sequence

from ...protocol.names import RunId
from ..house import House
from ..terms import Extended, ExtensionRefused, Wish
from ..unheld import UnheldRuns
from .held_runs import HeldRuns


class Steering:
    """One per daemon. Holds nothing."""

    def __init__(self, house: House, held: HeldRuns) -> None:
        self._house = house
        self._held = held
        self._unheld = UnheldRuns(house)

    async def stop(self, run_id: RunId, now: bool, who: str) -> None:
        """Let nobody else in; `now` also dismisses who is at work. NotFound."""
        live = await self._held.settled(run_id)
        if live is not None:
            await live.steering.stop(now, who)
            return
        self._held.take_up(run_id)  # nobody is to take it up meanwhile
        try:
            await self._unheld.stop(run_id, now, who)
        finally:
            self._held.let_go(run_id)

    async def pause(self, run_id: RunId, paused: bool, who: str, why: str) -> None:
        """Let nobody new in, or let them in again. NotFound, StaleWrite."""
        live = await self._held.settled(run_id)
        if live is not None:
            await live.steering.pause(paused, who, why)
        else:
            await self._house.storage.set_paused(run_id, paused, self._house.wall(), who, why)

    async def extend(self, run_id: RunId, wish: Wish, who: str) -> Extended:
        """Other limits and pay, and more rows, of a held run. ExtensionRefused, StaleWrite, NotFound."""
        live = await self._held.settled(run_id)
        if live is None:
            run = await self._house.storage.run(run_id)
            why = run.trouble or "it is not being carried out at present"
            raise ExtensionRefused([f"run {run.label!r} cannot be extended now: {why}"])
        return await live.steering.extend(wish, who)

    async def expire(self, run_id: RunId, who: str) -> int:
        """Expire every unit that nobody holds; returns how many. NotFound."""
        live = await self._held.settled(run_id)
        if live is not None:
            return await live.steering.expire(who)
        await self._house.storage.run(run_id)
        return await self._unheld.expire(run_id, who, "expired by staff")

    async def links(self, run_id: RunId, workers: Sequence[str]) -> list[tuple[str, str]]:
        """Personal addresses for workers: (name, url). LookupError: the run is not held at present."""
        live = self._held.live(run_id)
        if live is None:
            raise LookupError(f"run {run_id} is not running")
        return await live.steering.personal_links(workers)
