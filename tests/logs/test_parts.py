"""Levels by part: what people call them, how they are set, what the nearest name is."""

import logging
from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from crowdd.logs.parts import (
    PARTS,
    UnknownName,
    level_of,
    levels_now,
    part_of,
    read_levels,
    set_level,
    set_levels,
)


@pytest.fixture(autouse=True)
def levels() -> Iterator[None]:
    """The levels of this process, put back at the end."""
    loggers = [logging.getLogger(part.logger) for part in PARTS.values()]
    before = [logger.level for logger in loggers]
    yield
    for logger, level in zip(loggers, before, strict=True):
        logger.setLevel(level)


@pytest.mark.parametrize("part", PARTS)
def test_every_part_is_a_module_that_there_is(part: str) -> None:
    assert find_spec(PARTS[part].logger) is not None


def test_a_logger_belongs_to_the_nearest_part_above_it() -> None:
    assert part_of("crowdd.daemon.worker_pool") == "daemon.worker_pool"
    assert part_of("crowdd.daemon.architects.local") == "daemon.architects"
    assert part_of("crowdd.daemon.router_link") == "links"
    assert part_of("crowdd.daemon.control.service") == "control"
    assert part_of("crowdd.daemon.something_new") == "daemon"
    assert part_of("crowdd") == "crowdd"
    assert part_of("hypercorn.error") == "hypercorn.error"


def test_a_part_says_more_than_the_rest() -> None:
    set_levels(read_levels(["daemon.worker_pool=debug", "warning"]))
    assert level_of("daemon.worker_pool") == "debug"
    assert level_of("daemon") == level_of("links") == level_of("router") == "warning"


def test_without_a_word_all_say_info() -> None:
    set_levels(read_levels([]))
    assert {level_of(part) for part in PARTS} == {"info"}


def test_a_part_takes_all_below_it_along() -> None:
    set_levels(read_levels(["daemon.intake=debug", "control=error"]))
    set_level("daemon", "warning")
    assert level_of("daemon.intake") == level_of("control") == "warning"
    assert level_of("router") == "info"


def test_the_levels_of_now_can_be_handed_to_another_process() -> None:
    words = ["warning", "router.desk=debug", "links=error"]
    set_levels(read_levels(words))
    assert read_levels(levels_now()) == read_levels(words)


@pytest.mark.parametrize(
    ("word", "words"),
    [
        (
            "daemon.workerpool=debug",
            "There is no part 'daemon.workerpool'. Did you mean 'daemon.worker_pool'?",
        ),
        ("link=debug", "There is no part 'link'. Did you mean 'links'?"),
        ("debugg", "There is no level 'debugg'. Did you mean 'debug'?"),
        ("links=", "There is no level ''. Known: debug, info, warning, error."),
    ],
)
def test_a_misspelt_name_is_refused_with_the_nearest(word: str, words: str) -> None:
    with pytest.raises(UnknownName) as refused:
        read_levels([word])
    assert str(refused.value) == words
