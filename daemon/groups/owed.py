"""What a worker is owed for waiting. Pure."""

import math

WAITING = "waiting"
"""What it is owed for."""


def waiting_cents(seconds: float, cents_per_minute: int) -> int:
    """By the second, rounded up to whole cents: nobody is owed less than was promised."""
    return math.ceil(round(seconds, 3) * cents_per_minute / 60)
