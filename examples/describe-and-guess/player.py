"""A simulated worker who plays describe and guess: what happens in its head is in head.py."""

import random
from typing import TYPE_CHECKING, Any

from .head import Head

if TYPE_CHECKING:
    from crowdd.testing.player_page import PlayerPage


async def play(page: "PlayerPage", data: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """One game; returns what the page would submit."""
    head = Head(data["rounds"], rng)
    while head.result is None:
        for move in head.moves(await page.receive()):
            await page.send(move)
    return {**head.result, "words": rng.choice(["easy", "so-so", "hard"]), "comment": ""}
