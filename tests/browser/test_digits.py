"""The page of the digits example, as people with a mouse, a keyboard, a phone or a screen reader meet it."""

import json
import tomllib
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

import crowdd.examples
from crowdd.daemon.blueprints.rows import page_view

from .conftest import OpenRouter
from .fake_router import FakeRouter
from .looks import contrasts_of, emulated
from .page import Page

pytestmark = pytest.mark.browser

EXAMPLE = Path(crowdd.examples.__file__).parent / "digits"
ROWS = [json.loads(line) for line in (EXAMPLE / "data.jsonl").read_text().splitlines()]
CONFIG = tomllib.loads((EXAMPLE / "task.toml").read_text())["task_config"]


@pytest.fixture
def at_work(serve: OpenRouter, page: Page, digits: Mapping[str, bytes]) -> Iterator[FakeRouter]:
    """A worker who has agreed, with the first digit in front of them."""
    with _opened(serve, digits) as router:
        page.open(router.address)
        page.press("I agree, let me start")
        page.wait_state("in task")
        yield router


@contextmanager
def _opened(serve: OpenRouter, digits: Mapping[str, bytes]) -> Generator[FakeRouter, None, None]:
    with serve(
        units=[page_view(row) for row in ROWS[:4]], config=json.dumps(CONFIG).encode(), files=digits
    ) as router:
        yield router


def press_keys(page: Page, *keys: str) -> None:
    """Type where the keyboard's focus is."""
    page.driver.switch_to.active_element.send_keys(*keys)


def test_digits_are_labelled_without_leaving_the_keyboard(at_work: FakeRouter, page: Page) -> None:
    for answer in ("7", "3"):
        page.wait_state("in task")
        press_keys(page, answer)
        press_keys(page, Keys.ENTER)
        page.wait_state("post-task")
        press_keys(page, Keys.ENTER)
    page.wait_for("crowdd.agentId === 'agent-3'")
    assert [agent.answer for agent in at_work.agents[:2]] == [
        {"label": "7", "unsure": False},
        {"label": "3", "unsure": False},
    ]


def test_how_easy_it_was_is_asked_after_the_answer_is_safe(at_work: FakeRouter, page: Page) -> None:
    press_keys(page, "1", Keys.ENTER)
    page.wait_state("post-task")
    page.press("Hard")
    page.wait_state("completed")
    page.wait_words("Thank you. This digit is done.")
    assert page.find("[data-crowdd=final]").text == "You have read one digit on this device so far."
    assert {"post_task": {"ease": "hard"}} in [body["metadata"] for body in at_work.bodies("submit_metadata")]


def test_nothing_is_sent_before_a_digit_was_chosen(at_work: FakeRouter, page: Page) -> None:
    page.press("Save")
    press_keys(page, Keys.ENTER)
    assert at_work.bodies("submit_task") == []
    assert page.state == "in task"


def test_a_chosen_digit_survives_a_reload(at_work: FakeRouter, page: Page) -> None:
    press_keys(page, "8")
    page.reload()
    page.wait_words("Your draft is back")
    assert page.run("document.querySelector('form.digits').elements.label.value") == "8"


def test_the_picture_is_drawn_as_large_as_the_digit_is_dark(at_work: FakeRouter, page: Page) -> None:
    share = """(() => { const c = document.getElementById('picture'), s = c.width;
        const ink = c.getContext('2d').getImageData(0, 0, s, s).data.filter((v, i) => i % 4 === 3 && v > 128);
        return ink.length / (s * s); })()"""
    dark = sum(ink >= 8 for ink in ROWS[0]["pixels"]) / 100  # a blank pixel all around: ten by ten
    assert page.run(share) == pytest.approx(dark, abs=0.08)


def test_the_truth_never_reaches_the_page(at_work: FakeRouter, page: Page) -> None:
    assert sorted(page.run("Object.keys(crowdd.data)")) == ["id", "pixels"]


def test_a_screen_reader_hears_what_everything_is(at_work: FakeRouter, page: Page) -> None:
    keys = page.driver.find_elements(By.CSS_SELECTOR, "[name=label]")
    assert [(key.aria_role, key.accessible_name) for key in keys] == [("radio", str(n)) for n in range(10)]
    assert page.find("canvas").accessible_name == "A handwritten digit"
    assert page.run("document.querySelector('fieldset legend').textContent") == "Which digit is this?"
    rows = page.run("[...document.querySelectorAll('#words li')].map((row) => row.textContent)")
    assert len(rows) == 8
    first = ROWS[0]["pixels"][:8]
    assert rows[0].startswith("Ink in column") is any(ink >= 4 for ink in first)
    live = page.driver.find_element(By.CSS_SELECTOR, "#crowdd [aria-live=polite]")
    assert "In progress" in live.text


def test_a_preview_shows_a_digit_and_registers_nobody(
    serve: OpenRouter, page: Page, digits: Mapping[str, bytes]
) -> None:
    with _opened(serve, digits) as router:
        page.driver.get(f"{router.address}?preview")
        page.find("canvas")
        assert page.run("document.querySelectorAll('#words li').length") == 8
        assert router.asked == []


def test_on_a_phone_everything_fits_and_is_easy_to_hit(at_work: FakeRouter, page: Page) -> None:
    with emulated(page, 390, 844, "light"):
        assert page.run("document.documentElement.scrollWidth") <= 390
        assert page.run("document.querySelector('form.digits button').getBoundingClientRect().bottom") <= 844
        smaller = "Math.min(key.clientWidth, key.clientHeight)"
        sizes = page.run(f"[...document.querySelectorAll('[name=label]')].map((key) => {smaller})")
        assert min(sizes) >= 44


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_word_stands_out_from_its_background(at_work: FakeRouter, page: Page, scheme: str) -> None:
    with emulated(page, 1200, 800, scheme):
        contrasts = contrasts_of(page)
        assert len(contrasts) > 15
        assert [(words, ratio) for words, ratio in contrasts if ratio < 4.5] == []
