"""SEC1: an agent's id is a secret of its page, router and daemon: not to be guessed, nor found by asking."""

import base64
import os
import random
import sys
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from math import sqrt
from types import FrameType
from typing import Any

import pytest

from crowdd.protocol.ids import RANDOM_BYTES, new_wire_id, verify_wire_id

from ..router.kit import agent_id

KEY = os.urandom(32)
IDS = 100_000
SIGMAS = 8  # once in 10^15 bits, so not in the life of this test


def all_ids() -> list[bytes]:
    """As the daemon makes them, in one run."""
    source = random.SystemRandom()
    made = [new_wire_id(KEY, source.randbytes(RANDOM_BYTES)) for _ in range(IDS)]
    return [base64.urlsafe_b64decode(each + "==") for each in made]


def test_sec1_a_hundred_thousand_ids_are_as_if_thrown_by_a_fair_coin() -> None:
    ids = all_ids()
    assert len(set(ids)) == IDS
    assert len({each[:RANDOM_BYTES] for each in ids}) == IDS
    assert len({each[RANDOM_BYTES:] for each in ids}) == IDS
    allowed = SIGMAS * sqrt(IDS) / 2
    width, text = len(ids[0]), b"".join(ids)
    for place in range(width):
        letters = Counter(text[place::width])
        for bit in range(8):
            ones = sum(count for letter, count in letters.items() if letter >> bit & 1)
            assert abs(ones - IDS / 2) < allowed, f"bit {bit} of byte {place} is one in {ones} of {IDS}"
    numbers = [int.from_bytes(each, "big") for each in ids]
    differ = sum((one ^ other).bit_count() for one, other in pairwise(numbers))
    bits = 8 * width * (IDS - 1)
    assert abs(differ - bits / 2) < SIGMAS * sqrt(bits) / 2, "one id says something of the next"


def steps_of(call: Callable[[], object]) -> list[str]:
    """Every function that a call enters and leaves, C's among them: what its time is made of."""
    steps: list[str] = []

    def note(frame: FrameType, event: str, argument: Any) -> None:
        name = argument.__qualname__ if event.startswith("c_") else frame.f_code.co_qualname
        steps.append(f"{event} {name}")

    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(None)
    return steps


GENUINE = agent_id(1, key=KEY)
SAME_LENGTH = {
    "of another run": agent_id(1, key=b"x" * 32),
    "with its first letter changed": ("B" if GENUINE[0] == "A" else "A") + GENUINE[1:],
    "with its last proof changed": GENUINE[:-2] + ("BA" if GENUINE[-2] == "A" else "AA"),
    "of nobody": "A" * len(GENUINE),
}


@pytest.mark.parametrize("name", SAME_LENGTH)
def test_sec1_judging_an_id_takes_the_same_steps_however_wrong_it_is(name: str) -> None:
    assert not verify_wire_id(KEY, SAME_LENGTH[name])
    genuine = steps_of(lambda: verify_wire_id(KEY, GENUINE))
    assert "c_call compare_digest" in genuine
    assert steps_of(lambda: verify_wire_id(KEY, SAME_LENGTH[name])) == genuine
