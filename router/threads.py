"""Threads for what blocks. A process that may start no more of them waits for one, and says so."""

import logging
from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

import anyio
from anyio import to_thread

from ..supervision.tasks import LOOK_S, WAIT_S, WORDS, NoThread, is_lack_of_threads

log = logging.getLogger(__name__)

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

    began, said = anyio.current_time(), False
    while True:
        try:
            return await to_thread.run_sync(call, limiter=limiter)
        except RuntimeError as exc:
            if begun or not is_lack_of_threads(exc):
                raise
        if anyio.current_time() >= began + WAIT_S:
            raise NoThread
        if not said:
            log.warning("%s; waiting for one", WORDS)
            said = True
        await anyio.sleep(LOOK_S)
