"""The door to the author's code: whatever is behind it, the caller hears of one kind of failure, in time."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from crowdd.daemon.user_code import USER_THREADS_MAX, UserCode, UserCodeFailed


class Rude(Exception):
    """Cannot even be shown."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


def group_of(error: BaseException) -> BaseException:
    return BaseExceptionGroup("several", [error])


RAISED = [
    ValueError("wrong"),
    MemoryError(),
    RecursionError(),
    SystemExit(3),
    KeyboardInterrupt(),
    GeneratorExit(),
    asyncio.CancelledError(),
    BaseException("base"),
    Rude(),
    group_of(ValueError("wrong")),
    group_of(SystemExit(3)),
    group_of(KeyboardInterrupt()),
    StopIteration(3),
]


def raising(error: BaseException) -> Callable[[], bool]:
    def hook() -> bool:
        raise error

    return hook


def raising_async(error: BaseException) -> Callable[[], Awaitable[bool]]:
    async def hook() -> bool:
        await trio.lowlevel.checkpoint()
        raise error

    return hook


@pytest.mark.parametrize("inline", [True, False])
@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
async def test_flt26_whatever_a_function_raises_is_the_authors_failure(
    error: BaseException, inline: bool
) -> None:
    with pytest.raises(UserCodeFailed, match=type(error).__name__):
        await UserCode(inline).run_sync(raising(error))


@pytest.mark.parametrize("error", RAISED[:-1], ids=lambda error: type(error).__name__)
async def test_whatever_an_async_function_raises_is_the_authors_failure(error: BaseException) -> None:
    with pytest.raises(UserCodeFailed, match=type(error).__name__):
        await UserCode().run_async(raising_async(error))


async def test_what_an_async_function_raises_at_its_time_limit_is_its_failure(
    autojump_clock: MockClock,
) -> None:
    async def raises_when_cancelled() -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise ValueError("in the middle of cleaning up")

    async def with_a_nursery() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            await raises_when_cancelled()

    for function in (raises_when_cancelled, with_a_nursery):
        with pytest.raises(UserCodeFailed, match=r"with_a_nursery|raises_when_cancelled"):
            await UserCode().run_async(function, limit_s=1)


async def test_who_cancels_us_is_obeyed_whatever_the_function_makes_of_it(autojump_clock: MockClock) -> None:
    async def with_a_nursery() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)

    with trio.move_on_after(1) as scope:
        await UserCode().run_async(with_a_nursery, limit_s=60)
    assert scope.cancelled_caught


@pytest.mark.parametrize("inline", [True, False])
async def test_a_coroutine_from_a_function_that_does_not_look_async_is_awaited_by_nobody(
    inline: bool,
) -> None:
    async def hook(answer: bool) -> bool:
        return answer

    def looks_sync() -> Any:
        return hook(True)

    for function in (looks_sync, partial(hook, True)):
        with pytest.raises(UserCodeFailed, match="async def"):
            await UserCode(inline).run_sync(function)


async def test_functions_that_never_return_leave_our_own_work_its_threads(mock_clock: MockClock) -> None:
    code, over = UserCode(), threading.Event()
    try:
        await _take_all_threads(code, over, mock_clock)
        assert await code.off_loop(lambda: 7) == 7
        mock_clock.autojump_threshold = 0
        with pytest.raises(UserCodeFailed, match=f"all {USER_THREADS_MAX} threads"):
            await code.run_sync(lambda: 7, limit_s=1)
    finally:
        over.set()


async def test_flt26_functions_of_one_run_that_never_return_leave_other_runs_their_threads(
    mock_clock: MockClock,
) -> None:
    house, over = UserCode(), threading.Event()
    one, other = house.for_run(), house.for_run()
    try:
        await _take_all_threads(one, over, mock_clock)
        assert await other.run_sync(lambda: 7) == 7
    finally:
        over.set()


async def _take_all_threads(code: UserCode, over: threading.Event, clock: MockClock) -> None:
    """With functions that go on until it is over; each has begun, and its time has passed."""
    begun = threading.Semaphore(0)

    def never_return() -> None:
        begun.release()
        over.wait()

    async def wait_too_long() -> None:
        with pytest.raises(UserCodeFailed, match="longer than"):
            await code.run_sync(never_return, limit_s=1)

    async with trio.open_nursery() as nursery:
        for _ in range(USER_THREADS_MAX):
            nursery.start_soon(wait_too_long)
        for _ in range(USER_THREADS_MAX):
            await trio.to_thread.run_sync(begun.acquire)
        clock.jump(1)


async def test_nobody_who_leaves_waits_for_a_task_that_never_ends_loading() -> None:
    over = threading.Event()
    try:
        with trio.fail_after(30), trio.move_on_after(0.05) as scope:
            await UserCode().load(over.wait)
        assert scope.cancelled_caught
    finally:
        over.set()
