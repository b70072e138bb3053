"""Who has systemd wait, and until when."""

import pytest
import trio
from trio.testing import MockClock

from crowdd.daemon.watchdog import EXTEND_S, Watchdog, extend_stop
from crowdd.supervision.notify import Notifier


class Said(Notifier):
    """A notifier that keeps what it was told, with the time."""

    def __init__(self, watchdog_s: float | None = None) -> None:
        super().__init__(None, watchdog_s)
        self.lines: list[tuple[float, str]] = []
        self._began = trio.current_time()

    def say(self, **fields: str | int) -> None:
        now = trio.current_time() - self._began
        self.lines += [(now, f"{name}={value}") for name, value in fields.items()]


async def test_the_watchdog_is_fed_three_times_in_its_limit(autojump_clock: MockClock) -> None:
    said = Said(30.0)
    with trio.move_on_after(29):
        await Watchdog(said).serve()
    assert said.lines == [(0.0, "watchdog=1"), (10.0, "watchdog=1"), (20.0, "watchdog=1")]


async def test_no_watchdog_is_not_fed(autojump_clock: MockClock) -> None:
    said = Said()
    with trio.move_on_after(100):
        await Watchdog(said).serve()
    assert said.lines == []


async def test_a_store_that_fails_is_noticed_without_systemd(autojump_clock: MockClock) -> None:
    async def lost() -> None:
        if trio.current_time() > began:
            raise OSError("the disk is gone")

    began, watchdog = trio.current_time(), Watchdog(Said())
    with watchdog.probing(lost), pytest.raises(OSError, match="gone"):
        await watchdog.serve()


async def test_nothing_is_fed_before_the_store_has_answered(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    said = Said(30.0)
    watchdog = Watchdog(said)

    async def slow() -> None:
        await trio.sleep(25)

    with trio.move_on_after(59), watchdog.probing(slow):
        await watchdog.serve()
    assert said.lines == [(25.0, "watchdog=1")]
    assert "the store took 25.0 s for a small read" in caplog.text


async def test_a_store_that_hangs_is_not_fed_over(autojump_clock: MockClock) -> None:
    said = Said(30.0)
    watchdog = Watchdog(said)
    with trio.move_on_after(100), watchdog.probing(trio.sleep_forever):
        await watchdog.serve()
    assert said.lines == []


async def test_what_the_store_s_read_raises_ends_the_watchdog(autojump_clock: MockClock) -> None:
    async def lost() -> None:
        raise OSError("the disk is gone")

    watchdog = Watchdog(Said(30.0))
    with watchdog.probing(lost), pytest.raises(OSError, match="gone"):
        await watchdog.serve()


async def test_while_the_store_closes_the_watchdog_is_still_fed(autojump_clock: MockClock) -> None:
    said = Said(30.0)
    watchdog = Watchdog(said)
    async with trio.open_nursery() as nursery:
        with watchdog.probing(trio.lowlevel.checkpoint):
            nursery.start_soon(watchdog.serve)
            await trio.sleep(5)
        await trio.sleep(20)
        nursery.cancel_scope.cancel()
    assert [at for at, _ in said.lines] == [0.0, 10.0, 20.0]


async def test_a_stop_asks_for_time_again_before_the_last_time_is_over(autojump_clock: MockClock) -> None:
    said, stop = Said(), trio.Event()
    stop.set()
    with trio.move_on_after(14):
        await extend_stop(said, stop, lambda: 60.0)
    assert said.lines == [(at, f"extend_timeout_usec={EXTEND_S * 1e6:.0f}") for at in (0.0, 5.0, 10.0)]


async def test_no_time_is_asked_for_before_the_stop(autojump_clock: MockClock) -> None:
    said = Said()
    with trio.move_on_after(100):
        await extend_stop(said, trio.Event(), lambda: 60.0)
    assert said.lines == []


async def test_a_stop_that_takes_longer_than_its_parts_may_asks_no_more(autojump_clock: MockClock) -> None:
    said, stop = Said(), trio.Event()
    stop.set()
    await extend_stop(said, stop, lambda: 12.0)
    assert [at for at, _ in said.lines] == [0.0, 5.0, 10.0]
