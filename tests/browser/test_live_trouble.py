"""Two tabs of one worker, and trouble of every kind in any order: what is said arrives once, in its order."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest

from .conftest import OpenRouter
from .fake_router import FakeRouter
from .page import Page
from .talk import Talk
from .test_live import TALK, talk_of

pytestmark = pytest.mark.browser

STEPS = 60
TROUBLE = {"say": 12, "answer": 6, "drop": 3, "lose": 2, "heal": 6, "reload": 2, "repeat": 3, "refuse": 1}


class Tabs:
    """Two tabs at one unit; each says numbers of its own."""

    def __init__(self, page: Page, router: FakeRouter, chance: random.Random) -> None:
        self.page, self.router, self.chance = page, router, chance
        first = page.driver.current_window_handle
        page.driver.switch_to.new_window("tab")
        self.windows = {"a": first, "b": page.driver.current_window_handle}
        self.said = Counter[str]()
        for _ in self.each():
            page.open(router.address)
            page.wait_state("in task")

    def each(self) -> Iterator[str]:
        """One tab after the other, in front."""
        for name, window in self.windows.items():
            self.page.driver.switch_to.window(window)
            yield name

    def step(self, what: str) -> None:
        """Something happens, to one of the tabs or to both."""
        name = self.chance.choice("ab")
        self.page.driver.switch_to.window(self.windows[name])
        match what:
            case "say":
                self.say(name, self.chance.choice([1, 1, 2, 5, 40]))
            case "answer":
                self.answer(self.chance.choice([1, 2, 10]))
            case "drop":
                self.router.drop_sockets()
            case "lose":
                self.router.deaf = True
            case "refuse":
                self.router.refuses_sockets = True
                self.router.drop_sockets()
            case "reload":
                self.page.reload()
                self.page.wait_state("in task")
            case "repeat" if self.talk.said:
                self.router.deliver(self.chance.randint(1, len(self.talk.said)))
            case _:
                self.router.deaf = self.router.refuses_sockets = False

    @property
    def talk(self) -> Talk:
        """What is stored of the unit."""
        return self.router.agents[0].talk

    def say(self, name: str, count: int) -> None:
        words = [f"{name}{self.said[name] + number}" for number in range(count)]
        self.page.run(f"say(...{words})")
        self.said[name] += count

    def answer(self, count: int) -> None:
        for _ in range(count):
            self.router.say({"text": len(self.talk.said)})

    def settle(self) -> None:
        """The trouble is over, and everything has arrived."""
        self.step("heal")
        self.answer(1)
        self.router.wait_heard(sum(self.said.values()))
        last = f"you: {len(self.talk.said) - 1}"
        for _ in self.each():
            self.page.wait_for(f"[...document.querySelectorAll('#talk li')].at(-1)?.textContent === '{last}'")


def of(name: str, words: Sequence[str]) -> list[str]:
    return [word for word in words if word.startswith(name)]


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_every_word_arrives_once_and_in_order(
    serve: OpenRouter, page: Page, seed: int
) -> None:
    chance = random.Random(seed)
    with serve(TALK) as router:
        router.live = True
        tabs = Tabs(page, router, chance)
        for what in chance.choices(list(TROUBLE), list(TROUBLE.values()), k=STEPS):
            tabs.step(what)
        tabs.settle()
        for name in "ab":
            assert of(name, tabs.talk.words) == [f"{name}{number}" for number in range(tabs.said[name])]
        for _ in tabs.each():
            assert of("you", talk_of(page)) == [f"you: {number}" for number in range(len(tabs.talk.said))]
            page.wait_for("!Object.keys(localStorage).some((name) => name.startsWith('crowdd:live:'))")
