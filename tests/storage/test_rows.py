"""How records become rows and are made of them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from crowdd.storage.rows import dump_time

ROUND = datetime(2026, 11, 23, 15, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize("part", [0, 1, 120_000, 999_999])
@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=-3, minutes=-30))])
def test_a_time_is_text_in_utc_with_microseconds(part: int, zone: timezone) -> None:
    text = dump_time(ROUND.replace(microsecond=part).astimezone(zone))
    assert text == f"2026-11-23T15:04:05.{part:06}+00:00"


def test_times_sort_as_text_from_the_first_year_to_the_last() -> None:
    early, late = datetime(1, 1, 1, microsecond=1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    assert (dump_time(early), dump_time(late)) == (
        "0001-01-01T00:00:00.000001+00:00",
        "9999-12-31T23:59:59.999999+00:00",
    )
