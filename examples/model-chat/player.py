"""A simulated worker who talks with the model: asks, takes up what it says, and rates it."""

import random
from typing import TYPE_CHECKING, Any

from .model import likeness, words_of

if TYPE_CHECKING:
    from crowdd.testing.player_page import PlayerPage

TURNS = 6
OPENINGS = ["Hello! May I ask you something?", "Good morning. How are you getting on?", "Hello, who are you?"]
QUESTIONS = [
    "What do you mean by that?",
    "Why?",
    "How do you know?",
    "Do you like cats?",
    "What shall we do now?",
]


async def play(page: "PlayerPage", data: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """One conversation; returns what the page would submit."""
    turns: list[dict[str, Any]] = []
    text = rng.choice(OPENINGS)
    for _ in range(TURNS):
        answered = await page.call("reply", {"text": text, "before": [turn["model"] for turn in turns]})
        turns.append({"you": text, "model": answered["text"], "rating": rate(text, answered["text"], rng)})
        text = next_line(data["subject"], answered["text"], rng)
    fits = sum(turn["rating"] == "fits" for turn in turns)
    return {"turns": turns, "again": "yes" if fits > TURNS / 2 else "no", "comment": ""}


def rate(text: str, reply: str, rng: random.Random) -> str:
    """What has words in common fits, mostly; very long sentences do not."""
    if len(words_of(reply)) > 25 or rng.random() < 0.1:
        return "does not fit"
    return "fits" if likeness(text, reply) > 0 else "so-so"


def next_line(subject: str, reply: str, rng: random.Random) -> str:
    """A question back, something about the subject, or the last thing that was said."""
    said = words_of(reply)
    return rng.choice([rng.choice(QUESTIONS), subject, f"And what about the {said[-1]}?"])
