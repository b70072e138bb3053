"""The one door through which the task author's code is called, synchronous or not."""

import functools
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import trio

T = TypeVar("T")

USER_THREADS_MAX = 16  # sync hooks of all runs share these, apart from storage's threads
HOOK_LIMIT_S = 10.0


class UserCodeFailed(Exception):
    """The author's code raised or took too long; the message says which."""


class UserCode:
    """Calls author code: synchronous in threads, but inline in simulation, whose clock waits for none."""

    def __init__(self, inline: bool = False) -> None:
        self._inline = inline
        self._limiter = trio.CapacityLimiter(USER_THREADS_MAX)

    async def run_sync(self, function: Callable[..., T], *args: Any, limit_s: float = HOOK_LIMIT_S) -> T:
        """The function's result. UserCodeFailed when it raised or took longer than `limit_s`.

        Past the limit, and when cancelled, its thread is abandoned: it may finish, its result is dropped.
        """
        if self._inline:
            await trio.lowlevel.checkpoint()
            return _called(function, *args)
        with trio.move_on_after(limit_s):
            return await trio.to_thread.run_sync(
                functools.partial(_called, function, *args), abandon_on_cancel=True, limiter=self._limiter
            )
        raise UserCodeFailed(f"{_name(function)} took longer than {limit_s:g} s")

    async def run_async(
        self, function: Callable[..., Awaitable[T]], *args: Any, limit_s: float = HOOK_LIMIT_S
    ) -> T:
        """What `run_sync` is to an `async def`; past the limit it is cancelled."""
        with trio.move_on_after(limit_s):
            try:
                return await function(*args)
            except (Exception, SystemExit) as exc:
                raise _failure(function, exc) from exc
        raise UserCodeFailed(f"{_name(function)} took longer than {limit_s:g} s")

    async def off_loop(self, function: Callable[..., T], *args: Any) -> T:
        """Our own slow, synchronous work (packing, file copies): its result, or what it raised, as it is.

        Cancelled while it runs: it finishes, then `Cancelled`.
        """
        if self._inline:
            await trio.lowlevel.checkpoint()
            return function(*args)
        return await trio.to_thread.run_sync(function, *args, limiter=self._limiter)


def _called(function: Callable[..., T], *args: Any) -> T:
    try:
        return function(*args)
    except (Exception, SystemExit) as exc:  # sys.exit() in a task's code is no reason to end the daemon
        raise _failure(function, exc) from exc


def _failure(function: Callable[..., Any], exc: BaseException) -> UserCodeFailed:
    return UserCodeFailed(f"{_name(function)} raised {type(exc).__name__}: {exc}")


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__qualname__", repr(function))
