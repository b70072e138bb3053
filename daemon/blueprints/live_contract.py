"""What a blueprint whose code runs while workers work tells the daemon: its rules. Runs nothing.

The tables are read from task.toml as they stand here: their texts are what authors are told of them.
"""

import enum
from collections.abc import Callable, Coroutine
from typing import Any

import attrs
from attrs import validators

from ..groups.rules import Fallback as Fallback
from ..groups.rules import GroupRules as GroupRules
from ..groups.rules import Policy as Policy
from ..groups.rules import WaitingRules
from ..structuring import Count, Faults, Seconds

Play = Callable[..., Coroutine[Any, Any, Any]]
"""An author's coroutine function, as the daemon calls it."""

GROUP_SIZE_MAX = 100  # beyond it, what one says to all is too much for each to read
CALLS_AT_ONCE_MAX = 100  # of one worker; each takes a task, and a sync one a thread of the run's
CALL_LIMIT_MIN_S = 0.1
WAIT_MIN_S = 1.0  # less than a page needs to load


class Resume(enum.Enum):
    """What becomes of live work whose daemon was restarted."""

    REPLAY = "replay"
    END = "end"


@attrs.frozen
class Waiting(WaitingRules):
    """`[blueprint.waiting]`: how long workers wait for the others, and what then."""

    limit_s: Seconds = attrs.field(default=600.0, validator=validators.ge(WAIT_MIN_S))
    """How long a worker waits for the others at most."""
    fallbacks: tuple[Fallback, ...] = (Fallback.SMALLER, Fallback.SIMULATED, Fallback.SEND_AWAY)
    """What is done then: the first of these that is possible."""
    ask_after_s: Seconds = 30
    """Who has waited longer than this is asked "still there?" before the group begins."""
    ask_s: Seconds = attrs.field(default=20.0, validator=validators.ge(WAIT_MIN_S))
    """How long they have to answer; who does not, gives the place to somebody else."""
    cents_per_minute: Count = 0
    """What is owed to workers for a minute of waiting, in the smallest unit of the currency."""

    def __attrs_post_init__(self) -> None:
        problems = [*_order_faults(self.fallbacks)]
        if problems:
            raise Faults(problems)


@attrs.frozen
class DropOut:
    """`[blueprint.drop_out]`: what becomes of work whose worker is away."""

    grace_s: Seconds = 60
    """How long a worker whose page is away may take to come back."""


@attrs.frozen
class GroupDropOut(DropOut):
    """`[blueprint.drop_out]`: what becomes of a group when somebody in it is away."""

    policy: Policy = Policy.END
    """What becomes of the group of a worker who did not come back."""
    replace_s: Seconds = attrs.field(default=300.0, validator=validators.ge(WAIT_MIN_S))
    """How long a group waits for a new worker in the place of the one who left; only for "replace"."""
    otherwise: Policy = attrs.field(default=Policy.END, validator=validators.in_((Policy.END, Policy.GO_ON)))
    """What becomes of it when none came; only for "replace"."""

    def __attrs_post_init__(self) -> None:
        problems: list[str] = []
        if self.policy is not Policy.REPLACE:
            means_nothing = f'means nothing to policy = "{self.policy.value}"; write "replace"'
            usual = attrs.fields(GroupDropOut)
            for name in ("replace_s", "otherwise"):
                if getattr(self, name) != getattr(usual, name).default:
                    problems.append(f"{name}: {means_nothing}")
        if problems:
            raise Faults(problems)


@attrs.frozen
class LiveRules:
    """What the daemon holds to while a blueprint's code runs."""

    grace_s: float = 60
    """How long a worker whose page is away may take to come back."""
    resume: Resume = Resume.REPLAY
    call_limit_s: float = 30
    """How long a named function may take."""
    calls_at_once_max: int = 8
    """How many calls of one worker run at once."""
    group: GroupRules | None = None
    """None: every unit is worked on alone."""


def _order_faults(fallbacks: tuple[Fallback, ...]) -> list[str]:
    if len({*fallbacks}) < len(fallbacks):
        return ["fallbacks: names one of them twice; keep the first"]
    if not fallbacks or fallbacks[-1] is Fallback.SMALLER:
        return ['fallbacks: must end with "simulated" or "send_away": "smaller" is not always possible']
    if Fallback.SEND_AWAY in fallbacks[:-1]:
        return ['fallbacks: what comes after "send_away" would never be done; write it last']
    return []
