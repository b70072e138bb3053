"""A task made in Python: written as the folder that it stands for, row by row."""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from crowdd.client import Task, TaskFolderRefused
from crowdd.client.task import written_task
from crowdd.client.toml import dump_toml

from ..control.fakes import Desk

CONFIG: dict[str, Any] = {
    "name": "words",
    "blueprint": {"units_per_assignment": 2},
    "qualifications": [{"name": "German", "comparator": ">=", "value": 3}],
}
PAGE: dict[str, str | bytes] = {"index.html": "<p>${text}</p>", "pictures/dot.png": b"\x89PNG"}

texts = st.text(st.characters(exclude_categories=["Cs"]))
scalars = texts | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False)
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=20)


@given(st.dictionaries(texts, values))
def test_toml_that_is_written_is_read_as_the_same(document: dict[str, Any]) -> None:
    assert tomllib.loads(dump_toml(document)) == document


@pytest.mark.parametrize(
    ("value", "told"), [(None, "leave it out"), ({1, 2}, "set"), ("\ud800", "surrogate"), ({1: 2}, "keys")]
)
def test_what_toml_cannot_say_is_refused_with_its_place(value: object, told: str) -> None:
    with (
        pytest.raises(TaskFolderRefused, match=told),
        written_task(Task({"name": "words", "pay": {"reward": value}})),
    ):
        pass


def test_the_folder_is_there_while_it_is_sent_and_gone_after() -> None:
    with written_task(Task(CONFIG, [{"text": "one"}], PAGE, {"task.py": "x = 1\n"})) as folder:
        assert tomllib.loads((folder / "task.toml").read_text()) == CONFIG
        assert (folder / "page" / "pictures" / "dot.png").read_bytes() == b"\x89PNG"
        assert (folder / "data.jsonl").read_text() == '{"text": "one"}\n'
        assert (folder / "task.py").read_text() == "x = 1\n"
    assert not folder.exists()


def test_a_page_may_be_a_folder(tmp_path: Path) -> None:
    (tmp_path / "style").mkdir()
    (tmp_path / "style" / "a.css").write_text("p {}")
    with written_task(Task(CONFIG, [], tmp_path)) as folder:
        assert (folder / "page" / "style" / "a.css").read_text() == "p {}"


def test_rows_are_written_one_after_the_other() -> None:
    taken: list[int] = []

    def rows() -> Iterator[dict[str, Any]]:
        for number in range(3):
            taken.append(number)
            yield {"n": number, "text": "ä\u2028"}
        taken.append(-1)

    with written_task(Task(CONFIG, rows(), PAGE)) as folder:
        assert taken == [0, 1, 2, -1]
        lines = (folder / "data.jsonl").read_bytes().splitlines()
        assert [json.loads(line)["n"] for line in lines] == [0, 1, 2]


def test_without_rows_there_is_no_data_file() -> None:
    with written_task(Task(CONFIG, iter(()), PAGE)) as folder:
        assert not (folder / "data.jsonl").exists()


@pytest.mark.parametrize(
    ("task", "told"),
    [
        (Task(CONFIG, [{"a": 1}, {"a": float("nan")}], PAGE), "Row 1 cannot be written"),
        (Task(CONFIG, [{"a": object()}], PAGE), "Row 0 cannot be written"),
        (Task(CONFIG, [], {"../up.html": "x"}), "no path inside"),
        (Task(CONFIG, [], "/nowhere/page"), "cannot be read"),
        (Task(CONFIG, [{"a": 1}], PAGE, {"data.jsonl": "{}"}), "give one of them"),
    ],
)
def test_what_cannot_be_a_task_is_refused_in_words(task: Task, told: str) -> None:
    with pytest.raises(TaskFolderRefused, match=told), written_task(task):
        pass


async def test_a_task_made_in_python_is_launched(desk: Desk) -> None:
    task = Task(CONFIG, ({"n": number} for number in range(1000)), PAGE)
    run = await trio.to_thread.run_sync(desk.client().launch, task, {"label": "mine"})
    assert run.label == "mine"
    (folder,) = desk.operator.folders
    assert set(folder) == {"task.toml", "data.jsonl", "page/index.html", "page/pictures/dot.png"}
    assert folder["data.jsonl"].count(b"\n") == 1000
