"""SEC8: an object that names a key twice is no document, however it is written. All others are."""

import json
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdd.protocol.documents import load_json
from crowdd.protocol.errors import BadRequest


@attrs.frozen
class Members:
    """An object as it is written: its members in order, with keys that may come again."""

    pairs: tuple[tuple[str, Any], ...]


@attrs.frozen
class Items:
    """A list as it is written."""

    items: tuple[Any, ...]


TEXTS = st.text(alphabet='ab:"\\{}[], \n\té\u2028', max_size=6)
LEAVES = st.none() | st.booleans() | st.integers(-9, 9) | TEXTS
SPACES = st.sampled_from(["", " ", "\n", "\t\r\n "])


def written(value: Any, spaces: str, ascii_only: bool) -> str:
    """This value as JSON text, with so much space wherever some may be."""
    match value:
        case Members(pairs):
            between = f"{spaces}:{spaces}"
            inner = [written(each, spaces, ascii_only) for pair in pairs for each in pair]
            members = map(between.join, zip(inner[::2], inner[1::2], strict=True))
            return "{" + spaces + f"{spaces},{spaces}".join(members) + spaces + "}"
        case Items(items):
            return "[" + ",".join(spaces + written(each, spaces, ascii_only) for each in items) + spaces + "]"
        case _:
            return json.dumps(value, ensure_ascii=ascii_only)


def inside(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    pairs = st.lists(st.tuples(TEXTS, children), max_size=4)
    items = st.lists(children, max_size=4).map(lambda each: Items(tuple(each)))
    return items | pairs.map(lambda each: Members(tuple(each)))


DOCUMENTS = st.recursive(LEAVES, inside, max_leaves=12)


def names_twice(value: Any) -> bool:
    match value:
        case Members(pairs):
            keys = [key for key, _ in pairs]
            return len(set(keys)) < len(keys) or any(names_twice(each) for _, each in pairs)
        case Items(items):
            return any(names_twice(each) for each in items)
        case _:
            return False


@given(DOCUMENTS, SPACES, st.booleans())
def test_sec8_a_document_is_refused_exactly_if_an_object_names_a_key_twice(
    value: Any, spaces: str, ascii_only: bool
) -> None:
    text = written(value, spaces, ascii_only)
    if names_twice(value):
        with pytest.raises(BadRequest, match="names a key twice"):
            load_json(text.encode())
    else:
        assert load_json(text.encode()) == json.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        b'{"a": 1, "a": 1}',
        b'{"a": 1, "\\u0061": 2}',
        b'{"x": [{"b": {}}, {"a": ":", "a": ":"}]}',
        b'{"": 0, "": 1}',
        b'{"USED_AGENT_ID": "mine", "final_data": {}, "USED_AGENT_ID": "yours"}',
        b'{"a": "' + b"x" * 70_000 + b'", "a": "' + b":" * 70_000 + b'"}',
    ],
)
def test_sec8_whichever_value_would_win_neither_is_taken(text: bytes) -> None:
    with pytest.raises(BadRequest, match="names a key twice"):
        load_json(text)


@pytest.mark.parametrize(
    "text",
    [
        b'{"a": "\\"a\\": 1, \\"a\\": 2"}',
        b'["a:", ":a", "\\\\", "::"]',
        b'{"a": "' + b"\\\\" * 40_000 + b'", "b": "' + b'\\":' * 40_000 + b'"}',
        b'{"a": "' + b'":"'.replace(b'"', b'\\"') * 30_000 + b'"}',
        b'{"a": {"a": {"a": ":"}}}',
    ],
)
def test_what_only_looks_as_if_it_came_twice_is_taken(text: bytes) -> None:
    assert load_json(text) == json.loads(text)
