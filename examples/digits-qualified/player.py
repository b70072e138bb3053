"""How a simulated worker goes through the introduction, and reads: like the one of the digits example."""

import json
import random
from pathlib import Path
from typing import Any

INATTENTIVE = 0.2  # share of workers who click through the introduction
CARELESS = 0.02  # share of answers given without looking
DIGITS = Path(__file__).parent.parent / "digits"
EXAMPLES: list[tuple[int, list[int]]] = json.loads((DIGITS / "examples.json").read_text())


def onboarding(data: Any, rng: random.Random) -> dict[str, Any]:
    """What the form of the introduction would give."""
    attentive = rng.random() >= INATTENTIVE
    return {"sample": "7" if attentive else "1", "hard": "guess"}


def answer(data: Any, rng: random.Random) -> dict[str, Any]:
    """What the form of a unit would give."""
    if rng.random() < CARELESS:
        return {"label": str(rng.randrange(10))}
    _, digit = min((_distance(data["pixels"], pixels), digit) for digit, pixels in EXAMPLES)
    return {"label": str(digit)}


def _distance(one: list[int], other: list[int]) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))
