"""Times every call of a storage from outside, by method; knows nothing of how it works."""

import functools
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

import trio

from ...storage.contract import Storage
from .families import Metrics

P = ParamSpec("P")
T = TypeVar("T")


def time_calls(storage: Storage, metrics: Metrics) -> Storage:
    """The same storage; from now on each call of the contract's methods is timed."""
    for name in Storage.__abstractmethods__:
        setattr(storage, name, _timed(getattr(storage, name), name, metrics))
    return storage


def _timed(call: Callable[P, Awaitable[T]], method: str, metrics: Metrics) -> Callable[P, Awaitable[T]]:
    @functools.wraps(call)
    async def timed_call(*args: P.args, **kwargs: P.kwargs) -> T:
        # By hand: some ten calls a visit, and each context manager costs as much as what it notes.
        metrics.calls += 1
        began = trio.current_time()
        try:
            return await call(*args, **kwargs)
        finally:
            metrics.methods[method].observe(trio.current_time() - began)
            metrics.calls -= 1

    return timed_call
