"""What a group task declares about its groups: sizes, waiting, drop-outs. Data, checked by who reads it."""

import enum

import attrs


class Fallback(enum.Enum):
    """What becomes of a group that is not full when somebody has waited for as long as they may."""

    SMALLER = "smaller"
    """Those who are here start, if they are `size_min`."""
    SIMULATED = "simulated"
    """The task's simulated partner takes seats."""
    SEND_AWAY = "send_away"
    """Who has waited that long goes; the waiting time is owed."""


class Policy(enum.Enum):
    """What becomes of a started group whose member left for good."""

    END = "end"
    """It ends for all; they may still submit."""
    GO_ON = "go_on"
    """The others go on, if they are `size_min`."""
    REPLACE = "replace"
    """A new worker is sought for the seat."""
    SIMULATED = "simulated"
    """The task's simulated partner takes the seat."""


@attrs.frozen
class Waiting:
    """How long workers wait for each other, and how it is made sure that they are there."""

    limit_s: float = 600.0
    fallbacks: tuple[Fallback, ...] = (Fallback.SMALLER, Fallback.SIMULATED, Fallback.SEND_AWAY)
    """The first of them that is possible; where none is, whoever waited for too long is sent away."""
    ask_after_s: float = 30.0
    """Of whom nothing was heard for so long is asked "still there?" before a group starts."""
    ask_s: float = 20.0
    """How long they have for an answer."""
    cents_per_minute: int = 0
    """What waiting is worth."""


@attrs.frozen
class DropOut:
    """What happens when somebody leaves in mid-work."""

    grace_s: float = 60.0
    """How long somebody may be away and come back."""
    policy: Policy = Policy.END
    replace_s: float = 300.0
    """How long a new worker is sought."""
    otherwise: Policy = Policy.END
    """What happens when none came: `END` or `GO_ON`."""


@attrs.frozen
class GroupRules:
    """All of it."""

    size_min: int = 2
    size_max: int = 2
    """Also the number of units of an assignment."""
    waiting: Waiting = attrs.Factory(Waiting)
    drop_out: DropOut = attrs.Factory(DropOut)
    has_partner: bool = False
    """Whether the task has a simulated partner."""
