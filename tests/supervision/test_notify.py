"""What systemd is told, over a socket of its own kind."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from crowdd.supervision.notify import Notifier


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


def test_a_line_break_in_a_status_begins_no_field_of_its_own(systemd: Systemd) -> None:
    Notifier(str(systemd.path), None).say(status="the disk is\nREADY=1")
    assert systemd.heard() == ["STATUS=the disk is READY=1"]


def test_without_systemd_nothing_is_said() -> None:
    Notifier(None, None).say(ready=1)


def test_a_systemd_that_does_not_listen_is_no_trouble(tmp_path: Path) -> None:
    Notifier(str(tmp_path / "nobody"), None).say(ready=1)


def test_the_watchdog_s_limit_is_read_from_the_environment() -> None:
    notifier = Notifier.from_environment({"WATCHDOG_USEC": "15000000", "WATCHDOG_PID": str(os.getpid())})
    assert (notifier.watchdog_s, notifier.ping_every_s) == (15.0, 5.0)


def test_the_watchdog_of_another_process_is_not_ours() -> None:
    notifier = Notifier.from_environment({"WATCHDOG_USEC": "15000000", "WATCHDOG_PID": "1"})
    assert notifier.ping_every_s is None
