"""The form of a log line: one fact with its ids, as text or JSON, with nothing a terminal would act upon.

Whoever logs gives the ids as `extra={"run": 3, "agent": 7}`; other extras are not shown.
"""

import json
import logging
import unicodedata
from datetime import UTC, datetime

from .parts import part_of

IDS = ("run", "label", "agent", "onboarding", "unit", "worker", "router")
"""What a line may be about. Numbers and names of ours: never an agent's wire id, never a link's token."""

PRIORITIES = {logging.CRITICAL: 2, logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6, logging.DEBUG: 7}
"""Levels as syslog and systemd number them."""

_ACTING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories that make a terminal do something: control, format (bidi), line separators."""

_UNDER = "  | "  # begins the lines of a traceback, so that none passes for a fact of its own


def escaped(text: str) -> str:
    """The text on one line, with what a terminal would act upon as an escape."""
    return text if text.isprintable() else "".join(map(_calm, text))


def _calm(character: str) -> str:
    if character.isprintable() or unicodedata.category(character) not in _ACTING:
        return character
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def ids_of(record: logging.LogRecord) -> dict[str, int | str]:
    """The ids that a line was given."""
    given = record.__dict__
    return {name: given[name] for name in IDS if given.get(name) is not None}


def sentence(record: logging.LogRecord) -> str:
    """The message, and in brackets the ids that it does not say itself; escaped."""
    message = record.getMessage()
    unsaid = [f"{name} {value}" for name, value in ids_of(record).items() if not _says(message, name, value)]
    return escaped(f"{message} [{', '.join(unsaid)}]" if unsaid else message)


def _says(message: str, name: str, value: int | str) -> bool:
    before, found, after = message.partition(f"{name} {value}")
    return bool(found) and not (before[-1:].isalnum() or after[:1].isalnum())


def traceback_lines(record: logging.LogRecord) -> list[str]:
    """The traceback that comes with it, each line escaped; empty when there is none."""
    text = logging.Formatter().formatException(record.exc_info) if record.exc_info else ""
    return [escaped(line) for line in text.split("\n")] if text else []


def priority(record: logging.LogRecord) -> int:
    """The level as systemd numbers it."""
    return next(number for level, number in PRIORITIES.items() if record.levelno >= level or level == 10)


def _time(record: logging.LogRecord) -> str:
    return (
        datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


class TextLines(logging.Formatter):
    """For people: time, level, part, the sentence; a traceback on marked lines below it."""

    def __init__(self, priorities: bool = False) -> None:
        super().__init__()
        self._priorities = priorities

    def format(self, record: logging.LogRecord) -> str:
        """The line, or lines when there is a traceback; with `priorities` each begins as systemd reads it."""
        begin = f"<{priority(record)}>" if self._priorities else ""
        level = record.levelname.lower()
        head = f"{_time(record)} {level:7} {escaped(part_of(record.name))}: {sentence(record)}"
        return "\n".join(
            begin + line for line in [head, *(_UNDER + line for line in traceback_lines(record))]
        )


class JsonLines(logging.Formatter):
    """For programs: one JSON object a line, in ASCII."""

    def __init__(self, priorities: bool = False) -> None:
        super().__init__()
        self._priorities = priorities

    def format(self, record: logging.LogRecord) -> str:
        """`time`, `level`, `part`, `message`, the ids, and `traceback` if there is one."""
        fact: dict[str, object] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "part": part_of(record.name),
            "message": record.getMessage(),
            **ids_of(record),
        }
        if record.exc_info:
            fact["traceback"] = "\n".join(traceback_lines(record))
        line = json.dumps(fact, default=str).replace("\x7f", "\\u007f")
        return f"<{priority(record)}>{line}" if self._priorities else line
