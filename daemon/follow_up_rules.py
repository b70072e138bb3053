"""What follows from a submitted unit for its worker: screening passed or failed, gold counted. Pure."""

from collections.abc import Mapping, Sequence

import attrs

from ..protocol.names import WorkerId
from ..storage.records import GOLD_UNIT_INDEX, SCREENING_UNIT_INDEX, Unit
from ..storage.writes import AddToGrant, SetGrant, Write
from .admission_config import Gold, Screening
from .task_config import RunConfig

WHO = "daemon"


@attrs.frozen
class Consequences:
    """What is stored about the worker, and what it is called for `why`."""

    kind: str = ""
    """screening | gold | "": nothing was judged."""
    outcome: str = ""
    writes: Sequence[Write] = ()


@attrs.frozen
class JudgingRules:
    """What the run says about screening and gold."""

    screening: Screening | None = None
    gold: Gold | None = None
    block_qualification: str | None = None

    @property
    def follow(self) -> bool:
        """Whether anything follows from a submission by the run's rules alone."""
        return self.screening is not None or self.gold is not None

    def consequences(
        self, unit: Unit, worker_id: WorkerId, grants: Mapping[str, int], verdict: bool | None
    ) -> Consequences:
        """`verdict` is what the task's author says of the answer; None: nothing."""
        if self.gold is not None:
            return _of_gold(self.gold, unit, worker_id, verdict)
        if self.screening is not None and _screens(self.screening, unit, grants):
            return self._of_screening(self.screening, worker_id, verdict)
        return Consequences()

    def _of_screening(self, screening: Screening, worker_id: WorkerId, verdict: bool | None) -> Consequences:
        if verdict is None:
            return Consequences("screening", "not judged")
        if verdict:
            passed = SetGrant(screening.qualification, worker_id, 1, WHO, "screening passed")
            return Consequences("screening", "passed", [passed])
        assert self.block_qualification is not None  # the config is refused without it
        failed = SetGrant(self.block_qualification, worker_id, 1, WHO, "screening failed")
        return Consequences("screening", "failed", [failed])


def judging_rules(config: RunConfig) -> JudgingRules:
    """What the run's config says about judging answers."""
    return JudgingRules(config.screening, config.gold, config.block_qualification)


def _screens(screening: Screening, unit: Unit, grants: Mapping[str, int]) -> bool:
    """With real units as screening, the first one that is judged decides."""
    if screening.use_real_units:
        return unit.unit_index >= 0 and screening.qualification not in grants
    return unit.unit_index == SCREENING_UNIT_INDEX


def _of_gold(gold: Gold, unit: Unit, worker_id: WorkerId, verdict: bool | None) -> Consequences:
    if unit.unit_index >= 0:
        return Consequences(writes=[AddToGrant(gold.completed, worker_id, 1, WHO, "unit finished")])
    if unit.unit_index != GOLD_UNIT_INDEX or verdict is None:
        return Consequences("gold", "not judged")
    name, outcome = (gold.correct, "right") if verdict else (gold.wrong, "wrong")
    return Consequences("gold", outcome, [AddToGrant(name, worker_id, 1, WHO, f"gold answered {outcome}")])
