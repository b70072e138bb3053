"""What goes on in the head of a simulated player: updates go in, moves come out."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

from .eyes import beliefs, describe

QUESTIONS_MAX = 2  # then a guesser guesses
SURE_BY = 0.9  # so much better must the best picture fit than the second
DOUBT = 0.4  # how far off players are when they judge how well words fit a picture
QUESTIONS = ("Two of them fit. What else sets it apart?", "Still not sure. Anything else?")


class Head:
    """A player of one game. `result` is what they submit, once the game is over."""

    def __init__(self, rounds: Sequence[Sequence[str]], rng: random.Random) -> None:
        self.result: dict[str, Any] | None = None
        self._rounds = rounds
        self._rng = rng
        self._round: Mapping[str, Any] = {}
        self._heard: list[str] = []
        self._asked = 0
        self._told = 0
        self._played: list[dict[str, Any]] = []

    def moves(self, update: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What to send, having heard this."""
        match update["kind"]:
            case "round":
                return self._begin(update)
            case "said" if not update["mine"]:
                self._heard.append(update["text"])
                return self._answer() if self._round["role"] == "describe" else self._guess()
            case "picked":
                played = {key: update[key] for key in ("round", "picked", "target")}
                self._played.append({**played, "role": self._round["role"]})
            case "over":
                self.result = {"score": update["score"], "of": update["of"], "rounds": self._played}
            case _:
                pass
        return []

    def _begin(self, update: Mapping[str, Any]) -> list[dict[str, Any]]:
        self._round, self._heard, self._asked, self._told = update, [], 0, 0
        return self._answer() if update["role"] == "describe" else []

    def _answer(self) -> list[dict[str, Any]]:
        said = describe(self._pictures, self._round["target"], self._told)
        self._told += 1
        return [{"say": said, "round": self._round["round"]}]

    def _guess(self) -> list[dict[str, Any]]:
        fits = [fit + self._rng.gauss(0, DOUBT) for fit in beliefs(self._pictures, self._heard)]
        best, second = sorted(fits, reverse=True)[:2]
        if best - second < SURE_BY and self._asked < QUESTIONS_MAX:
            self._asked += 1
            return [{"say": QUESTIONS[self._asked - 1], "round": self._round["round"]}]
        return [{"pick": fits.index(best), "round": self._round["round"]}]

    @property
    def _pictures(self) -> Sequence[str]:
        number: int = self._round["round"]
        return self._rounds[number]
