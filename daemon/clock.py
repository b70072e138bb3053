"""Wall-clock time as an argument: read at the edge, passed inwards. Durations are trio's clock, not this."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import trio

Wall = Callable[[], datetime]
"""Gives the present as an aware UTC datetime."""


def wall_clock() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


def simulated_wall() -> datetime:
    """A wall clock that follows trio's (virtual) clock, for simulation."""
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=trio.current_time())
