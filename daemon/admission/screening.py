"""When a worker is screened, and what the verdict grants. Pure; the numbers are the reference's."""

from collections.abc import Mapping

import attrs

from ...storage.records import SCREENING_UNIT_INDEX

PASSED_VALUE = 1


@attrs.frozen
class ScreeningRules:
    """`[screening]` of the run."""

    qualification: str
    """Granted to who passes: they are not screened again."""
    max_units: int = 0
    """How many screening units the run makes, those given up not counted."""
    use_real_units: bool = False
    """A worker's first real unit is their screening; none are made (`max_units` is 0)."""


def is_due(rules: ScreeningRules, grants: Mapping[str, int], asked: bool | None) -> bool:
    """Whether the worker is to be screened; `asked` is what `worker_needs_screening` said, None: no hook."""
    return rules.qualification not in grants if asked is None else asked


def is_judged(rules: ScreeningRules, unit_index: int, grants: Mapping[str, int]) -> bool:
    """Whether a submitted unit is a screening: the run's own, or a real one of somebody not passed yet."""
    if rules.max_units > 0:
        return unit_index == SCREENING_UNIT_INDEX
    return rules.qualification not in grants


def verdict_grants(rules: ScreeningRules, block_qualification: str, passed: bool | None) -> dict[str, int]:
    """What the worker is granted for the verdict of the author's code; None: it could not tell."""
    if passed is None:
        return {}
    return {rules.qualification if passed else block_qualification: PASSED_VALUE}
