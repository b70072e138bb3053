"""When a worker is screened. Pure; what follows from their screening: `follow_up_rules`."""

from collections.abc import Mapping

import attrs


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
