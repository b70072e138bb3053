"""Between the loss of the store and the end of the process: nothing definite is said, everybody is told.

A call of the storage that finds it lost (LeaseLost, StorageFailed) does not return: whoever made it would
have to answer, and knows nothing. `StoreLoss.serve` has all who wait told "try later", then raises the loss.
"""

import functools
import logging
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

import trio

from ..storage.contract import Storage
from ..storage.errors import LeaseLost, StorageFailed, StorageFull
from .degraded import Degraded, Lack

log = logging.getLogger(__name__)

LAST_WORDS_S = 1.0  # for all who wait; a daemon without a store helps nobody for longer
ANSWER_S = 0.2  # at least so long, for those whose answers others write: the control socket, metrics

P = ParamSpec("P")
T = TypeVar("T")
Lost = LeaseLost | StorageFailed


class StoreLoss:
    """One per daemon. `begin` may be called by whoever finds the store lost; the first one counts."""

    def __init__(self, degraded: Degraded) -> None:
        self._degraded = degraded
        self._begun, self._over = trio.Event(), trio.Event()
        self._error: Lost | None = None
        self._served = False

    @property
    def error(self) -> Lost | None:
        """How the store was lost; None while it is not."""
        return self._error

    def begin(self, error: Lost) -> None:
        """The store is lost."""
        if self._error is None:
            self._error = error
            words = f"{error}. Everybody is told to try later, then this process ends"
            self._degraded.begin(Lack.STORE_LOST, words)
            self._begun.set()

    async def begun(self) -> None:
        """Return once the store is lost."""
        await self._begun.wait()

    async def serve(self, tell: Callable[[], Awaitable[None]]) -> None:
        """Wait for the loss, `tell` everybody who waits, raise it. LeaseLost, StorageFailed."""
        self._served = True
        try:
            await self._begun.wait()
            await self._say_last_words(tell)
        finally:
            self._over.set()
        raise self._again()

    async def _say_last_words(self, tell: Callable[[], Awaitable[None]]) -> None:
        with trio.move_on_after(LAST_WORDS_S) as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(tell)
                await trio.sleep(ANSWER_S)
        if scope.cancelled_caught:
            log.warning("not everybody could be told to try later within %g s", LAST_WORDS_S)

    async def hold(self) -> None:
        """What a caller meets that found the store lost: waits until all were told, then raises the loss."""
        if self._served:
            await self._over.wait()
        raise self._again()

    def _again(self) -> Lost:
        assert self._error is not None
        return type(self._error)(*self._error.args)


def guard_calls(storage: Storage, loss: StoreLoss, degraded: Degraded) -> Storage:
    """The same storage; from now on calls that find it lost are held, and a full disk is noted."""
    for name in Storage.__abstractmethods__:
        setattr(storage, name, _guarded(getattr(storage, name), loss, degraded))
    return storage


def _guarded(
    call: Callable[P, Awaitable[T]], loss: StoreLoss, degraded: Degraded
) -> Callable[P, Awaitable[T]]:
    @functools.wraps(call)
    async def guarded_call(*args: P.args, **kwargs: P.kwargs) -> T:
        if loss.error is None:
            try:
                return await call(*args, **kwargs)
            except StorageFull as exc:
                degraded.begin(Lack.DISK_FULL, f"{exc}. Nothing new is saved: everybody is told to try later")
                raise
            except (LeaseLost, StorageFailed) as exc:
                loss.begin(exc)
        await loss.hold()
        raise AssertionError("not reached: hold raises")

    return guarded_call
