"""Threads for what blocks. A process that may start no more of them waits for one, and says so."""

from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

import trio

from ..supervision.tasks import LOOK_S, ThreadWait

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


async def in_thread(
    function: Callable[[*Ts], T],
    *args: *Ts,
    limiter: trio.CapacityLimiter | None = None,
    abandon_on_cancel: bool = False,
) -> T:
    """As `trio.to_thread.run_sync`, but waits while no thread can be started; NoThread when that lasts."""
    begun = False

    def call() -> T:
        nonlocal begun
        begun = True
        return function(*args)

    wait = ThreadWait(trio.current_time())
    while True:
        try:
            return await trio.to_thread.run_sync(call, limiter=limiter, abandon_on_cancel=abandon_on_cancel)
        except RuntimeError as exc:
            if begun:
                raise
            wait.go_on(exc, trio.current_time())
        await trio.sleep(LOOK_S)
