"""The values in task.toml that have a form of their own: a label, money, sentences for workers."""

import re
from decimal import Decimal
from typing import Annotated, Any

from ..protocol.names import Reason
from .structuring import Fault, Faults, LooseFloat, LooseInt, free_table, nearest, shown, text

REWARD_CENTS_MAX = 1_000_000  # a unit for more than this is a slip of the decimal point
LABEL_CHARACTERS_MAX = 40  # one part of a host name, with room

Label = Annotated[str, "label", "lower-case letters, digits and inner hyphens"]
"""A run's name in addresses: lower-case letters, digits and inner hyphens, or empty."""
Reward = Annotated[str, "reward", 'amount like "0.30"']
"""Money as decimal text with exactly two decimals; never a float."""
Texts = Annotated[dict[str, str], "texts", "table of sentences, by reason"]
"""Reason value → sentence."""


def reward(value: Any, _: Any) -> str:
    """Exactly an amount of money, as text with two decimals."""
    if isinstance(value, int | float) and not isinstance(value, LooseInt | LooseFloat):
        raise Fault(f'money is text, never a number: write "{value}"')
    letters = text(value)
    if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,2})?", letters):
        raise Fault(f'must be an amount like "0.30", not {shown(letters)}')
    amount = Decimal(letters)
    if amount * 100 > REWARD_CENTS_MAX:
        raise Fault(f"must be at most {Decimal(REWARD_CENTS_MAX) / 100:.2f}, not {letters}")
    return f"{amount:.2f}"


def label(value: Any, _: Any) -> str:
    """Exactly what may stand in an address, or nothing."""
    letters = text(value)
    if letters and not re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", letters):
        raise Fault(f"must have lower-case letters, digits and inner hyphens only, not {shown(letters)}")
    if len(letters) > LABEL_CHARACTERS_MAX:
        raise Fault(f"must have at most {LABEL_CHARACTERS_MAX} characters")
    return letters


def texts(value: Any, _: Any) -> dict[str, str]:
    """Exactly sentences, each for a reason that there is."""
    sentences, problems = free_table(value, _), list[str]()
    known = [reason.value for reason in Reason]
    for reason, sentence in sentences.items():
        if reason not in known:
            problems.append(f"{reason}: unknown reason; {nearest(reason, known)}")
        elif not isinstance(sentence, str) or not sentence.strip():
            problems.append(f"{reason}: must be a sentence, not {shown(sentence)}")
    if problems:
        raise Faults(problems)
    return sentences
