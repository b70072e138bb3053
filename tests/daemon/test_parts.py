"""How a run's parts come from its folder: its config, its task.py, its pages."""

import json
from pathlib import Path

from trio.testing import MockClock

from crowdd.protocol.names import AssignmentId, UnitStatus

from .virtual import open_virtual

TASK = """
name = "coded"
[architect]
type = "mock"
[provider]
type = "mock"
"""
CODE = """
from . import words

def rows():
    for word in words.WORDS:
        yield {"word": word, "_truth": len(word)}
"""
PAGE = (
    '<!doctype html><title>t</title><script src="crowdd.js"></script><form data-crowdd="task">${word}</form>'
)


def a_coded_task(folder: Path) -> Path:
    (folder / "page").mkdir(parents=True)
    (folder / "page" / "index.html").write_text(PAGE)
    (folder / "task.toml").write_text(TASK)
    (folder / "task.py").write_text(CODE)
    (folder / "words.py").write_text("WORDS = ['one', 'three']\n")
    return folder


async def test_rows_of_task_py_become_units(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual:
        task = a_coded_task(tmp_path / "coded")
        run = await virtual.operator.launch(task, {}, "launch", "staff:ann")
        await virtual.until_live(run.id)
        assert await virtual.units(run) == [UnitStatus.LAUNCHED] * 2
        assignment = await virtual.storage.assignment(AssignmentId(2))
        assert assignment.shared == {"word": "three", "_truth": 5}


async def test_what_begins_with_an_underscore_is_not_given_to_pages(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        task = a_coded_task(tmp_path / "coded")
        run = await virtual.operator.launch(task, {}, "launch", "staff:ann")
        await virtual.until_live(run.id)
        answered = await (await virtual.page(run, "ann")).register()
        assert json.loads(json.dumps(answered.told["init_task_data"])) == {"word": "one"}
