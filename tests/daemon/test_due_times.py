"""Until when somebody has time."""

from datetime import UTC, datetime, timedelta

from crowdd.daemon.due_times import due_after, time_left_s, with_lost_time

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_no_duration_is_time_for_ever() -> None:
    assert (due_after(NOW, 60), due_after(NOW, 0)) == (NOW + MINUTE, None)


def test_lost_time_is_added_and_nobody_has_less_than_asked() -> None:
    assert with_lost_time(NOW, 60, NOW) == NOW + MINUTE
    assert with_lost_time(NOW, 60, NOW + 5 * MINUTE) == NOW + 5 * MINUTE


def test_time_that_is_over_is_none_left_and_not_less() -> None:
    assert [time_left_s(due, NOW) for due in (None, NOW + MINUTE, NOW - MINUTE)] == [None, 60.0, 0.0]
