"""How much one worker may hold and do. Pure."""

from typing import Final

import attrs

from ...protocol.names import Reason


@attrs.frozen
class WorkerLimits:
    """Two numbers of `[limits]`; 0: no limit."""

    allowed_concurrent: int = 0
    """How many units of the run at once, special units included."""
    maximum_units_per_worker: int = 0
    """How many units of the task, over all its runs, held or done; special units are not counted."""


UNLIMITED: Final = WorkerLimits()


def over_limit(limits: WorkerLimits, holding: int, task_units: int) -> Reason | None:
    """Why a worker who holds `holding` units of the run and counts `task_units` of the task gets no other."""
    if limits.allowed_concurrent and holding >= limits.allowed_concurrent:
        return Reason.TOO_MANY_CONCURRENT
    if limits.maximum_units_per_worker and task_units >= limits.maximum_units_per_worker:
        return Reason.MAX_FOR_TASK
    return None
