"""JSON from outside and its canonical form."""

import contextlib
import json
from functools import partial
from typing import Any

import msgpack  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdd.protocol import documents
from crowdd.protocol.documents import (
    canonical_json,
    check_document,
    check_unpacked,
    content_digest,
    dump_json,
    load_json,
)
from crowdd.protocol.errors import BadRequest, RemoteProtocolError, Unsendable
from crowdd.protocol.limits import DEPTH_MAX
from crowdd.protocol.names import Reason
from crowdd.protocol.packets import FileNote

leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
)
values = st.recursive(
    leaves | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=12,
)


def note(sha256: str, name: str = "f") -> FileNote:
    return FileNote(sha256, 3, name, f"{name}.txt", "text/plain")


@given(values)
def test_documents_come_back_as_they_were(value: Any) -> None:
    assert load_json(dump_json(value)) == value


@given(
    st.recursive(
        leaves | st.text(max_size=3) | st.binary(max_size=3) | st.just(msgpack.ExtType(5, b"x")),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text(max_size=3) | st.binary(max_size=2), inner, max_size=3)
        ),
        max_leaves=8,
    ),
    st.sampled_from([0, 1, DEPTH_MAX - 1, DEPTH_MAX]),
)
def test_what_msgpack_read_is_refused_as_any_other_in_the_same_words(value: Any, depth: int) -> None:
    for _ in range(depth):
        value = [value]
    told: list[str | None] = []
    for check in (check_document, check_unpacked):
        try:
            told.append(check(value))
        except RemoteProtocolError as exc:
            told.append(str(exc))
    assert told[0] == told[1]


@given(st.binary(max_size=60) | st.text(alphabet='[]{}",:\\ud8ac01e-.tfn ', max_size=40).map(str.encode))
@settings(max_examples=500)
def test_bytes_of_any_kind_give_a_document_or_the_one_error(data: bytes) -> None:
    with contextlib.suppress(RemoteProtocolError):
        load_json(data)


@pytest.mark.parametrize(
    "text", [b"NaN", b"[Infinity]", b"-Infinity", b"1e999", b"{not json", b"", b"\xff", b"1 2"]
)
def test_what_is_no_json_is_refused(text: bytes) -> None:
    with pytest.raises(BadRequest, match="not JSON"):
        load_json(text)


@given(st.text(':"\\x\u00e4', max_size=6), values, values, st.sampled_from([0, 5_000]), st.booleans())
@settings(max_examples=200)
def test_an_object_that_names_a_key_twice_is_refused(
    name: str, first: Any, second: Any, more: int, escaped: bool
) -> None:
    write = partial(json.dumps, ensure_ascii=escaped)
    twice = f"{{{write(name)}: {write(first)}, {write(name)}: {write(second)}}}"
    text = f"[{twice}, {write(':' * more)}]".encode()
    with pytest.raises(BadRequest, match="names a key twice"):
        load_json(text)


def test_a_body_may_be_as_large_as_the_limit() -> None:
    assert load_json(b'"12345678"', bytes_max=10) == "12345678"


def test_a_larger_body_is_too_large() -> None:
    with pytest.raises(BadRequest) as caught:
        load_json(b'"123456789"', bytes_max=10)
    assert caught.value.reason is Reason.TOO_LARGE


def test_too_many_brackets_are_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "JSON_CONTAINERS_MAX", 4)
    assert load_json(b"[[],{},[]]") == [[], {}, []]
    assert load_json(b'["[[[[[", {"]{": "\\"{"}]') == ["[[[[[", {"]{": '"{'}]
    with pytest.raises(BadRequest) as caught:
        load_json(b"[[],{},[],[]]")
    assert caught.value.reason is Reason.TOO_LARGE


@pytest.mark.parametrize(("before", "after"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_nesting_has_a_limit(before: bytes, after: bytes) -> None:
    load_json(before * DEPTH_MAX + b"1" + after * DEPTH_MAX)
    with pytest.raises(BadRequest, match="nested deeper"):
        load_json(before * (DEPTH_MAX + 1) + b"1" + after * (DEPTH_MAX + 1))


def test_an_empty_list_is_a_level_too() -> None:
    with pytest.raises(BadRequest, match="nested deeper"):
        load_json(b"[" * (DEPTH_MAX + 1) + b"]" * (DEPTH_MAX + 1))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (rb'"cut \ud83d"', "cut �"),
        (rb'"\ude00 cut"', "� cut"),
        (rb'"\ud83d\ud83d\ude00"', "�😀"),
        (rb'"a\\ud83d \ud83d"', r"a\ud83d �"),
    ],
)
def test_half_an_emoji_does_not_cost_the_answer(text: bytes, value: str) -> None:
    assert load_json(text) == value


@pytest.mark.parametrize("value", [object(), {1: 2}, "\ud800", b"x", {"a": {1, 2}}])
def test_what_is_no_json_cannot_be_written(value: Any) -> None:
    with pytest.raises(Unsendable):
        dump_json(value)


@given(st.dictionaries(st.text(max_size=5), values, max_size=5))
def test_the_canonical_form_knows_no_order_of_keys(value: dict[str, Any]) -> None:
    assert canonical_json(dict(reversed(value.items()))) == canonical_json(value)


def test_the_same_content_has_the_same_digest() -> None:
    one = content_digest({"a": 1, "b": [2]}, [note("00"), note("11")])
    assert one == content_digest({"b": [2], "a": 1}, [note("11", "other"), note("00")])


@pytest.mark.parametrize(
    ("data", "files"),
    [
        ({"a": 2}, [note("00")]),
        ({"a": 1}, []),
        ({"a": 1}, [note("01")]),
        ({"a": 1}, [note("00"), note("00")]),
    ],
)
def test_other_content_has_another_digest(data: Any, files: list[FileNote]) -> None:
    assert content_digest(data, files) != content_digest({"a": 1}, [note("00")])
