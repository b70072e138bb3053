"""How records become rows and are made of them."""

from datetime import UTC, datetime, timedelta, timezone

import attrs
import pytest

from crowdd.protocol.names import AgentId, AssignmentId, RunId, UnitId, UnitStatus, WorkerId
from crowdd.storage.makers import maker
from crowdd.storage.records import Unit
from crowdd.storage.rows import changed, dump_time, from_row, to_values

UNIT = Unit(
    UnitId(1),
    RunId(2),
    AssignmentId(3),
    0,
    UnitStatus.ASSIGNED,
    4,
    AgentId(5),
    WorkerId(6),
    pay_cents=7,
    rank=8,
)
ROUND = datetime(2026, 11, 23, 15, 4, 5, tzinfo=UTC)


def _positive(number: int) -> int:
    return abs(number)


@attrs.frozen
class Positive:
    """Is not only its values."""

    number: int = attrs.field(converter=_positive)


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


def test_a_record_of_a_row_is_like_any_other() -> None:
    read = from_row(Unit, to_values(UNIT))
    assert (read, type(read), hash(read)) == (UNIT, Unit, hash(UNIT))


def test_nobody_changes_a_record_of_a_row() -> None:
    read = from_row(Unit, to_values(UNIT))
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(read, "rank", 1)  # noqa: B010 - a type checker would not let it


def test_a_row_that_is_too_short_makes_no_record() -> None:
    with pytest.raises(TypeError):
        maker(Unit)(*to_values(UNIT)[:3])


def test_a_class_that_converts_its_values_makes_its_records_itself() -> None:
    assert maker(Positive)(-1) == Positive(1)


def test_a_changed_record_differs_in_nothing_else() -> None:
    moved = changed(UNIT, status=UnitStatus.LAUNCHED, agent_id=None)
    assert moved == attrs.evolve(UNIT, status=UnitStatus.LAUNCHED, agent_id=None)
