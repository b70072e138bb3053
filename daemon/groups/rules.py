"""What a group task declares about its groups: sizes, waiting, drop-outs. Data, checked by who reads it."""

import enum
from collections.abc import Sequence

import attrs


class Fallback(enum.Enum):
    """What is done for workers who waited long enough and whose group is not full."""

    SMALLER = "smaller"
    """Begin with those who are there, if they are `size_min`."""
    SIMULATED = "simulated"
    """Begin, with simulated partners in the free places."""
    SEND_AWAY = "send_away"
    """Who has waited that long goes; the waiting time is owed."""


class Policy(enum.Enum):
    """What becomes of a group that one has left for good."""

    END = "end"
    """It ends for all; the others may submit what there is."""
    GO_ON = "go_on"
    """The others go on, if they are `size_min`."""
    REPLACE = "replace"
    """A new worker is sought for the place."""
    SIMULATED = "simulated"
    """A simulated partner takes the place."""


@attrs.frozen
class WaitingRules:
    """How long workers wait for the others, and what then."""

    limit_s: float = 600.0
    """How long a worker waits for the others at most."""
    fallbacks: Sequence[Fallback] = (Fallback.SMALLER, Fallback.SIMULATED, Fallback.SEND_AWAY)
    """What is done then: the first of these that is possible; where none is, workers are sent away."""
    ask_after_s: float = 30.0
    """Who has waited longer than this is asked "still there?" before the group begins."""
    ask_s: float = 20.0
    """How long they have to answer; who does not, gives the place to somebody else."""
    cents_per_minute: int = 0
    """What a minute of waiting is owed to a worker who was sent away, or whose group began."""


@attrs.frozen
class GroupRules:
    """How a run's groups form, and what becomes of one that somebody left."""

    size_min: int = 2
    size_max: int = 2
    """Assignments have so many units, or fewer (not below `size_min`) where a row says what each is given."""
    waiting: WaitingRules = attrs.Factory(WaitingRules)
    policy: Policy = Policy.END
    replace_s: float = 300.0
    """How long a new worker is sought."""
    otherwise: Policy = Policy.END
    """What happens when none came: `END` or `GO_ON`."""
