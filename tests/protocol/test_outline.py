"""The outline of a JSON text: what is in strings is no part of it, and nesting is seen in it."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdd.protocol import outline as outline_module
from crowdd.protocol.outline import containers, is_deeper, outline

texts = st.text('[]{}:"\\\\ab\u00e4\U0001f600', max_size=6)
values = st.recursive(
    st.none() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=10,
)


def brackets_of(value: Any) -> str:
    match value:
        case {}:
            return "{" + "".join(":" + brackets_of(inner) for inner in value.values()) + "}"
        case [*_]:
            return "[" + "".join(brackets_of(inner) for inner in value) + "]"
        case _:
            return ""


def depth_of(value: Any) -> int:
    deepest = depth = 0
    for bracket in brackets_of(value):
        depth += {"[": 1, "{": 1, ":": 0}.get(bracket, -1)
        deepest = max(deepest, depth)
    return deepest


@given(values, st.booleans())
@settings(max_examples=300)
def test_it_has_the_brackets_and_colons_outside_of_strings(value: Any, escaped: bool) -> None:
    assert outline(json.dumps(value, ensure_ascii=escaped).encode()).decode() == brackets_of(value)


@pytest.mark.parametrize("block_bytes", [1, 2, 3, 7])
def test_it_is_the_same_wherever_its_blocks_end(block_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outline_module, "_BLOCK_BYTES", block_bytes)
    assert outline(rb'{"[:": ["\\", "\"[", {"a": "]"}, []]}') == b"{:[{:}[]]}"


@given(values)
def test_it_is_as_deep_as_the_document(value: Any) -> None:
    said, depth = outline(json.dumps(value).encode()), depth_of(value)
    assert not is_deeper(said, depth)
    assert depth == 0 or is_deeper(said, depth - 1)


@given(values)
def test_it_has_all_lists_and_objects(value: Any) -> None:
    assert containers(outline(json.dumps(value).encode())) == brackets_of(value).count("[") + brackets_of(
        value
    ).count("{")
