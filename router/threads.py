"""Threads for what blocks. A process that may start no more of them waits for one, and says so."""

from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

import anyio
from anyio import to_thread

from ..supervision.tasks import LOOK_S, ThreadWait

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


async def in_thread(
    function: Callable[[*Ts], T], *args: *Ts, limiter: anyio.CapacityLimiter | None = None
) -> T:
    """As `anyio.to_thread.run_sync`, but waits while no thread can be started; NoThread when that lasts."""
    begun = False

    def call() -> T:
        nonlocal begun
        begun = True
        return function(*args)

    wait = ThreadWait(anyio.current_time())
    while True:
        try:
            return await to_thread.run_sync(call, limiter=limiter)
        except RuntimeError as exc:
            if begun:
                raise
            wait.go_on(exc, anyio.current_time())
        await anyio.sleep(LOOK_S)
