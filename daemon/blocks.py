"""Blocks workers and lets them in again: in storage, which every registration asks, then at the provider.

Who is blocked while at work keeps the unit they hold and may submit it; they get nothing new, in any run.
"""

import logging
from collections.abc import Sequence
from functools import partial

import attrs

from ..protocol.names import RunId, WorkerId
from ..storage.contract import Storage
from ..storage.errors import NotFound
from ..storage.paging import every
from ..storage.records import TaskRun, Unit, Worker
from ..storage.writes import SetBlocked, Write
from .clock import Wall
from .errands import Errand, Errands, block_errand

log = logging.getLogger(__name__)

FIRST_TRY_S = 5.0  # how long staff wait to hear whether the provider was told


@attrs.frozen
class BlockSet:
    """What became of one worker's block."""

    worker: Worker
    changed: bool
    holds: Sequence[Unit] = ()
    """What they are working on and keep."""
    owed: str | None = None
    """What the provider said instead of taking it; it is told again until it does."""


class Blocks:
    """One per daemon."""

    def __init__(self, storage: Storage, wall: Wall, errands: Errands) -> None:
        self._storage = storage
        self._wall = wall
        self._errands = errands

    async def set(self, workers: Sequence[WorkerId], blocked: bool, reason: str, who: str) -> list[BlockSet]:
        """Block or unblock these, all or none, with one reason. NotFound.

        Cancelled: stored as a whole and told to the provider, or nothing happened.
        """
        now = self._wall()
        before = await self._known(workers)
        runs = [run for run in await self._storage.runs() if not run.deleting]
        errands = [
            block_errand(worker.id, blocked, run_id, reason, now)
            for worker in before
            if worker.blocked is not blocked
            if (run_id := await self._run_of(worker, runs)) is not None
        ]
        writes: list[Write] = [SetBlocked(worker.id, blocked, who, reason) for worker in before]
        await self._storage.commit([*writes, *(errand.save() for errand in errands)], now)
        self._errands.begin(errands)
        for worker in before:
            log.info("the worker is %s", "blocked" if blocked else "unblocked", extra={"worker": worker.id})
        await self._errands.first_try(errands, FIRST_TRY_S)
        return await self._outcomes(before, blocked, errands)

    async def _known(self, numbers: Sequence[WorkerId]) -> list[Worker]:
        found = {worker.id: worker for worker in await self._storage.workers_among(numbers, ())}
        for number in numbers:
            if number not in found:
                raise NotFound(f"worker {number}")
        return [found[number] for number in numbers]

    async def _outcomes(
        self, before: Sequence[Worker], blocked: bool, errands: Sequence[Errand]
    ) -> list[BlockSet]:
        mine = {errand.key for errand in errands}
        owed = {
            each.subject_id: each.error or "no answer yet"
            for each in self._errands.owed()
            if each.key in mine
        }
        after = await self._known([worker.id for worker in before])
        return [
            BlockSet(
                worker,
                was.blocked is not blocked,
                await self._storage.held_units(worker.id),
                owed.get(worker.id),
            )
            for was, worker in zip(before, after, strict=True)
        ]

    async def _run_of(self, worker: Worker, runs: Sequence[TaskRun]) -> RunId | None:
        """Through whose provider it is told: that of the run they came to last, else the newest there is."""
        there, last = {run.id for run in runs}, None
        async for agent in every(partial(self._storage.agents_of_worker, worker.id)):
            last = agent.run_id if agent.run_id in there else last
        return last or next((run.id for run in reversed(runs) if run.provider == worker.provider), None)
