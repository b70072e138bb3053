"""Which hooks there are: what each is given, and which section of task.toml it belongs to."""

import enum
from collections.abc import Mapping

import attrs

HOOK_LIMIT_S = 10.0  # a worker's page waits for most hooks, and gives up after 30 s
VALIDATE_LIMIT_S = 120.0  # its page asks again meanwhile, and hears of the verdict
FOLLOW_UP_LIMIT_S = 60.0  # no page waits for it, but the worker's next unit does, for a while


class HookName(enum.Enum):
    """A function of task.py, or a method of the run's own blueprint class."""

    ONBOARDING_DATA = "onboarding_data"
    VALIDATE_ONBOARDING = "validate_onboarding"
    INIT_DATA = "init_data"
    WORKER_CAN_DO_UNIT = "worker_can_do_unit"
    FILTER_UNITS_FOR_WORKER = "filter_units_for_worker"
    RANK_UNITS = "rank_units"
    ON_UNIT_SUBMITTED = "on_unit_submitted"
    WORKER_NEEDS_SCREENING = "worker_needs_screening"
    SHOULD_GENERATE_UNIT = "should_generate_unit"
    SCREENING_UNITS = "screening_units"
    WORKER_NEEDS_GOLD = "worker_needs_gold"
    GOLD_FOR_WORKER = "gold_for_worker"
    WORKER_QUALIFIES = "worker_qualifies"


@attrs.frozen
class Hook:
    """What a hook is given, and where it makes sense."""

    takes: tuple[str, ...]
    section: str | None = None
    """It is asked only in runs with this section; None: in all."""
    may_grant: bool = True
    """False: it is asked again at every load of a page, so a grant in it would be one of many."""
    limit_s: float = HOOK_LIMIT_S
    """How long it may take."""


HOOKS: Mapping[HookName, Hook] = {
    HookName.ONBOARDING_DATA: Hook(("worker",), "onboarding", may_grant=False),
    HookName.VALIDATE_ONBOARDING: Hook(("worker", "data"), "onboarding", limit_s=VALIDATE_LIMIT_S),
    HookName.INIT_DATA: Hook(("agent",), may_grant=False),
    HookName.WORKER_CAN_DO_UNIT: Hook(("worker", "unit")),
    HookName.FILTER_UNITS_FOR_WORKER: Hook(("units", "worker")),
    HookName.RANK_UNITS: Hook(("units", "worker")),
    HookName.ON_UNIT_SUBMITTED: Hook(("agent",), limit_s=FOLLOW_UP_LIMIT_S),
    HookName.WORKER_NEEDS_SCREENING: Hook(("worker",), "screening"),
    HookName.SHOULD_GENERATE_UNIT: Hook(("worker",), "screening"),
    HookName.SCREENING_UNITS: Hook((), "screening", may_grant=False),
    HookName.WORKER_NEEDS_GOLD: Hook(("worker", "counts"), "gold"),
    HookName.GOLD_FOR_WORKER: Hook(("worker",), "gold"),
    HookName.WORKER_QUALIFIES: Hook(("worker", "counts"), "gold"),
}

METRIC_NAMES: Mapping[HookName, str] = {HookName.INIT_DATA: "get_init_data_for_agent"}
"""Where dashboards made for Mephisto know a hook by another name (`external_function_latency`)."""


def metric_name(hook: HookName) -> str:
    """What the hook's time is counted as."""
    return METRIC_NAMES.get(hook, hook.value)
