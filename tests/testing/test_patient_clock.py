"""Virtual time waits for the threads that our own work is in, and for nobody else."""

import threading

import trio
from trio.testing import MockClock

REAL_S = 0.05  # a thread's work takes some time, which the virtual clock must not show


async def test_no_time_passes_while_a_thread_works(autojump_clock: MockClock) -> None:
    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.sleep, 3600)
        await trio.to_thread.run_sync(threading.Event().wait, REAL_S)
        assert trio.current_time() == began
    assert trio.current_time() == began + 3600


async def test_a_function_that_never_returns_is_given_up_in_virtual_time(
    autojump_clock: MockClock,
) -> None:
    over, limiter = threading.Event(), trio.CapacityLimiter(1)
    try:
        with trio.move_on_after(3600) as scope:
            await trio.to_thread.run_sync(over.wait, limiter=limiter, abandon_on_cancel=True)
        assert scope.cancelled_caught
    finally:
        over.set()
