"""The runs that are to be deleted: each is let go first, then deleted, one after the other."""

import logging
import math
from collections.abc import Iterable, Sequence
from contextlib import aclosing, suppress

import trio

from ...protocol.names import RunId
from ...storage.errors import LeaseLost, NotFound, StorageFailed, StorageFull
from ...storage.records import TaskRun
from ..causes import causes, words_of
from ..deletion import Deletion, DeletionFailed, Order, Stock
from ..house import House
from ..registry import Registry
from .held_runs import HeldRuns
from .holder import TROUBLE_CHARACTERS_MAX, Holder

log = logging.getLogger(__name__)


class Deletions:
    """One per daemon. What is to go is marked in storage; this holds who waits for it to be gone."""

    def __init__(self, house: House, registry: Registry, held: HeldRuns, holder: Holder) -> None:
        self._house = house
        self._held = held
        self._holder = holder
        self._deletion = Deletion(house, registry)
        self._one_at_a_time = trio.Lock()
        self._to_delete, self._orders = trio.open_memory_channel[Order](math.inf)  # as many as staff ask for

    async def stock(self, run_id: RunId) -> Stock:
        """What would go with the run. NotFound."""
        return await self._deletion.stock(await self._house.storage.run(run_id))

    async def delete(self, run_id: RunId, who: str) -> tuple[Stock, Sequence[str]]:
        """Delete an ended run with its files; says what it had, and what of it is out of our reach.

        StaleWrite: it has not ended. NotFound.

        DeletionFailed: it is going, but something stays; the next start, or asking again, tries again.
        Cancelled: what was begun is gone on with.
        """
        order, stock = await self._begun(run_id, who)
        await order.done.wait()
        with suppress(NotFound):
            run = await self._house.storage.run(run_id)
            raise DeletionFailed(run.trouble or "its deletion was broken off")
        return stock, order.left

    async def _begun(self, run_id: RunId, who: str) -> tuple[Order, Stock]:
        """Mark the run and have it deleted; what it had. Shielded: what is marked goes."""
        with trio.CancelScope(shield=True):
            order = Order(await self._house.storage.begin_deletion(run_id, self._house.wall(), who), who)
            try:
                return order, await self._deletion.stock(order.run)
            finally:
                self._to_delete.send_nowait(order)
        raise AssertionError("a scope that nobody has is not cancelled")

    async def serve(self, begun: Iterable[TaskRun]) -> None:
        """Go on with the deletions that were begun, then do those that are asked for, until cancelled."""
        async with trio.open_nursery() as nursery:
            for run in begun:
                nursery.start_soon(self._delete, Order(run, "daemon"))
            async for order in self._orders:
                nursery.start_soon(self._delete, order)

    async def _delete(self, order: Order) -> None:
        """Remove one run; its failure is its own, noted with the run. One after the other: it is no hurry."""
        run = order.run
        try:
            async with self._one_at_a_time:
                await self._let_go(run)
                async with aclosing(self._deletion.steps(order)) as steps:
                    async for _ in steps:
                        pass
                log.info("the run is deleted", extra={"run": run.id})
        except NotFound:
            log.info("the run was deleted before", extra={"run": run.id})
        except Exception as exc:  # a disk that is full or fails, a plug-in, or a mistake of ours
            if any(isinstance(cause, LeaseLost | StorageFailed) for cause in causes(exc)):
                raise
            await self._note_failure(run, exc)
        finally:
            order.done.set()

    async def _note_failure(self, run: TaskRun, error: Exception) -> None:
        unexpected = None if isinstance(error, OSError | StorageFull) else error
        log.error("the run is not deleted yet: %s", error, exc_info=unexpected, extra={"run": run.id})
        with suppress(StorageFull, NotFound):
            said = words_of(causes(error)[0])[:TROUBLE_CHARACTERS_MAX]
            await self._house.storage.set_trouble(run.id, f"it is being deleted, but: {said}")

    async def _let_go(self, run: TaskRun) -> None:
        """Return when nobody holds the run and its routers are down, as far as they can be reached."""
        live = await self._held.settled(run.id)
        if live is not None:
            live.retired.set()
        await self._held.until_let_go(run.id)
        if self._holder.is_deployed(run):  # a crash came between
            self._held.take_up(run.id)
            await self._holder.hold(run)
