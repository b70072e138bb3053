"""The page of the chat with a model: lines, ratings and errors, over reloads and on another device."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import crowdd.examples
from crowdd import CallRefused
from crowdd.daemon.blueprints.pages import read_page
from crowdd.daemon.blueprints.rows import page_view
from crowdd.daemon.task_folder import load_task_code

from .conftest import OpenRouter
from .fake_router import FakeRouter
from .looks import contrasts_of, emulated
from .page import Page

pytestmark = pytest.mark.browser

EXAMPLE = Path(crowdd.examples.__file__).parent / "model-chat"
ROW = json.loads((EXAMPLE / "data.jsonl").read_text().splitlines()[0])
LINES = ["Who are you?", "Why is that?", "Do you like cats?", "I am not mad", "Tell me a riddle", "Good bye"]


@pytest.fixture
def at_work(serve: OpenRouter, page: Page) -> Iterator[FakeRouter]:
    """A worker who may write to the model of the first row, as it is."""
    code: Any = load_task_code(EXAMPLE)
    caller = SimpleNamespace(unit=SimpleNamespace(data=ROW))

    def reply(args: Any) -> Any:
        try:
            return code.functions["reply"](caller, args)
        except CallRefused as exc:
            raise ValueError(str(exc)) from exc

    with serve(units=[page_view(ROW)], config=b'{"turns": 6}', files=read_page(EXAMPLE / "page")) as router:
        router.live = True
        router.functions["reply"] = reply
        page.open(router.address)
        page.press("I agree, let me start")
        page.wait_state("in task")
        yield router


def write(page: Page, *lines: str) -> None:
    """Write each line once the one before was answered."""
    for line in lines:
        count = page.run("document.querySelectorAll('#log li').length")
        page.find("#text").send_keys(line + "\n")
        page.wait_for(f"document.querySelectorAll('#log .rating').length === {count + 1}")


def replies(page: Page) -> list[str]:
    found: list[str] = page.run(
        "[...document.querySelectorAll('#log .theirs')].map((one) => one.lastChild.data)"
    )
    return found


def reads_numbers(args: Any) -> dict[str, str]:
    """Another model."""
    return {"text": "Forty-two!"}


def rate_all(page: Page) -> None:
    page.run("document.querySelectorAll('.rating').forEach((one, n) => one.elements[n % 3].click())")


def test_a_conversation_is_rated_and_submitted(at_work: FakeRouter, page: Page) -> None:
    assert page.find("#subject").text == ROW["subject"]
    write(page, *LINES)
    assert page.find("#progress").text == "Please rate every reply: 0 of 6"
    assert not page.is_shown("#ending")
    rate_all(page)
    page.find("#ending label:has([value=maybe])").click()
    page.press("Finish")
    page.wait_state("completed")
    answer = at_work.agents[-1].answer
    assert [turn["you"] for turn in answer["turns"]] == LINES
    assert [turn["rating"] for turn in answer["turns"]] == ["fits", "so-so", "does not fit"] * 2
    assert answer["turns"][0]["model"] == "I think you ought to tell me who you are, first."
    assert answer["again"] == "maybe"
    assert "_model" not in json.dumps(page.run("crowdd.data"))


def test_what_the_model_refuses_is_said_in_its_place_and_may_be_tried_again(
    at_work: FakeRouter, page: Page
) -> None:
    write(page, "Hello, who are you?")
    page.find("#text").send_keys("42\n")
    page.wait_for("document.querySelector('#log .failed')")
    assert "letters from a to z" in page.find("#log .failed").text
    usual = at_work.functions["reply"]
    at_work.functions["reply"] = reads_numbers
    page.press("Try again")
    page.wait_for("document.querySelectorAll('#log .rating').length === 2")
    assert replies(page)[-1] == "Forty-two!"
    at_work.functions["reply"] = usual
    page.find("#text").send_keys(":-)\n")
    page.press("Write something else")
    assert page.run("document.querySelector('#text').value") == ":-)"
    assert page.run("document.querySelectorAll('#log li').length") == 2


def test_lines_and_ratings_survive_a_reload(at_work: FakeRouter, page: Page) -> None:
    write(page, *LINES[:2])
    rate_all(page)
    before = replies(page)
    page.reload()
    page.wait_for("document.querySelectorAll('#log .rating input:checked').length === 2")
    assert replies(page) == before


def test_on_another_device_the_conversation_is_there(at_work: FakeRouter, page: Page) -> None:
    write(page, *LINES[:2])
    before = replies(page)
    page.run("localStorage.clear()")
    page.reload()
    page.press("I agree, let me start")
    page.wait_for("document.querySelectorAll('#log .rating').length === 2")
    assert replies(page) == before


def test_on_a_phone_everything_fits(at_work: FakeRouter, page: Page) -> None:
    write(page, *LINES[:3])
    with emulated(page, 390, 844, "light"):
        assert page.run("document.documentElement.scrollWidth") <= 390
        assert page.run("document.querySelector('#line').getBoundingClientRect().bottom") <= 844


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_word_stands_out_from_its_background(at_work: FakeRouter, page: Page, scheme: str) -> None:
    write(page, *LINES)
    rate_all(page)
    with emulated(page, 1200, 1200, scheme):
        contrasts = contrasts_of(page)
    assert len(contrasts) > 20
    assert [(words, ratio) for words, ratio in contrasts if ratio < 4.5] == []
