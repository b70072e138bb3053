"""The example for two: a sound task, rules that nobody can bend, and players who play it to its end."""

import json
import random
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

import crowdd.examples
from crowdd.daemon.task_folder import load_task_code

EXAMPLE = Path(crowdd.examples.__file__).parent / "describe-and-guess"
ROWS = [json.loads(line) for line in (EXAMPLE / "data.jsonl").read_text().splitlines()]
ROW = ROWS[0]


@pytest.fixture(scope="module")
def code() -> Any:
    """The example's task.py."""
    return load_task_code(EXAMPLE)


@pytest.fixture
def game(code: Any) -> Any:
    """A game that has begun."""
    game = code.Game(ROW, random.Random(1))
    list(game.begin())
    return game


def test_every_round_has_two_kinds_of_three_pictures() -> None:
    for row in ROWS:
        assert [len({*pictures}) for pictures in row["rounds"]] == [6] * len(row["_targets"])
        assert all(len(picture) == 64 for pictures in row["rounds"] for picture in pictures)
        for digits in row["_digits"]:
            assert sorted(digits.count(digit) for digit in {*digits}) == [3, 3]


def test_only_who_describes_is_told_which_picture_is_meant(code: Any) -> None:
    describer, guesser = (told for _, told in code.Game(ROW, random.Random(1)).begin())
    assert (describer["role"], describer["target"]) == ("describe", ROW["_targets"][0])
    assert guesser["role"] == "guess"
    assert "target" not in guesser
    assert sorted(describer["order"]) == sorted(guesser["order"]) == [*range(6)]


def test_what_is_said_reaches_both(game: Any) -> None:
    assert [*game.hear(1, {"say": " wide? ", "id": "a"})] == [
        (0, {"kind": "said", "round": 0, "text": "wide?", "mine": False}),
        (1, {"kind": "said", "round": 0, "text": "wide?", "mine": True, "id": "a"}),
    ]


@pytest.mark.parametrize(
    ("seat", "update"),
    [
        (0, {"pick": 1, "round": 0}),  # who describes
        (1, {"pick": 1, "round": 1}),  # not on yet
        (1, {"pick": 6, "round": 0}),
        (1, {"pick": "1", "round": 0}),
        (1, {"pick": [1], "round": 0}),
        (1, {"say": "  "}),
        (1, {"say": "of a round before", "round": 3}),
        (1, {"say": {"text": "x"}}),
        (1, {"shout": "x"}),
    ],
)
def test_what_is_out_of_turn_or_nonsense_changes_nothing(game: Any, seat: int, update: Any) -> None:
    assert [*game.hear(seat, update)] == []


def test_a_pick_is_judged_and_the_roles_swap(game: Any) -> None:
    told = [*game.hear(1, {"pick": ROW["_targets"][0], "round": 0})]
    assert [(seat, one["kind"], one["score"]) for seat, one in told] == [
        (0, "picked", 1),
        (1, "picked", 1),
        (0, "round", 1),
        (1, "round", 1),
    ]
    assert [one["role"] for _, one in told[2:]] == ["guess", "describe"]
    assert [*game.hear(1, {"pick": 0, "round": 0})] == []


def play(code: Any, row: Any, seed: int) -> list[Any]:
    """A game of two simulated players; what both submit."""
    game = code.Game(row, random.Random(seed))
    heads = [code.Head(row["rounds"], random.Random(seed + seat)) for seat in (0, 1)]
    news = deque(game.begin())
    while news:
        seat, told = news.popleft()
        for move in heads[seat].moves(told):
            news.extend(game.hear(seat, move))
    return [head.result for head in heads]


def test_simulated_players_find_most_pictures_by_words_alone(code: Any) -> None:
    found = [play(code, row, seed) for row in ROWS for seed in (1, 2)]
    assert all(ours["score"] == theirs["score"] and len(ours["rounds"]) == 6 for ours, theirs in found)
    scores = [ours["score"] for ours, _ in found]
    assert 0.8 * 6 * len(scores) < sum(scores) < 6 * len(scores)


def test_a_player_understands_what_people_say(code: Any) -> None:
    pictures = ROW["rounds"][0]
    ink = [sum(int(pixel, 17) for pixel in picture) for picture in pictures]
    head = code.Head(ROW["rounds"], random.Random(1))
    head.moves({"kind": "round", "round": 0, "role": "guess", "order": [], "score": 0, "of": 6})
    digit, number = ROW["_digits"][0], [*range(6)]
    alike = [at for at in number if digit[at] == digit[0]]
    thinnest = min(alike, key=lambda at: ink[at])
    [move] = head.moves({"kind": "said", "mine": False, "text": f"the {digit[0]} that is very thin, faint"})
    assert move == {"pick": thinnest, "round": 0} or "say" in move


# --- the code that meets the live group, over a group of ours


@attrs.define(eq=False)
class FakeAgent:
    """A member of a group; what it is sent is given to its player, whose moves go to the group."""

    index: int
    group: "FakeGroup"
    told: list[Any] = attrs.Factory(list[Any])

    async def send(self, update: dict[str, Any]) -> None:
        self.told.append(update)
        self.group.moves += [(self, move) for move in self.group.heads[self.index].moves(update)]


class FakeGroup:
    """Two players; `updates` ends when nobody has anything to say any more."""

    def __init__(self, code: Any) -> None:
        self.random = random.Random(1)
        self.heads = [code.Head(ROW["rounds"], random.Random(seat)) for seat in (0, 1)]
        self.agents = [FakeAgent(seat, self) for seat in (1, 0)]  # not in the order of their places
        self.moves: list[tuple[FakeAgent, Any]] = []

    def __iter__(self) -> Iterator[FakeAgent]:
        return iter(self.agents)

    async def updates(self) -> AsyncIterator[tuple[FakeAgent, Any]]:
        while self.moves:
            yield self.moves.pop(0)
            await trio.lowlevel.checkpoint()


@attrs.frozen
class FakeAssignment:
    data: Any


async def test_a_game_ends_with_the_same_news_for_both(code: Any) -> None:
    group = FakeGroup(code)
    await code.run_assignment(FakeAssignment(ROW), group)
    assert [agent.told[-1]["kind"] for agent in group] == ["over", "over"]
    first, second = (head.result for head in group.heads)
    assert (
        first["score"]
        == second["score"]
        == len([one for one in first["rounds"] if one["picked"] == one["target"]])
    )


@attrs.frozen
class FakePartner:
    """A partner of the other seat, who plays by the rules."""

    unit: FakeAssignment
    told: deque[Any]
    sent: Any

    async def receive(self) -> Any:
        return self.told.popleft()

    async def send(self, update: Any) -> None:
        self.sent(update)


async def test_a_simulated_partner_takes_up_a_game_from_all_that_was_told_before(code: Any) -> None:
    """As one who takes the place of somebody who left: first the past is heard, then it goes on."""
    game, other = code.Game(ROW, random.Random(1)), code.Head(ROW["rounds"], random.Random(2))
    news: deque[Any] = deque()

    def sort(told: Iterable[Any]) -> None:
        """What the game says goes to the partner, or to the player opposite, who answers at once."""
        for seat, update in [*told]:
            if seat == 1:
                news.append(update)
            else:
                opposite.extend(other.moves(update))
        while opposite:
            sort(game.hear(0, opposite.popleft()))

    opposite: deque[Any] = deque()
    sort(game.begin())
    sort(game.hear(1, {"pick": 0, "round": 0}))  # by the worker who left then

    def move(update: Any) -> None:
        sort(game.hear(1, update))

    result = await code.simulated_partner(FakePartner(FakeAssignment(ROW), news, move))
    assert result["of"] == 6
    assert result["rounds"][0]["picked"] == 0
