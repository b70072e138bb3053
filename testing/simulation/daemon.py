"""A daemon process in simulation: the real operator over a store that outlives it."""

import random
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path

import attrs
import trio

from ...daemon.architects.mock import ChannelMaker, channels_from
from ...daemon.causes import causes
from ...daemon.clock import Wall, simulated_wall
from ...daemon.degraded import Degraded
from ...daemon.departure import Manner
from ...daemon.house import House
from ...daemon.operator import Operator
from ...daemon.pace import Pace
from ...daemon.registry import Registry, installed_plug_ins
from ...daemon.store_loss import StoreLoss, guard_calls
from ...daemon.user_code import UserCode
from ...storage.errors import LeaseLost, StorageFailed
from .disk import StoreDisk
from .stores import OpenStore

SECRET = b"the daemon's secret in simulation"
PACE = Pace(linger_s=600.0)
RESTART_S = 0.1  # how long a supervisor waits when a life ended by itself


@attrs.define(eq=False)
class SimulatedDaemon:
    """`serve` gives it lives; `kill` and `stop` end one. `operator` is that of the present life, or None."""

    data: Path
    open_store: OpenStore
    channels: ChannelMaker
    rng: random.Random
    disk: StoreDisk = attrs.Factory(lambda: StoreDisk(random.Random(1)))  # noqa: S311
    operator: Operator | None = None
    registry: Callable[[], Registry] = installed_plug_ins
    losses: list[str] = attrs.Factory(list[str])
    """How the store was lost in lives that ended by that; a supervisor started the next one."""
    wall: Wall = simulated_wall
    """What its machine's clock says, in this life and the next ones; it may be set, and jump."""
    _begun: trio.Event = attrs.Factory(trio.Event)
    _life: trio.CancelScope = attrs.Factory(trio.CancelScope)
    _down_s: float = RESTART_S
    _guests: set[trio.CancelScope] = attrs.Factory(set[trio.CancelScope])

    async def serve(self) -> None:
        """Live, end when told to, and live again, until cancelled."""
        for folder in ("runs", "tasks"):
            (self.data / folder).mkdir(parents=True, exist_ok=True)
        while True:
            self._down_s = RESTART_S
            with trio.CancelScope() as self._life:
                try:
                    await self._live()
                except* (LeaseLost, StorageFailed) as lost:
                    self.losses.append(str(causes(lost)[0]))
                finally:
                    self._turn_out()
            self.operator, self._begun = None, trio.Event()
            await trio.sleep(self._down_s)

    async def _live(self) -> None:
        async with self.disk.on(self.open_store)() as storage:
            degraded = Degraded(self._now)
            loss = StoreLoss(degraded)
            house = House(
                storage=guard_calls(storage, loss, degraded),
                wall=self._now,
                rng=self.rng,
                user_code=UserCode(inline=True),
                data=self.data,
                link_secrets=[SECRET],
                pace=PACE,
                degraded=degraded,
                loss=loss,
            )
            operator = Operator(house, self.registry())
            with channels_from(self.channels):
                async with trio.open_nursery() as nursery:
                    await nursery.start(operator.serve)
                    self.operator = operator
                    self._begun.set()

    def _now(self) -> datetime:
        return self.wall()

    async def present(self) -> Operator:
        """The operator, once there is one."""
        while self.operator is None:
            await self._begun.wait()
        return self.operator

    async def answer(self, ask: Callable[[], Awaitable[object]]) -> None:
        """Do what staff ask in this life; cut off with it, as a request of the control socket is."""
        with trio.CancelScope() as scope:
            self._guests.add(scope)
            try:
                await ask()
            except* StorageFailed:
                self.kill(RESTART_S)  # as whoever finds the store lost ends the process
            finally:
                self._guests.discard(scope)

    def kill(self, down_s: float) -> None:
        """End this life in the middle of whatever it does."""
        self._down_s = down_s
        self._life.cancel()
        self._turn_out()

    def _turn_out(self) -> None:
        for scope in self._guests:
            scope.cancel()

    def stop(self, down_s: float, manner: Manner = Manner.STOP) -> None:
        """End this life as told: goodbye to everybody (or calm pages), then gone for `down_s`."""
        self._down_s = down_s
        if self.operator is not None:
            self.operator.departure.leave(manner)
