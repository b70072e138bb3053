"""Where a process's log goes: set once, at its start."""

import logging
import os
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import TextIO

from .journal import JournalHandler, is_journal
from .lines import JsonLines, TextLines
from .parts import OURS, set_levels

FORMATS = ("text", "json")


def write_log(form: str, levels: Mapping[str, str]) -> None:
    """Send all that is logged to stderr, each line before the call that said it returns.

    In a service whose stderr is the journal, text becomes lines with fields and JSON gets priorities.
    Libraries are heard from `warning` on: below that they say addresses, which hold personal links.
    What ends the process by an error is a line of the log, too, and so are Python's warnings.
    """
    logging.basicConfig(handlers=[_handler(form, sys.stderr, os.environ)], level=logging.WARNING, force=True)
    logging.captureWarnings(True)
    set_levels(levels)
    sys.excepthook = _say_end


def format_now() -> str:
    """The form in which this process logs."""
    return "json" if any(isinstance(h.formatter, JsonLines) for h in logging.getLogger().handlers) else "text"


def say_refusal(words: str) -> bool:
    """Log why the process ends, if programs read its log; False when people do, to be told without a time."""
    if format_now() == "json":
        logging.getLogger(OURS).critical("%s", words)
    return format_now() == "json"


def _handler(form: str, stream: TextIO, environment: Mapping[str, str]) -> logging.Handler:
    in_journal = is_journal(stream, environment)
    lines = logging.StreamHandler(stream)
    lines.setFormatter(JsonLines(in_journal) if form == "json" else TextLines(in_journal))
    return JournalHandler(lines) if in_journal and form == "text" else lines


def _say_end(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)
    else:
        logging.getLogger(OURS).critical("ended by an error", exc_info=(kind, error, traceback))
