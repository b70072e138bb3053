"""Log records as the daemon makes them."""

import logging
import sys
from typing import Any

INTAKE = "crowdd.daemon.intake"
NOON = 1772366400.0  # 2026-03-01 12:00 UTC


def said(message: str, *arguments: object, part: str = INTAKE, **ids: Any) -> logging.LogRecord:
    """A line with ids, said at noon at level info."""
    record = logging.getLogger(part).makeRecord(part, 20, "here.py", 1, message, arguments, None, extra=ids)
    record.created = NOON
    return record


def failed(error: Exception, **ids: Any) -> logging.LogRecord:
    """A line about an error, with its traceback."""
    record = said("it failed", **ids)
    record.levelno, record.levelname = logging.ERROR, "ERROR"
    try:
        raise error
    except Exception:
        record.exc_info = sys.exc_info()
    return record
