"""How long a group will probably take to fill, from who came lately. Pure."""

import itertools
from collections.abc import Sequence
from statistics import median

ARRIVALS_KEPT = 20
"""So many of the last arrivals tell the pace; older ones tell of another time of the day."""
ARRIVALS_NEEDED = 3
"""Fewer say nothing: two who came together do not mean that a third comes soon."""


def expected_s(arrivals: Sequence[float], missing: int, now: float) -> float | None:
    """In how many seconds `missing` more workers will have come; None: nothing is known.

    `arrivals`: when workers came, in order. The median of the gaps, so that a pause in the night or a rush
    does not decide; the time since the last arrival counts once it is the longer: nobody is told "soon" for
    ever. The pace has no memory: who waits already for long has no shorter way to go.
    """
    if missing <= 0:
        return 0.0
    last = [at for at in arrivals if at <= now][-ARRIVALS_KEPT:]
    if len(last) < ARRIVALS_NEEDED:
        return None
    gaps = [later - earlier for earlier, later in itertools.pairwise(last)]
    usual = median(gaps)
    return missing * max(usual, now - last[-1])
