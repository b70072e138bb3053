"""Two hundred worlds, each another minute of bad luck: all promises hold in every one of them.

The large campaign is a command: `python -m benchmarks.seeds`. What a seed finds, it finds again:
`SEEDS=17:18 pytest tests/testing/test_seeds.py`.
"""

import os
from collections.abc import Iterator
from multiprocessing.pool import Pool

import pytest

from crowdd.testing.seeds import (
    FAULTS_S,
    HEALING_S,
    SCENES,
    SeedReport,
    open_pool,
    rehearse_scene,
    run_seeds,
)

AT_ONCE = 20  # half a minute on two processors
FIRST, LAST = map(int, os.environ.get("SEEDS", "1:201").split(":"))


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with open_pool() as opened:
        yield opened


@pytest.mark.parametrize("first", range(FIRST, LAST, AT_ONCE))
def test_200_seeds_of_faults_and_healing_break_no_promise(first: int, pool: Pool) -> None:
    seeds = range(first, min(first + AT_ONCE, LAST))
    reports = list(run_seeds(pool, seeds))
    print(_speed(reports))
    assert [(report.seed, report.scene, report.violations) for report in reports if report.violations] == []
    assert sorted(report.seed for report in reports) == [*seeds]
    assert all(report.calls > 100 for report in reports)


def test_a_world_of_every_scene_does_the_same_again() -> None:
    for seed, scene in enumerate(SCENES):
        first, second = rehearse_scene(seed, scene), rehearse_scene(seed, scene)
        assert first.history == second.history, scene
        assert first.facts.history == second.facts.history, scene


def _speed(reports: list[SeedReport]) -> str:
    virtual_s, cpu_s = (
        sum(report.virtual_s for report in reports),
        sum(report.cpu_s for report in reports),
    )
    return (
        f"{len(reports)} seeds of {FAULTS_S:g} + {HEALING_S:g} virtual seconds: "
        f"{virtual_s / cpu_s:.0f} times real time on one core, {cpu_s:.0f} s of CPU"
    )
