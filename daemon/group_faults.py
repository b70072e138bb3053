"""What a run's limits and choice leave no room for when its workers come together in groups. Pure."""

from collections.abc import Iterator

from .admission import Order
from .blueprints.live_contract import GroupRules
from .task_config import RunConfig


def group_faults(config: RunConfig, group: GroupRules | None) -> Iterator[str]:
    """Every combination in which no group could form as it was meant: "path: why, and what to do"."""
    if group is None:
        return
    if config.choice.order is not Order.FIFO:
        yield (
            f'choice.order: "{config.choice.order.value}" means nothing to groups: a worker is put beside '
            "those who wait longest; delete it"
        )
    released = config.limits.max_num_concurrent_units
    if 0 < released < group.size_max:
        yield (
            f"limits.max_num_concurrent_units: {released} units at once let no group of {group.size_max} "
            f"form (blueprint.size_max); make it at least {group.size_max}"
        )
    duration, waiting = config.limits.assignment_duration_s, group.waiting.limit_s
    if 0 < duration <= waiting:
        yield (
            f"limits.assignment_duration_s: {duration:g} s may be over while a worker still waits "
            f"(blueprint.waiting.limit_s is {waiting:g}); make it longer"
        )
