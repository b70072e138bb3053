"""Staff of the simulated world, who meddle: pause, block, grant, review and extend at the worst moments."""

import random
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import trio

from ...daemon.operator import Operator
from ...daemon.terms import ExtensionRefused, Wish
from ...daemon.verdict import Verdict
from ...protocol.names import AgentId, RunId, WorkerId
from ...storage.errors import NotFound, StaleWrite, StorageFull
from ...storage.records import Worker
from ...storage.writes import SetGrant, TakeGrant, Write
from .daemon import SimulatedDaemon
from .qualified import MAY_GRANT

PAUSE_S = 5.0  # mean, between two acts
FORGIVE_S = 300.0
BACK_S = 20.0  # what is paused or blocked is let go on within this
WHO, WHY = "staff:simulation", "meddling"
Act = Callable[[Operator], Awaitable[None]]


class Meddler:
    """One per world. `meddle` acts for `over_s`, then undoes what would keep the run from ending."""

    def __init__(self, daemon: SimulatedDaemon, run_id: RunId, rng: random.Random) -> None:
        self._daemon = daemon
        self._run_id = run_id
        self._rng = rng

    async def meddle(self, over_s: float) -> None:
        """Several acts at once, now and then, until `over_s` is over; then all is let go on."""
        until = trio.current_time() + over_s
        async with trio.open_nursery() as nursery:
            while trio.current_time() < until:
                await trio.sleep(self._rng.expovariate(1 / PAUSE_S))
                for act in self._rng.choices(self._acts(), k=self._rng.choice([1, 1, 2, 3])):
                    nursery.start_soon(act)
        await self._do(self._set_right)

    async def forgive(self) -> None:
        """Let who is barred work again, until cancelled: the run is to come to its end."""
        while True:
            await trio.sleep(FORGIVE_S)
            await self._do(self._set_right)

    def _acts(self) -> Sequence[Callable[[], Awaitable[None]]]:
        return (self._pause, self._block, *[partial(self._do, each) for each in self._single()])

    def _single(self) -> Sequence[Act]:
        return (self._grant, self._grant, self._review, self._review, self._extend)

    async def _do(self, act: Act) -> None:
        """Ask the daemon there is; what it refuses at this moment is refused."""
        operator = await self._daemon.present()
        try:
            await self._daemon.answer(partial(act, operator))
        except* (NotFound, StaleWrite, ExtensionRefused, StorageFull):
            pass

    async def _pause(self) -> None:
        await self._do(lambda operator: operator.pause(self._run_id, True, WHO, WHY))
        await trio.sleep(self._rng.uniform(0, BACK_S))
        await self._do(lambda operator: operator.pause(self._run_id, False, WHO, "meddled"))

    async def _block(self) -> None:
        number = self._rng.random()
        for blocked in (True, False):
            await self._do(partial(self._set_blocked, number, blocked))
            await trio.sleep(self._rng.uniform(0, BACK_S))

    async def _set_blocked(self, number: float, blocked: bool, operator: Operator) -> None:
        workers = await _workers(operator)
        if workers:
            worker = workers[int(number * len(workers))]
            await operator.set_blocked([worker.id], blocked, WHY, WHO)

    async def _grant(self, operator: Operator) -> None:
        workers = await _workers(operator)
        if not workers:
            return
        worker, name = self._rng.choice(workers), self._rng.choice(MAY_GRANT)
        value = self._rng.choice([None, None, 0, 1])
        await _write(operator, worker.id, name, value)

    async def _review(self, operator: Operator) -> None:
        agents = await operator.storage.agents(self._run_id)
        some = [agent.id for agent in self._rng.choices(agents, k=3)] if agents else list[AgentId]()
        verdicts = [self._rng.choice(list(Verdict)) for _ in range(2)]
        async with trio.open_nursery() as nursery:
            for verdict in verdicts:
                nursery.start_soon(operator.review, some, verdict, WHY, WHO)

    async def _extend(self, operator: Operator) -> None:
        wish = Wish({"limits.assignment_duration_s": str(self._rng.randrange(200, 300))})
        await operator.extend(self._run_id, wish, WHO)

    async def _set_right(self, operator: Operator) -> None:
        await operator.pause(self._run_id, False, WHO, "the end")
        for worker in await _workers(operator):
            if worker.blocked:
                await operator.set_blocked([worker.id], False, "the end", WHO)
            for name, value in zip(MAY_GRANT, (1, None), strict=True):
                await _write(operator, worker.id, name, value)


async def _workers(operator: Operator) -> Sequence[Worker]:
    return await operator.storage.workers()


async def _write(operator: Operator, worker_id: WorkerId, name: str, value: int | None) -> None:
    write: Write = (
        TakeGrant(name, worker_id, WHO, WHY) if value is None else SetGrant(name, worker_id, value, WHO, WHY)
    )
    await operator.storage.commit([write], operator.wall())
