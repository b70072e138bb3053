"""What crowdctl says, all of it, is written down: a change of a word is a change that somebody sees."""

import logging
import os
import shlex
import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from crowdd.client.crowdctl import main
from crowdd.client.topics import OTHER, TOPICS, topic_of
from crowdd.logs.parts import PARTS, set_levels

from ..control.fakes import Desk
from .golden import Story, page, tell

PAGE = Path(__file__).parent.parent.parent / "docs" / "reference" / "crowdctl.md"
UPDATE = "UPDATE_GOLDEN"  # set by `make reference`


@pytest.fixture
def still(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """In an empty folder, in UTC, with all parts of the log at info; all as before at the end."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    loggers = [logging.getLogger(part.logger) for part in PARTS.values()]
    before = [logger.level for logger in loggers]
    set_levels({"all": "info"})
    yield
    for logger, level in zip(loggers, before, strict=True):
        logger.setLevel(level)
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("still")
async def test_crowdctl_says_what_is_written_down(desk: Desk) -> None:
    story = Story(desk)
    await tell(story)
    assert missing_scenes(story) == []
    said = page(story)
    if os.environ.get(UPDATE):
        PAGE.write_text(said)
    assert said.splitlines() == PAGE.read_text().splitlines(), "if it is meant: make reference"


def missing_scenes(story: Story) -> list[str]:
    return [name for name in main.commands if name not in story.scenes]


@pytest.mark.parametrize("name", main.commands)
def test_every_command_has_its_topic_and_ends_its_help_with_examples(name: str) -> None:
    assert topic_of(name) != OTHER, f"put {name} and its examples into client/topics.py"
    command = main.commands[name]
    said = command.get_help(click.Context(command, info_name=f"crowdctl {name}"))
    assert said.rpartition("Examples:")[2].lstrip().startswith(f"crowdctl {name}")


TYPED = [typed for commands in TOPICS.values() for examples in commands.values() for typed, _ in examples]


@pytest.mark.parametrize("typed", TYPED)
def test_every_example_can_be_typed(typed: str) -> None:
    words = [*filter(None, split_command(typed))]
    context = main.make_context("crowdctl", words, resilient_parsing=False)
    name, command, rest = main.resolve_command(context, words)
    assert command is not None
    command.make_context(name, rest, parent=context)


def split_command(typed: str) -> list[str]:
    """The words of the first command of a shell line."""
    lexer = shlex.shlex(typed, posix=True, punctuation_chars="|&<>")
    lexer.whitespace_split = True
    words = list(lexer)
    ends = [number for number, word in enumerate(words) if word in ("|", "&&", ">", "<")]
    return words[: ends[0]] if ends else words


def test_no_topic_names_a_command_that_is_gone() -> None:
    assert {name for commands in TOPICS.values() for name in commands} - {*main.commands} == set()
