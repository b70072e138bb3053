"""The digits example is a sound task with real data, and its player reads without being told the truth."""

import json
import random
from pathlib import Path

import pytest

import crowdd.examples
from crowdd.daemon.blueprints.contract import Material
from crowdd.daemon.blueprints.rows import page_view
from crowdd.daemon.blueprints.static import StaticBlueprint
from crowdd.daemon.task_config import RunConfig
from crowdd.daemon.task_toml import load_config
from crowdd.testing.players import load_player

EXAMPLE = Path(crowdd.examples.__file__).parent / "digits"
ROWS = [json.loads(line) for line in (EXAMPLE / "data.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def config() -> RunConfig:
    return load_config(EXAMPLE)


def test_it_is_a_task_without_faults(config: RunConfig) -> None:
    blueprint = StaticBlueprint(config.blueprint.options, Material(EXAMPLE, config))
    assert blueprint.check() == []
    assert len(list(blueprint.rows())) == len(ROWS) == 120


def test_its_pictures_are_whole() -> None:
    assert all(len(row["pixels"]) == 64 and set(row["pixels"]) <= set(range(17)) for row in ROWS)
    assert len({tuple(row["pixels"]) for row in ROWS}) == len(ROWS)
    assert {row["_truth"] for row in ROWS} == set("0123456789")


def test_its_preview_is_no_digit_of_the_data(config: RunConfig) -> None:
    sample = config.task_config["preview_data"]["pixels"]
    assert len(sample) == 64
    assert sample not in [row["pixels"] for row in ROWS]


def test_its_player_reads_most_digits_right_and_knows_none_of_them() -> None:
    answer = load_player(EXAMPLE / "player.py")
    rng = random.Random(1)
    right = sum(answer(page_view(row), rng)["label"] == row["_truth"] for row in ROWS)
    examples = [pixels for _, pixels in json.loads((EXAMPLE / "examples.json").read_text())]
    assert 0.85 * len(ROWS) < right < len(ROWS)
    assert not [row for row in ROWS if row["pixels"] in examples]
