"""The outcome of the work: approved, soft-rejected or rejected, decided, stored, and told to the provider."""

from .decisions import Decided, Refused, ReviewFacts, Unchanged, Verdict, decide
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
    "Verdict",
    "decide",
    "rule_of",
]
