"""The ten comparators, and whom they are asked of."""

import pytest

from crowdd.daemon.admission.requirements import (
    LIST_MAX,
    VALUE_MAX,
    Comparator,
    Requirement,
    RequirementFault,
    Value,
    unknown_names,
    unmet,
)


@pytest.mark.parametrize(
    ("comparator", "value", "met_by", "not_met_by"),
    [
        (Comparator.GREATER_THAN, 5, [6, 100], [5, 4, -6, None]),
        (Comparator.GREATER_THAN_OR_EQUAL_TO, 5, [5, 6], [4, None]),
        (Comparator.LESS_THAN, 5, [4, -100], [5, 6, None]),
        (Comparator.LESS_THAN_OR_EQUAL_TO, 5, [5, 4], [6, None]),
        (Comparator.EQUAL_TO, 5, [5], [4, 6, None]),
        (Comparator.NOT_EQUAL_TO, 5, [4, 0], [5, None]),
        (Comparator.EXISTS, None, [0, 1, -1], [None]),
        (Comparator.DOES_NOT_EXIST, None, [None], [0, 1]),
        (Comparator.IN, (1, 3), [1, 3], [2, None]),
        (Comparator.NOT_IN, (1, 3), [2, 0], [1, 3, None]),
    ],
)
def test_each_comparator_compares_as_it_is_called(
    comparator: Comparator, value: Value, met_by: list[int | None], not_met_by: list[int | None]
) -> None:
    requirement = Requirement("skill", comparator, value)
    assert [granted for granted in met_by if not requirement.met_by(granted)] == []
    assert [granted for granted in not_met_by if requirement.met_by(granted)] == []


def test_there_are_ten_comparators() -> None:
    assert len(Comparator) == 10


@pytest.mark.parametrize(
    ("comparator", "value", "key"),
    [
        (Comparator.EXISTS, 1, "value"),
        (Comparator.DOES_NOT_EXIST, 0, "value"),
        (Comparator.IN, 1, "value"),
        (Comparator.NOT_IN, (), "value"),
        (Comparator.IN, tuple(range(LIST_MAX + 1)), "value"),
        (Comparator.EQUAL_TO, None, "value"),
        (Comparator.LESS_THAN, (1,), "value"),
        (Comparator.EQUAL_TO, VALUE_MAX + 1, "value"),
    ],
)
def test_a_value_that_does_not_go_with_its_comparator_is_refused(
    comparator: Comparator, value: Value, key: str
) -> None:
    with pytest.raises(RequirementFault) as caught:
        Requirement("skill", comparator, value)
    assert caught.value.key == key


def test_a_requirement_of_no_name_or_for_nobody_is_refused() -> None:
    with pytest.raises(RequirementFault, match="name"):
        Requirement(" ", Comparator.EXISTS)
    with pytest.raises(RequirementFault, match="applicable_providers"):
        Requirement("skill", Comparator.EXISTS, applicable_providers=())


def test_the_first_requirement_that_is_not_met_is_named() -> None:
    age, skill = Requirement("age", Comparator.EXISTS), Requirement("skill", Comparator.EQUAL_TO, 1)
    assert unmet([age, skill], {"age": 30}, "inhouse") is skill
    assert unmet([age, skill], {"age": 30, "skill": 1}, "inhouse") is None


def test_a_requirement_is_asked_only_of_workers_of_its_providers() -> None:
    requirement = Requirement("skill", Comparator.EXISTS, applicable_providers=("prolific", "mturk"))
    assert unmet([requirement], {}, "inhouse") is None
    assert unmet([requirement], {}, "mturk") is requirement


def test_x18_names_that_no_qualification_has_are_told_once_each() -> None:
    demanded = [Requirement(name, Comparator.EXISTS) for name in ("a", "tpyo", "b", "tpyo", "own")]
    assert unknown_names(demanded, known={"a", "b"}, own={"own"}) == ["tpyo"]
