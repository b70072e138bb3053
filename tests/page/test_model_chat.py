"""The example with a model: a sound task, models that answer, and a simulated worker who talks."""

import importlib
import json
import random
from pathlib import Path
from typing import Any

import attrs
import pytest

import crowdd.examples
from crowdd import CallRefused
from crowdd.daemon.task_folder import load_task_code

EXAMPLE = Path(crowdd.examples.__file__).parent / "model-chat"
ROWS = [json.loads(line) for line in (EXAMPLE / "data.jsonl").read_text().splitlines()]


@attrs.frozen
class FakeUnit:
    data: Any


@attrs.frozen
class FakeCaller:
    unit: FakeUnit


@pytest.fixture(scope="module")
def code() -> Any:
    """The example's task.py."""
    return load_task_code(EXAMPLE)


def reply(code: Any, model: str, text: str, before: list[str]) -> str:
    answered: str = code.functions["reply"](
        FakeCaller(FakeUnit({"_model": model})), {"text": text, "before": before}
    )["text"]
    return answered


def test_each_subject_is_talked_about_with_both_models(code: Any) -> None:
    for subject in {row["subject"] for row in ROWS}:
        assert sorted(row["_model"] for row in ROWS if row["subject"] == subject) == sorted(code.MODELS)


def test_echo_says_what_was_answered_in_the_book(code: Any) -> None:
    assert (
        reply(code, "echo", "How do you know that I am mad?", [])
        == "You must be, or you wouldn’t have come here."
    )
    assert (
        reply(code, "echo", "which way shall I go from here", [])
        == "That depends a good deal on where you want to get to."
    )


@pytest.mark.parametrize("model", ["echo", "babble"])
def test_a_model_repeats_nothing_that_it_said_before(code: Any, model: str) -> None:
    before: list[str] = []
    for _ in range(12):
        before.append(reply(code, model, "What time is it?", before))
    assert len({*before}) == 12


def test_babble_makes_sentences_that_are_in_no_book(code: Any) -> None:
    book = (EXAMPLE / "dialogue.txt").read_text()
    said = [
        reply(code, "babble", text, []) for text in ("Do you like cats?", "Tell me a riddle.", "I am hungry")
    ]
    assert [line for line in said if line in book] == []
    assert all(len(line.split()) > 2 for line in said)


@pytest.mark.parametrize("model", ["echo", "babble"])
def test_the_same_call_gets_the_same_reply(code: Any, model: str) -> None:
    assert reply(code, model, "Why?", ["No."]) == reply(code, model, "Why?", ["No."])


@pytest.mark.parametrize("text", ["", "42", ":-)", "no" * 200])
def test_what_no_model_can_read_is_refused_in_words(code: Any, text: str) -> None:
    with pytest.raises(CallRefused, match="The model reads"):
        reply(code, "echo", text, [])


@attrs.frozen
class FakePage:
    """A page whose calls are answered by the task's own function."""

    code: Any
    row: Any

    async def call(self, name: str, args: Any) -> Any:
        return self.code.functions[name](FakeCaller(FakeUnit(self.row)), args)


@pytest.mark.parametrize("row", ROWS[:2], ids=["echo", "babble"])
async def test_a_simulated_worker_talks_and_rates_every_reply(code: Any, row: Any) -> None:
    player = importlib.import_module(f"{code.__name__}.player")
    shown = {key: value for key, value in row.items() if not key.startswith("_")}
    found = await player.play(FakePage(code, row), shown, random.Random(1))
    assert len(found["turns"]) == 6
    assert len({turn["model"] for turn in found["turns"]}) == 6
    assert {turn["rating"] for turn in found["turns"]} <= {"fits", "so-so", "does not fit"}
