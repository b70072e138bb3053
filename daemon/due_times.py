"""Until when somebody has time: from a duration, with what was lost given back, and what is left. Pure."""

from datetime import datetime, timedelta


def due_after(begun: datetime, duration_s: float) -> datetime | None:
    """The end of the time of somebody who begins then; None, for 0 s: they have time for ever."""
    return begun + timedelta(seconds=duration_s) if duration_s else None


def with_lost_time(due_at: datetime, lost_s: float, at_least: datetime) -> datetime:
    """The end of the time, once what an outage took was given back; not before `at_least`."""
    return max(due_at + timedelta(seconds=lost_s), at_least)


def time_left_s(due_at: datetime | None, now: datetime) -> float | None:
    """What a page is told to count down from; None: no limit."""
    return None if due_at is None else max(0.0, (due_at - now).total_seconds())
