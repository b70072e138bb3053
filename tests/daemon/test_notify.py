"""What systemd is told, over a socket of its own kind."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from crowdd.daemon.notify import Notifier


class Systemd:
    """The end that systemd listens on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.setblocking(False)

    def heard(self) -> list[str]:
        lines: list[str] = []
        while True:
            try:
                lines += self._socket.recv(4096).decode().split("\n")
            except BlockingIOError:
                return lines

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    systemd = Systemd(tmp_path / "notify")
    try:
        yield systemd
    finally:
        systemd.close()


def test_every_field_is_a_line(systemd: Systemd) -> None:
    Notifier(str(systemd.path), None).say(ready=1, status="holding 2 runs")
    assert systemd.heard() == ["READY=1", "STATUS=holding 2 runs"]


def test_without_systemd_nothing_is_said() -> None:
    Notifier(None, None).say(ready=1)


def test_a_systemd_that_does_not_listen_is_no_trouble(tmp_path: Path) -> None:
    Notifier(str(tmp_path / "nobody"), None).say(ready=1)


async def test_the_watchdog_is_fed_three_times_in_its_limit(
    systemd: Systemd, autojump_clock: MockClock
) -> None:
    with trio.move_on_after(29):
        await Notifier(str(systemd.path), 30.0).keep_watchdog()
    assert systemd.heard() == ["WATCHDOG=1"] * 3


async def test_no_watchdog_is_not_fed(systemd: Systemd, autojump_clock: MockClock) -> None:
    await Notifier(str(systemd.path), None).keep_watchdog()
    assert systemd.heard() == []


async def test_a_stop_asks_for_time_again_before_the_last_time_is_over(
    systemd: Systemd, autojump_clock: MockClock
) -> None:
    stop = trio.Event()
    stop.set()
    with trio.move_on_after(14):
        await Notifier(str(systemd.path), None).extend_stop(stop)
    assert systemd.heard() == ["EXTEND_TIMEOUT_USEC=15000000"] * 3


async def test_no_time_is_asked_for_before_the_stop(systemd: Systemd, autojump_clock: MockClock) -> None:
    with trio.move_on_after(100):
        await Notifier(str(systemd.path), None).extend_stop(trio.Event())
    assert systemd.heard() == []
