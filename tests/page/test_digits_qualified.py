"""The example with an introduction and gold units: a sound task, and simulated workers who go through it."""

import json
import random
import shutil
from pathlib import Path

import pytest

import crowdd.examples
from crowdd.daemon.checking import check_task
from crowdd.daemon.registry import installed_plug_ins
from crowdd.testing.players import load_player

EXAMPLE = Path(crowdd.examples.__file__).parent / "digits-qualified"


def rows(name: str) -> list[str]:
    return (EXAMPLE / name).read_text().splitlines()


def test_it_is_a_task_without_faults_or_warnings() -> None:
    task = check_task(installed_plug_ins(), EXAMPLE, {})
    assert task.problems == ()
    assert task.plan("digits").warnings == []


def test_no_known_digit_is_also_one_to_be_read() -> None:
    assert not {*rows("data.jsonl")} & {*rows("gold.jsonl")}


def test_most_simulated_workers_pass_the_introduction_and_read_well() -> None:
    player, rng = load_player(EXAMPLE / "player.py"), random.Random(1)
    assert player.onboarding is not None
    passed = [player.onboarding({}, rng)["sample"] == "7" for _ in range(200)]
    assert 120 < sum(passed) < 200
    read = [json.loads(row) for row in rows("gold.jsonl")]
    right = sum(player(row, rng)["label"] == row["_truth"] for row in read)
    assert right >= 0.85 * len(read)


def test_a_page_without_its_data_would_be_refused(tmp_path: Path) -> None:
    task = Path(shutil.copytree(EXAMPLE, tmp_path / "task"))
    (task / "gold.jsonl").unlink()
    problems = check_task(installed_plug_ins(), task, {}).problems
    assert problems == ("gold.data: gold.jsonl: cannot be read: No such file or directory",)


@pytest.mark.parametrize(
    ("section", "named"),
    [("data = { rule = 1 }", ["${rules}"]), ("data = { rules = 1 }", []), ("", [])],
)
def test_the_page_of_an_introduction_is_filled_with_its_own_data(
    tmp_path: Path, section: str, named: list[str]
) -> None:
    (tmp_path / "page").mkdir()
    part = '<form data-crowdd="onboarding">${rules}<input name="a"></form>'
    (tmp_path / "page" / "index.html").write_text(
        f'<script src="crowdd.js"></script>{part}<form>${{n}}</form>'
    )
    (tmp_path / "data.jsonl").write_text('{"n": 1}\n')
    (tmp_path / "task.toml").write_text(f'name = "x"\n[onboarding]\nqualification = "o"\n{section}\n')
    problems = check_task(installed_plug_ins(), tmp_path, {}).problems
    assert [name for name in named if any(name in problem for problem in problems)] == named
    assert len(problems) == len(named)
