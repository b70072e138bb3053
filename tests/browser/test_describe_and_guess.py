"""The page of describe and guess, as both players meet it: it knows what it was told, also after a reload."""

import json
import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

import crowdd.examples
from crowdd.daemon.blueprints.pages import read_page
from crowdd.daemon.blueprints.rows import page_view
from crowdd.daemon.task_folder import load_task_code

from .conftest import OpenRouter
from .fake_router import FakeRouter
from .looks import contrasts_of, emulated
from .page import Page

pytestmark = pytest.mark.browser

EXAMPLE = Path(crowdd.examples.__file__).parent / "describe-and-guess"
ROW = json.loads((EXAMPLE / "data.jsonl").read_text().splitlines()[0])
SEEN = (
    "[...document.querySelectorAll('#log li')].map((line) => line.className + ': ' + line.innerText.trim())"
)
PICKED = "[...document.querySelectorAll('#pictures input')].map((box) => Number(box.value))"


@attrs.define(eq=False)
class Table:
    """The page of seat 0 at a real game; tests play seat 1, and carry what the page says to the game."""

    router: FakeRouter
    game: Any
    taken: int = 0

    def tell(self, told: Iterable[tuple[int, dict[str, Any]]]) -> None:
        self.router.say(*(update for seat, update in told if seat == 0))

    def partner(self, update: dict[str, Any]) -> None:
        self.tell(self.game.hear(1, update))

    def carry(self) -> dict[str, Any]:
        """Give the game what the page says next."""
        self.taken += 1
        update = self.router.wait_heard(self.taken).heard[self.taken - 1]
        self.tell(self.game.hear(0, update))
        return update

    def finish(self) -> None:
        """Play all rounds; the partner finds everything, the page is let find what is meant."""
        for number, target in enumerate(ROW["_targets"]):
            self.tell(self.game.hear((number + 1) % 2, {"pick": target, "round": number}))


@pytest.fixture
def table(serve: OpenRouter, page: Page) -> Iterator[Table]:
    """A game that has begun: the page describes."""
    with serve(units=[page_view(ROW)], files=read_page(EXAMPLE / "page")) as router:
        router.live = True
        page.open(router.address)
        page.press("I agree, let me start")
        page.wait_state("in task")
        router.wait_socket()
        code: Any = load_task_code(EXAMPLE)
        table = Table(router, code.Game(ROW, random.Random(1)))
        table.tell(table.game.begin())
        page.wait_for("document.querySelector('#role').textContent === 'You describe'")
        yield table


def write(page: Page, text: str) -> None:
    page.find("#words").send_keys(text + "\n")


def test_who_describes_sees_which_picture_is_meant_and_can_choose_none(table: Table, page: Page) -> None:
    assert page.run("document.querySelector('.target input').value") == str(ROW["_targets"][0])
    assert sorted(page.run(PICKED)) == [*range(6)]
    assert page.run("document.querySelector('#board fieldset').disabled")
    assert not page.is_shown("#choose")


def test_what_is_written_is_pale_until_the_partner_is_told(table: Table, page: Page) -> None:
    write(page, "thin and leaning")
    page.wait_for("document.querySelector('#log .mine[data-pending]')")
    table.carry()
    page.wait_for("document.querySelector('#log .mine:not([data-pending])')")
    table.partner({"say": "to the left?"})
    page.wait_for("document.querySelector('#log .theirs')")
    assert page.run(SEEN) == [
        "turn: Round 1 of 6: you describe.",
        "mine: You:\nthin and leaning",
        "theirs: Partner:\nto the left?",
    ]


def test_a_guess_is_sent_once_it_is_confirmed_and_judged_by_the_server(table: Table, page: Page) -> None:
    table.partner({"pick": ROW["_targets"][0], "round": 0})
    page.wait_for("document.querySelector('#role').textContent === 'You guess'")
    assert not page.is_shown(".target")
    wrong = (ROW["_targets"][1] + 1) % 6
    page.find(f"#pictures label:has([value='{wrong}'])").click()
    page.press("This one")
    assert table.carry() | {"pick": wrong, "round": 1} == table.router.agents[-1].talk.heard[-1]
    page.wait_for("document.querySelector('#log .wrong')")
    assert page.run("[...document.querySelectorAll('#rounds li')].map((dot) => dot.dataset.how)") == [
        "found",
        "not found",
        "now",
        "to come",
        "to come",
        "to come",
    ]


def test_a_page_that_is_loaded_again_knows_how_the_game_stands(table: Table, page: Page) -> None:
    write(page, "a wide one")
    table.carry()
    table.partner({"pick": 0, "round": 0})
    table.partner({"say": "now mine"})
    page.wait_for("document.querySelectorAll('#log .theirs').length === 1")
    before = page.run(SEEN), page.run(PICKED), page.run("document.querySelector('#play').innerHTML.length")
    page.reload()
    page.wait_for("document.querySelectorAll('#log .theirs').length === 1")
    after = page.run(SEEN), page.run(PICKED), page.run("document.querySelector('#play').innerHTML.length")
    assert after == before


def test_what_is_submitted_tells_the_whole_game(table: Table, page: Page) -> None:
    write(page, "the fat one")
    table.carry()
    table.finish()
    page.wait_for("!document.querySelector('#ending').hidden")
    assert page.find("#result").text == "You found 6 of 6 together"
    page.find("#ending label:has([value=easy])").click()
    page.press("Finish")
    page.wait_state("completed")
    answer = table.router.agents[-1].answer
    assert (answer["score"], answer["of"], answer["words"]) == (6, 6, "easy")
    assert [one["role"] for one in answer["rounds"]] == ["describe", "guess"] * 3
    assert [one["target"] for one in answer["rounds"]] == ROW["_targets"]
    assert answer["rounds"][0]["said"] == [{"mine": True, "text": "the fat one"}]


def test_a_game_whose_partner_is_gone_for_good_may_be_saved_as_it_stands(table: Table, page: Page) -> None:
    table.partner({"pick": ROW["_targets"][0], "round": 0})
    page.wait_for("document.querySelector('#role').textContent === 'You guess'")
    table.router.agents[-1].status = "partner disconnect"
    table.router.push(
        "update_status", {"status": "partner disconnect", "reason": "partner_left", "text": "Gone."}
    )
    assert page.find("#result").text == "You found 1 of 1 together"
    page.reload()
    page.wait_for("document.querySelector('#result').textContent === 'You found 1 of 1 together'")
    page.find("#ending label:has([value=hard])").click()
    page.press("Finish")
    page.wait_state("completed")
    assert [one["picked"] for one in table.router.agents[-1].answer["rounds"]] == [ROW["_targets"][0], None]


def test_who_waits_sees_words_that_help(serve: OpenRouter, page: Page) -> None:
    with serve(units=[page_view(ROW)], files=read_page(EXAMPLE / "page")) as router:
        router.live, router.first_status = True, "waiting"
        page.open(router.address)
        page.press("I agree, let me start")
        page.wait_state("waiting")
        assert page.find("#samples").text.splitlines() == [
            "“a 1, thick”",
            "“a 7 that leans right”",
            "“a 0, thin”",
        ]


def test_a_screen_reader_hears_what_everything_is(table: Table, page: Page) -> None:
    names = page.run("[...document.querySelectorAll('#pictures input')].map((box) => box.ariaLabel)")
    assert [name.split(",")[0] for name in names] == [f"Picture {place}" for place in range(1, 7)]
    assert len([name for name in names if name.endswith("the one to describe")]) == 1
    assert page.find("#words").accessible_name == "Your message"
    assert page.find("#log").aria_role == "log"
    described = page.run("document.querySelector('#pictures input').ariaDescribedByElements[0].textContent")
    assert described.startswith("Row 1: ")
    assert page.run("document.querySelector('#rounds li').textContent") == "Round 1: now"


def test_on_a_phone_pictures_and_chat_fit_on_one_screen(table: Table, page: Page) -> None:
    bottom = "document.querySelector('#talk').getBoundingClientRect().bottom"
    with emulated(page, 390, 844, "light"):
        assert page.run("document.documentElement.scrollWidth") <= 390
        assert page.run(bottom) <= 800  # the line on top may become two
        table.partner({"pick": ROW["_targets"][0], "round": 0})
        page.find("#choose")
        assert page.run(bottom) <= 800
        sizes = page.run("[...document.querySelectorAll('#pictures label')].map((one) => one.clientWidth)")
        assert min(sizes) >= 96


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_word_stands_out_from_its_background(table: Table, page: Page, scheme: str) -> None:
    write(page, "mine")
    table.carry()
    table.partner({"say": "theirs"})
    table.partner({"pick": 0, "round": 0})
    page.wait_for("document.querySelector('#log .right, #log .wrong')")
    with emulated(page, 1200, 800, scheme):
        playing = contrasts_of(page)
        table.finish()
        page.wait_for("!document.querySelector('#ending').hidden")
        ending = contrasts_of(page)
    assert len(playing) > 6
    assert len(ending) > 8
    assert [(words, ratio) for words, ratio in [*playing, *ending] if ratio < 4.5] == []
