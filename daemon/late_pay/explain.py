"""That a late answer is to be paid, in sentences, from the facts recorded with it. Pure."""

from collections.abc import Mapping
from typing import Any

from .decisions import money


def explain_late_pay(facts: Mapping[str, Any]) -> list[str]:
    """Sentences for a recorded decision. Never raises: unknown facts are left out."""
    who, cents, note = facts.get("who", "Somebody"), facts.get("cents"), facts.get("note")
    amount = f" {money(cents)}" if isinstance(cents, int) else ""
    said = f", saying: {note}" if note else ""
    came = f" It came too late to count: {facts['why']}." if facts.get("why") else ""
    return [f"{who} decided to pay{amount} for late answer {facts.get('late', '')}{said}.{came}"]
