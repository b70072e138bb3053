"""The one door through which the task author's code is called, synchronous or not."""

import functools
import inspect
import threading
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import trio

from ..supervision.tasks import NoThread
from .causes import causes, words_of
from .threads import in_thread

T = TypeVar("T")

USER_THREADS_MAX = 16  # sync functions of one run share these: those of one that hang stop no other
OWN_THREADS_MAX = 8  # our own slow work, apart from the author's and from storage's
HOOK_LIMIT_S = 10.0
LOAD_LIMIT_S = 120.0  # task.py may import large libraries, from a cold disk


class UserCodeFailed(Exception):
    """The author's code raised or took too long; the message says which."""


class UserCode:
    """Calls author code: synchronous in threads, but inline in simulation, whose clock waits for none.

    Whatever the code raises is UserCodeFailed: `asyncio.CancelledError` and the like would end the daemon.
    """

    def __init__(self, inline: bool = False) -> None:
        self._inline = inline
        self._limiter = trio.CapacityLimiter(USER_THREADS_MAX)
        self._own = trio.CapacityLimiter(OWN_THREADS_MAX)

    def for_run(self) -> "UserCode":
        """The same with threads of its own: a run whose functions never return hurts no other."""
        return UserCode(self._inline)

    async def run_sync(self, function: Callable[..., T], *args: Any, limit_s: float = HOOK_LIMIT_S) -> T:
        """The function's result. UserCodeFailed when it raised or took longer than `limit_s`.

        Past the limit, and when cancelled, its thread is abandoned: it may finish, its result is dropped.
        """
        if self._inline:
            await trio.lowlevel.checkpoint()
            return _called(function, *args)
        begun = threading.Event()
        try:
            with trio.move_on_after(limit_s):
                return await self._in_thread(begun, functools.partial(_called, function, *args))
        except NoThread as exc:
            raise UserCodeFailed(f"{_name(function)} could not be called: {exc.strerror}") from exc
        if begun.is_set():
            raise _too_slow(function, limit_s)
        raise UserCodeFailed(
            f"{_name(function)} could not be called within {limit_s:g} s: all {USER_THREADS_MAX} threads "
            "are taken by functions that have not returned"
        )

    async def run_async(
        self, function: Callable[..., Awaitable[T]], *args: Any, limit_s: float = HOOK_LIMIT_S
    ) -> T:
        """What `run_sync` is to an `async def`; past the limit it is cancelled."""
        try:
            with trio.move_on_after(limit_s):
                return await function(*args)
        except BaseException as exc:
            if any(isinstance(cause, trio.Cancelled) for cause in causes(exc)):
                raise
            raise _failure(function, exc) from exc
        raise _too_slow(function, limit_s)

    async def load(self, function: Callable[..., T], *args: Any) -> T:
        """Our own reading that runs a task's code on the way: its result, or what it raised, as it is.

        NoThread: it could not begin. UserCodeFailed after LOAD_LIMIT_S. Then, and when cancelled, its thread
        is abandoned: nobody waits at a shutdown for a task.py that never ends.
        """
        if self._inline:
            await trio.lowlevel.checkpoint()
            return function(*args)
        with trio.move_on_after(LOAD_LIMIT_S):
            return await in_thread(function, *args, abandon_on_cancel=True, limiter=self._limiter)
        raise UserCodeFailed(f"the code in task.py took longer than {LOAD_LIMIT_S:g} s")

    async def off_loop(self, function: Callable[..., T], *args: Any) -> T:
        """Our own slow, synchronous work (packing, file copies): its result, or what it raised, as it is.

        NoThread: it could not begin. Cancelled while it runs: it finishes, then `Cancelled`. Nothing for what
        runs an author's code.
        """
        if self._inline:
            await trio.lowlevel.checkpoint()
            return function(*args)
        return await in_thread(function, *args, limiter=self._own)

    async def _in_thread(self, begun: threading.Event, call: Callable[[], T]) -> T:
        def counted() -> T:
            begun.set()
            return call()

        return await in_thread(counted, abandon_on_cancel=True, limiter=self._limiter)


def _called(function: Callable[..., T], *args: Any) -> T:
    try:
        answer = function(*args)
    except (trio.Cancelled, UserCodeFailed):
        raise  # it asked whether it is still wanted, or says itself what failed
    except BaseException as exc:
        raise _failure(function, exc) from exc
    if inspect.iscoroutine(answer):
        answer.close()
        raise UserCodeFailed(f"{_name(function)} returned a coroutine: write it with `async def`")
    return answer


def _too_slow(function: Callable[..., Any], limit_s: float) -> UserCodeFailed:
    return UserCodeFailed(f"{_name(function)} took longer than {limit_s:g} s")


def _failure(function: Callable[..., Any], exc: BaseException) -> UserCodeFailed:
    return UserCodeFailed(f"{_name(function)} raised {type(exc).__name__}: {words_of(exc)}")


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__qualname__", repr(function))
