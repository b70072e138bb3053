"""How simulated players see pictures and talk about them: a few features, and a word for each end of each.

A picture is 64 characters, row by row, "0" paper to "g" full ink.
"""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from statistics import fmean, pstdev

SIDE = 8
INK_MAX = 16
NAMED_FITS = 4.0  # how well a picture fits its digit's name; as well as four features of it
Pixels = list[int]

PROTOTYPES: Mapping[str, str] = json.loads(Path(__file__).with_name("prototypes.json").read_text())
DIGIT_WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def pixels_of(picture: str) -> Pixels:
    """Ink from 0 to 16."""
    return [int(character, INK_MAX + 1) for character in picture]


def _ink(pixels: Pixels) -> float:
    return sum(pixels)


def _mean_x(pixels: Pixels) -> float:
    return sum(ink * (at % SIDE) for at, ink in enumerate(pixels)) / max(1, sum(pixels))


def _mean_y(pixels: Pixels) -> float:
    return sum(ink * (at // SIDE) for at, ink in enumerate(pixels)) / max(1, sum(pixels))


def _width(pixels: Pixels) -> float:
    middle = _mean_x(pixels)
    spread = sum(ink * (at % SIDE - middle) ** 2 for at, ink in enumerate(pixels))
    return math.sqrt(spread / max(1, sum(pixels)))


def _lean(pixels: Pixels) -> float:
    """How far to the right it goes on the way up."""
    x, y = _mean_x(pixels), _mean_y(pixels)
    together = sum(ink * (at % SIDE - x) * (at // SIDE - y) for at, ink in enumerate(pixels))
    return -together / max(1, sum(pixels))


def _middle(pixels: Pixels) -> float:
    return sum(pixels[row * SIDE + column] for row in (3, 4) for column in (3, 4))


FEATURES: Mapping[tuple[str, str], Callable[[Pixels], float]] = {
    ("with little ink", "with lots of ink"): _ink,
    ("narrow", "wide"): _width,
    ("heavier at the top", "heavier at the bottom"): _mean_y,
    ("more on the left", "more on the right"): _mean_x,
    ("leaning left", "leaning right"): _lean,
    ("empty in the middle", "full in the middle"): _middle,
}
"""What there is to say about a picture: the words for little and for much, and how much."""

HINTS: Mapping[str, str] = {
    r"thin|light|faint|little ink": "with little ink",
    r"thick|bold|dark|fat|lots of ink": "with lots of ink",
    r"narrow|slim|tight": "narrow",
    r"wide|broad": "wide",
    r"(at|on|near) (the )?top": "heavier at the top",
    r"bottom": "heavier at the bottom",
    r"(on|to) the left": "more on the left",
    r"(on|to) the right": "more on the right",
    r"lean\w* left": "leaning left",
    r"lean\w* right|slant|italic": "leaning right",
    r"empty|hole|open": "empty in the middle",
    r"full in|cross|filled": "full in the middle",
}
"""How people say the same."""


@lru_cache(maxsize=1024)
def digit_of(picture: str) -> str:
    """The digit that it looks like most."""
    pixels = pixels_of(picture)
    return min(PROTOTYPES, key=lambda digit: _distance(pixels, pixels_of(PROTOTYPES[digit])))


def describe(pictures: Sequence[str], target: int, already: int = 0) -> str:
    """What sets the picture apart from those like it, best first; the first `already` things were said."""
    digit = digit_of(pictures[target])
    among = [at for at, picture in enumerate(pictures) if digit_of(picture) == digit]
    apart = {feature: _stands_out(feature, pictures, target, among) for feature in FEATURES}
    feature = sorted(FEATURES, key=lambda feature: -abs(apart[feature]))[already % len(FEATURES)]
    words = feature[apart[feature] > 0]
    if already:
        return f"Also: {words}."
    return f"{'An' if digit == '8' else 'A'} {digit}, I think: {words}."


def beliefs(pictures: Sequence[str], said: Sequence[str]) -> list[float]:
    """How well each picture fits what was said; the higher the better."""
    text = " ".join(said).lower()
    named = [
        str(digit) for digit, word in enumerate(DIGIT_WORDS) if re.search(rf"\b({digit}|{word})\b", text)
    ]
    fits = [NAMED_FITS * (digit_of(picture) in named) for picture in pictures]
    for hint, meaning in HINTS.items():
        if re.search(hint, text):
            fits = [fit + _towards(meaning, pictures, at) for at, fit in enumerate(fits)]
    return fits


def _towards(meaning: str, pictures: Sequence[str], at: int) -> float:
    """How much the picture is what the words mean, among those that look like the same digit."""
    feature = next(feature for feature in FEATURES if meaning in feature)
    digit = digit_of(pictures[at])
    among = [other for other, picture in enumerate(pictures) if digit_of(picture) == digit]
    return _stands_out(feature, pictures, at, among) * (1 if feature[1] == meaning else -1)


def _stands_out(feature: tuple[str, str], pictures: Sequence[str], at: int, among: Sequence[int]) -> float:
    values = [FEATURES[feature](pixels_of(pictures[other])) for other in among]
    return (FEATURES[feature](pixels_of(pictures[at])) - fmean(values)) / (pstdev(values) or 1.0)


def _distance(one: Pixels, other: Pixels) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))
