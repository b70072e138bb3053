"""The form of a line: ids, JSON, and that nobody's text forges a line or moves a terminal."""

import json
import logging
from typing import Any

import pytest

from crowdd.logs.lines import JsonLines, TextLines

from .conftest import failed, said

HOSTILE = [
    *map(chr, (*range(0x20), *range(0x7F, 0xA0))),
    "\x1b[2J\x1b[31mred",
    "\x1b]0;a new title\x07",
    "\x1b]8;;http://evil.example\x1b\\a link\x1b]8;;\x1b\\",
    "\x9b2J",
    "\r\n2026-03-01T12:00:00.000Z info    daemon.intake: a line of its own",
    "\u2028and\u2029more\x85",
    "\u202eesrever\u202c",
    "\u200b\ufeff",
    "\udc1b\ud83d",
    "\U000e0041",
]


def as_json(record: logging.LogRecord) -> dict[str, Any]:
    fact: dict[str, Any] = json.loads(JsonLines().format(record))
    return fact


def test_text_says_time_level_part_and_the_ids_that_the_message_leaves_out() -> None:
    line = TextLines().format(said("%d bytes of agent %d", 9, 7, run=3, agent=7, unit=70))
    assert line == "2026-03-01T12:00:00.000Z info    daemon.intake: 9 bytes of agent 7 [run 3, unit 70]"


def test_an_id_is_not_said_by_a_number_that_begins_like_it() -> None:
    assert TextLines().format(said("after run 31", run=3)).endswith("after run 31 [run 3]")


def test_json_has_the_ids_as_members() -> None:
    assert as_json(said("submitted", run=3, agent=7, router="127.0.0.1:80")) == {
        "time": "2026-03-01T12:00:00.000Z",
        "level": "info",
        "part": "daemon.intake",
        "message": "submitted",
        "run": 3,
        "agent": 7,
        "router": "127.0.0.1:80",
    }


def test_what_is_no_id_is_not_shown() -> None:
    assert "capability" not in JsonLines().format(said("x", wire_id="capability"))


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_sec18_text_stays_one_calm_line(text: str) -> None:
    line = TextLines().format(said("a page says %s!", text, label=text))
    assert line.isprintable()
    assert line.endswith("]")


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_sec18_json_stays_one_calm_line_and_says_the_same(text: str) -> None:
    record = said("a page says %s!", text, label=text)
    line = JsonLines().format(record)
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["message"] == f"a page says {text}!"


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_sec18_no_error_s_text_begins_a_line(text: str) -> None:
    head, *under = TextLines().format(failed(ValueError(f"bad\n{text}"))).split("\n")
    assert head.endswith("it failed")
    assert all(line.startswith("  | ") for line in under)
    assert all(line.isprintable() for line in under)


def test_letters_of_the_world_stay_as_they_are() -> None:
    assert TextLines().format(said("Jörg sagt 你好 🙂")).endswith("Jörg sagt 你好 🙂")


def test_json_has_the_traceback_as_a_member() -> None:
    fact = as_json(failed(ValueError("bad"), run=3))
    assert (fact["message"], fact["level"], fact["run"]) == ("it failed", "error", 3)
    assert fact["traceback"].startswith("Traceback (most recent call last):\n")
    assert fact["traceback"].endswith("ValueError: bad")


def test_every_line_begins_with_its_priority_where_systemd_reads_it() -> None:
    lines = TextLines(priorities=True).format(failed(ValueError("bad"))).split("\n")
    assert len(lines) > 2
    assert all(line.startswith("<3>") for line in lines)
    assert JsonLines(priorities=True).format(said("x")).startswith('<6>{"time"')
