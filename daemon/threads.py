"""Threads for what blocks. A process that may start no more of them waits for one, and says so."""

import logging
from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

import trio

from ..supervision.tasks import LOOK_S, WAIT_S, WORDS, NoThread, is_lack_of_threads

log = logging.getLogger(__name__)

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

    began, said = trio.current_time(), False
    while True:
        try:
            return await trio.to_thread.run_sync(call, limiter=limiter, abandon_on_cancel=abandon_on_cancel)
        except RuntimeError as exc:
            if begun or not is_lack_of_threads(exc):
                raise
        if trio.current_time() >= began + WAIT_S:
            raise NoThread
        if not said:
            log.warning("%s; waiting for one", WORDS)
            said = True
        await trio.sleep(LOOK_S)
