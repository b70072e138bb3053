"""The rules of describe and guess. Pure: what a seat said goes in, what each seat is told comes out.

What is told, in `kind`: a "round" begins, something was "said", a picture was "picked", the game is "over".
A page that has heard all of it, in order, knows how things stand: that is all a reload needs.
"""

import random
from collections.abc import Iterator, Mapping
from typing import Any

Told = tuple[int, dict[str, Any]]
"""For which seat, and what."""

TEXT_MAX = 300  # characters of one message; the page lets nobody write more
ID_MAX = 40


class Game:
    """One game of two seats, 0 and 1, who describe in turn."""

    def __init__(self, row: Mapping[str, Any], rng: random.Random) -> None:
        self._rounds: list[list[str]] = row["rounds"]
        self._targets: list[int] = row["_targets"]
        self._rng = rng
        self._number = -1
        self._score = 0

    def begin(self) -> Iterator[Told]:
        """The first round."""
        return self._next_round()

    def hear(self, seat: int, update: Mapping[str, Any]) -> Iterator[Told]:
        """What comes of it. Nothing, if it is out of turn: pages may be late, and say anything."""
        if "say" in update:
            yield from self._said(seat, update)
        elif "pick" in update:
            yield from self._picked(seat, update)

    @property
    def is_over(self) -> bool:
        """Whether all rounds were played."""
        return self._number == len(self._rounds)

    def _next_round(self) -> Iterator[Told]:
        self._number += 1
        if self.is_over:
            for seat in (0, 1):
                yield seat, {"kind": "over", "score": self._score, "of": len(self._rounds)}
            return
        for seat in (0, 1):
            yield seat, self._round_for(seat)

    def _round_for(self, seat: int) -> dict[str, Any]:
        """Each sees the pictures in an order of their own: "the third one" says nothing."""
        order = [*range(len(self._rounds[self._number]))]
        self._rng.shuffle(order)
        told = {"kind": "round", **self._standing, "of": len(self._rounds), "order": order}
        if seat == self._describer:
            return {**told, "role": "describe", "target": self._targets[self._number]}
        return {**told, "role": "guess"}

    @property
    def _standing(self) -> dict[str, int]:
        return {"round": self._number, "score": self._score}

    def _said(self, seat: int, update: Mapping[str, Any]) -> Iterator[Told]:
        text, name = update["say"], update.get("id")
        if self.is_over or not isinstance(text, str) or not text.strip():
            return
        if update.get("round", self._number) != self._number:
            return  # of a simulated partner, who hears of rounds that were played before it came
        said = {"kind": "said", "round": self._number, "text": text.strip()[:TEXT_MAX]}
        yield 1 - seat, {**said, "mine": False}
        # Back to who said it, too: only what came back is sure to have been heard.
        yield seat, {**said, "mine": True, "id": str(name)[:ID_MAX]}

    def _picked(self, seat: int, update: Mapping[str, Any]) -> Iterator[Told]:
        picked = update["pick"]
        is_in_turn = not self.is_over and seat != self._describer and update.get("round") == self._number
        if not is_in_turn or picked not in range(len(self._rounds[self._number])):
            return
        target = self._targets[self._number]
        self._score += picked == target
        for other in (0, 1):
            yield other, {"kind": "picked", **self._standing, "picked": picked, "target": target}
        yield from self._next_round()

    @property
    def _describer(self) -> int:
        return self._number % 2
