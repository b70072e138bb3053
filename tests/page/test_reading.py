"""Data files become rows, lazily, and each fault is named by file and line."""

import csv
import io
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdd.daemon.blueprints.reading import DataFault, Found, read_rows

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
CELLS = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from(',"\n'), max_size=12)


def values(rows: Any) -> list[Any]:
    return [row.value for row in rows if isinstance(row, Found)]


def faults(rows: Any) -> list[str]:
    return [str(row) for row in rows if isinstance(row, DataFault)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@given(st.lists(JSON_VALUES, max_size=6))
def test_json_lines_come_back_as_they_were_written(folder: Path, rows: list[Any]) -> None:
    path = written(folder, "some.jsonl", "\n".join(json.dumps(row) for row in rows))
    assert values(read_rows(path)) == rows


@given(st.lists(JSON_VALUES, max_size=6), st.sampled_from([None, 2]))
def test_a_json_list_comes_back_as_it_was_written(folder: Path, rows: list[Any], indent: int | None) -> None:
    path = written(folder, "some.json", json.dumps(rows, indent=indent))
    assert values(read_rows(path)) == rows


@given(st.lists(st.tuples(CELLS, CELLS), max_size=6))
def test_a_csv_comes_back_as_text_by_column(folder: Path, rows: list[tuple[str, str]]) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([("one", "two"), *rows])
    path = written(folder, "some.csv", text.getvalue())
    assert values(read_rows(path)) == [{"one": one, "two": two} for one, two in rows]


@given(st.binary(max_size=60), st.sampled_from(["jsonl", "json", "csv"]))
def test_whatever_a_file_contains_is_rows_or_faults(folder: Path, content: bytes, kind: str) -> None:
    path = written(folder, f"strange.{kind}", content)
    last: list[DataFault] = []

    def rows() -> Iterator[Found | DataFault]:
        try:
            yield from read_rows(path)
        except DataFault as exc:
            last.append(exc)

    assert all(fault.startswith(path.name) for fault in faults([*rows(), *last]))


def test_a_csv_whose_first_line_opens_a_quote_for_good_is_a_fault(folder: Path) -> None:
    path = written(folder, "some.csv", '"one,two\n1,2\n')
    with pytest.raises(DataFault, match=r"^some\.csv:1: unexpected end of data$"):
        list(read_rows(path))


def test_lines_are_read_only_as_far_as_rows_are_wanted(folder: Path) -> None:
    path = written(folder, "lazy.jsonl", '{"a": 1}\n{"a": 2}\nnonsense\n')
    assert values(itertools.islice(read_rows(path), 2)) == [{"a": 1}, {"a": 2}]


def test_a_bad_line_is_named_and_the_others_are_read(folder: Path) -> None:
    path = written(folder, "some.jsonl", '{"a": 1}\n\n{"a": \n{"a": 3}\n{"a": NaN}\n')
    rows = list(read_rows(path))
    assert values(rows) == [{"a": 1}, {"a": 3}]
    assert [fault.split(": ")[0] for fault in faults(rows)] == ["some.jsonl:3", "some.jsonl:5"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.json", '{"a": 1}', "a.json:1: must be a list of rows"),
        ("a.json", '[\n{"a": 1}\n{"a": 2}]', "a.json:3: a comma or the end of the list is missing"),
        ("a.json", '[{"a": 1},\n\n{"a": }]', "a.json:3: is not JSON"),
        ("a.json", '[{"a": NaN}]', "a.json:1: is not JSON: NaN"),
        ("a.json", '[{"a": 1},]', "a.json:1: is not JSON"),
        ("a.json", b'["\xff"]', "a.json: is not UTF-8"),
        ("a.csv", "", "a.csv:1: the first line must name the columns"),
        ("a.csv", "a,,b\n", "a.csv:1: column 2 has no name"),
        ("a.csv", "a,b,a\n", "a.csv:1: column 'a' is there twice"),
        ("a.csv", "a;b\n1;2\n", "a.csv:1: names one column, 'a;b': separate columns by commas, not by ';'"),
        ("a.csv", 'a,b\n"open', "a.csv:2: "),
        ("a.jsonl", b'"' + b"x" * 5_000_000 + b'"', "a.jsonl:1: is longer than"),
    ],
)
def test_a_file_that_cannot_be_read_says_where_and_why(
    folder: Path, name: str, content: str | bytes, words: str
) -> None:
    with pytest.raises(DataFault, match=words):
        list(read_rows(written(folder, name, content)))


def test_a_row_with_too_few_cells_is_named_by_its_first_line(folder: Path) -> None:
    path = written(folder, "a.csv", 'a,b\n"two\nlines",x\nlonely\n1,2\n')
    rows = list(read_rows(path))
    assert faults(rows) == ["a.csv:4: has 1 cells, the first line names 2 columns"]
    assert len(values(rows)) == 2


def test_a_mark_of_windows_editors_is_no_part_of_the_data(folder: Path) -> None:
    for name, content in (("b.jsonl", '{"a": "1"}'), ("b.json", '[{"a": "1"}]'), ("b.csv", "a\r\n1\r\n")):
        assert values(read_rows(written(folder, name, b"\xef\xbb\xbf" + content.encode()))) == [{"a": "1"}]


def test_a_file_that_is_not_there_is_said_to_be_so(folder: Path) -> None:
    with pytest.raises(DataFault, match=r"none\.csv: cannot be read: No such file"):
        list(read_rows(folder / "none.csv"))
