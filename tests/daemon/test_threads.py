"""FLT20: work for a thread, in a process that may start no more of them."""

from collections.abc import Callable
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from crowdd.daemon.threads import in_thread
from crowdd.supervision.tasks import LOOK_S, WAIT_S, NoThread

Starve = Callable[[float], None]


@pytest.fixture
def starve(monkeypatch: pytest.MonkeyPatch) -> Starve:
    """Has the system give no threads for so many seconds, as Python says it."""

    def starve(for_s: float) -> None:
        async def run_sync(function: Callable[[], object], **_: Any) -> object:
            await trio.lowlevel.checkpoint()
            if trio.current_time() < until:
                raise RuntimeError("can't start new thread")
            return function()

        until = trio.current_time() + for_s
        monkeypatch.setattr(trio.to_thread, "run_sync", run_sync)

    return starve


async def test_flt20_who_needs_a_thread_waits_while_there_is_none(
    starve: Starve, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    starve(WAIT_S - LOOK_S)
    assert await in_thread(pow, 2, 5) == 32
    assert caplog.text.count("no thread can be started") == 1


async def test_flt20_who_waits_too_long_for_a_thread_is_told_that_there_is_none(
    starve: Starve, autojump_clock: MockClock
) -> None:
    starve(trio.current_time() + 3 * WAIT_S)
    with pytest.raises(NoThread, match="TasksMax="):
        await in_thread(pow, 2, 5)
    assert trio.current_time() < 2 * WAIT_S


async def test_what_a_function_says_of_threads_of_its_own_is_not_tried_again() -> None:
    calls: list[int] = []

    def start_another() -> None:
        calls.append(1)
        raise RuntimeError("can't start new thread")

    with pytest.raises(RuntimeError, match="new thread"):
        await in_thread(start_another)
    assert calls == [1]
