"""What a row means: shared data and units; and what of it a page may see."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdd.daemon.blueprints.contract import Row
from crowdd.daemon.blueprints.rows import RowFault, page_view, row_of

KEYS = st.text("ab_", max_size=3)
VALUES = st.recursive(
    st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


def test_a_plain_row_is_shared_by_equal_units() -> None:
    assert row_of({"text": "a"}, 3) == Row({"text": "a"}, [{}, {}, {}])


def test_a_row_with_unit_data_has_one_unit_for_each() -> None:
    row = row_of({"shared": {"text": "a"}, "unit_data": [{"side": 1}, {"side": 2}]}, 5)
    assert row == Row({"text": "a"}, [{"side": 1}, {"side": 2}])


def test_unit_data_needs_nothing_shared() -> None:
    assert row_of({"unit_data": [{"side": 1}]}, 1) == Row({}, [{"side": 1}])


NO_ROWS: list[tuple[Any, str]] = [
    ("a", "must be an object with names and values, not text"),
    (None, "not nothing"),
    ([1], "not a list"),
    ({"unit_data": []}, "one object for each unit"),
    ({"unit_data": {"a": 1}}, "one object for each unit"),
    ({"unit_data": [{"a": 1}, 2]}, "unit 2 of 'unit_data' must be an object, not a number"),
    ({"unit_data": [{}], "shared": 1}, "'shared' must be an object"),
    ({"unit_data": [{}], "text": 1}, "'text' is beside 'unit_data'"),
    ({"unit_data": [{}] * 10_001}, "at most 10000"),
    ({"a": {1, 2}}, "set in free-form data"),
    ({"a": {1: 2}}, "a key that is not text"),
]


@pytest.mark.parametrize(("value", "words"), NO_ROWS)
def test_what_is_no_row_is_refused_with_the_reason(value: Any, words: str) -> None:
    with pytest.raises(RowFault, match=words):
        row_of(value, 1)


def test_a_row_nested_too_deep_is_refused() -> None:
    value: dict[str, Any] = {}
    for _ in range(100):
        value = {"deeper": value}
    with pytest.raises(RowFault, match="nested deeper"):
        row_of(value, 1)


def test_keys_with_an_underscore_are_not_for_pages() -> None:
    hidden = {"_truth": 7, "id": 1, "parts": [{"_score": 2, "text": "a"}], "deep": {"_x": {"y": 1}}}
    assert page_view(hidden) == {"id": 1, "parts": [{"text": "a"}], "deep": {}}


def keys_of(value: Any) -> list[str]:
    return re.findall(r'"([^"]*)":', json.dumps(value))


@given(VALUES)
def test_no_page_ever_sees_a_hidden_key_and_nothing_else_is_lost(value: Any) -> None:
    seen = page_view(value)
    assert not any(key.startswith("_") for key in keys_of(seen))
    assert page_view(seen) == seen
    if not any(key.startswith("_") for key in keys_of(value)):
        assert seen == value
