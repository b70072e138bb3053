"""The journal's own protocol, spoken to a socket that stands for it."""

import io
import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from crowdd.logs.journal import JournalHandler, is_journal

from .conftest import failed, said


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[socket.socket]:
    """What listens where the journal would."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.settimeout(10)
        sock.bind(str(tmp_path / "journal"))
        yield sock


class Kept(logging.Handler):
    """Notes what the journal did not take."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def handler(tmp_path: Path, kept: Kept) -> Iterator[JournalHandler]:
    handler = JournalHandler(kept, str(tmp_path / "journal"))
    yield handler
    handler.close()


def fields(datagram: bytes) -> dict[str, str]:
    """As the journal reads them."""
    found: dict[str, str] = {}
    rest = io.BytesIO(datagram)
    while name := rest.readline():
        found[name[:-1].decode()] = rest.read(int.from_bytes(rest.read(8), "little")).decode()
        assert rest.read(1) == b"\n"
    return found


def test_the_ids_of_a_line_are_fields(journal: socket.socket, handler: JournalHandler, kept: Kept) -> None:
    handler.handle(said("submitted", run=3, agent=7, unit=70))
    assert fields(journal.recv(65536)) == {
        "MESSAGE": "submitted [run 3, agent 7, unit 70]",
        "PRIORITY": "6",
        "SYSLOG_IDENTIFIER": "crowdd",
        "PART": "daemon.intake",
        "RUN": "3",
        "AGENT": "7",
        "UNIT": "70",
    }
    assert kept.lines == []


def test_a_traceback_belongs_to_its_message(journal: socket.socket, handler: JournalHandler) -> None:
    handler.handle(failed(ValueError("bad\nPRIORITY=0\x1b[2J")))
    found = fields(journal.recv(65536))
    assert found["PRIORITY"] == "3"
    assert found["MESSAGE"].startswith("it failed\nTraceback")
    assert found["MESSAGE"].endswith("ValueError: bad\nPRIORITY=0\\x1b[2J")


@pytest.mark.usefixtures("journal")
def test_what_is_too_long_for_the_journal_is_not_lost(handler: JournalHandler, kept: Kept) -> None:
    handler.handle(said("x" * 4_000_000))
    assert len(kept.lines) == 1


def test_without_a_journal_nothing_is_lost(handler: JournalHandler, kept: Kept) -> None:
    handler.handle(said("hello"))
    assert kept.lines == ["hello"]


def test_only_the_very_stream_that_systemd_named_is_the_journal(tmp_path: Path) -> None:
    with (tmp_path / "stderr").open("w") as stream, (tmp_path / "router.log").open("w") as other:
        facts = os.fstat(stream.fileno())
        environment = {"JOURNAL_STREAM": f"{facts.st_dev}:{facts.st_ino}"}
        assert is_journal(stream, environment)
        assert not is_journal(other, environment)
        assert not is_journal(stream, {})
        assert not is_journal(io.StringIO(), environment)
