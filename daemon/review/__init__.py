"""The outcome of the work: approved, soft-rejected or rejected, decided, stored, and told to the provider."""

from .decisions import Decided, Refused, ReviewFacts, Unchanged, decide
from .reviewer import Reviewed, Reviewer
from .rule import Rule, Tally, rule_of

__all__ = [
    "Decided",
    "Refused",
    "ReviewFacts",
    "Reviewed",
    "Reviewer",
    "Rule",
    "Tally",
    "Unchanged",
    "decide",
    "rule_of",
]
