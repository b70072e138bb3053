"""Why a verdict had the consequences it had, in sentences, from the facts recorded with it. Pure."""

from collections.abc import Mapping
from typing import Any

from .decisions import TOO_MANY_SOFT_REJECTS
from .rule import Rule, Tally, with_soft_reject


def explain_review(outcome: str, reason: str | None, facts: Mapping[str, Any]) -> list[str]:
    """Sentences for a recorded review. Never raises: unknown facts are left out."""
    note = f", saying: {facts['note']}" if facts.get("note") else ""
    before = f" It was {facts['before']} before." if facts.get("before") not in (None, "completed") else ""
    sentences = [f"{facts.get('who', 'Somebody')} judged the work {outcome.replace('_', '-')}{note}.{before}"]
    return [*sentences, *_rule(facts, reason)] if "rule" in facts else sentences


def _rule(facts: Mapping[str, Any], reason: str | None) -> list[str]:
    try:
        known, counted = Rule(**facts["rule"]), with_soft_reject(Tally(**facts["tally"]))
    except (TypeError, KeyError):  # of another version
        return []
    share = f"{counted.soft_rejected} of {counted.reviewed} reviewed answers of the worker"
    sentences = [
        f"With it, {share} in this task were soft-rejected; the run's rule allows "
        f"{known.soft_reject_share:.0%}, once there are {known.after_reviews} reviews."
    ]
    if reason == TOO_MANY_SOFT_REJECTS:
        sentences.append(f"So the worker was given {known.block_qualification}, which bars them.")
    elif facts.get("has_block"):
        sentences.append(f"The worker had {known.block_qualification} already.")
    return sentences
