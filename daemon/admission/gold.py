"""When a worker gets a unit whose answer is known, and when wrong ones are too many. Pure.

The default rule is the reference's: many at first, ever fewer while answers are right, more after wrong ones.
"""

import math
from collections.abc import Mapping

import attrs

NEED_EXPONENT = 2.2  # of log10(completed + 1): four golds more after 99 units, eleven after 999


@attrs.frozen
class GoldRules:
    """`[gold]` of the run."""

    qualification_base: str
    """The counters are qualifications whose names begin with this."""
    max_units: int
    """How many gold units the run makes, those given up not counted."""
    min_golds: int = 1
    """As many right ones before the worker's first real unit."""
    max_incorrect_golds: int = 0
    """With more wrong ones the worker is refused."""

    @property
    def completed_name(self) -> str:
        """Counts the worker's normal completed units."""
        return f"{self.qualification_base}-completed-count"

    @property
    def correct_name(self) -> str:
        """Counts the golds they got right."""
        return f"{self.qualification_base}-correct-golds"

    @property
    def wrong_name(self) -> str:
        """Counts the golds they got wrong."""
        return f"{self.qualification_base}-wrong-golds"

    @property
    def disqualified_name(self) -> str:
        """Whoever has it is refused, whatever the counters say."""
        return f"{self.qualification_base}-disqualified"

    @property
    def names(self) -> tuple[str, ...]:
        """All qualifications that the run makes for its golds."""
        return (self.completed_name, self.correct_name, self.wrong_name, self.disqualified_name)


@attrs.frozen
class GoldCounts:
    """How a worker did so far, as the counters say."""

    completed: int = 0
    correct: int = 0
    wrong: int = 0


def counts_of(rules: GoldRules, grants: Mapping[str, int]) -> GoldCounts:
    """The worker's counters; one that was never granted is 0."""
    return GoldCounts(
        grants.get(rules.completed_name, 0),
        grants.get(rules.correct_name, 0),
        grants.get(rules.wrong_name, 0),
    )


def qualifies(rules: GoldRules, counts: GoldCounts) -> bool:
    """The default rule: not more wrong ones than the run allows."""
    return counts.wrong <= rules.max_incorrect_golds


def needs_gold(rules: GoldRules, counts: GoldCounts) -> bool:
    """The default rule for when the next unit is to be a gold one."""
    if counts.correct < rules.min_golds:
        return True
    wanted: int = math.ceil(math.log10(max(0, counts.completed) + 1) ** NEED_EXPONENT) - 1
    return counts.correct - (rules.min_golds + counts.wrong) < wanted


def goes_without(rules: GoldRules, counts: GoldCounts, made: int) -> bool:
    """The run has made all its golds, and the worker has proved themselves before: they go on without."""
    return counts.correct >= rules.min_golds and made >= rules.max_units
