"""What a worker who asks for work can get: a refusal, an onboarding, a special unit, a unit. Pure."""

import enum

import attrs

from ...protocol.names import Reason, UnitId
from ...storage.records import GOLD_UNIT_INDEX, SCREENING_UNIT_INDEX


class Question(enum.Enum):
    """What has to be known before anything can be decided; the answers are fields of `Answers`."""

    FACTS = "the facts, again"
    PROVIDER_ADMITS = "the provider: is the worker admitted?"
    QUALIFIES = "worker_qualifies"
    CANDIDATES = "the next page of free units, and what the hooks leave of it"
    NEEDS_SCREENING = "worker_needs_screening"
    GENERATES = "should_generate_unit"
    SCREENING_ITEM = "the next screening unit's data"
    NEEDS_GOLD = "worker_needs_gold"
    GOLD_ITEM = "a gold unit's data that is new to the worker"


class SpecialKind(enum.Enum):
    """What a unit is for that is made for one worker alone."""

    SCREENING = "screening"
    GOLD = "gold"

    @property
    def unit_index(self) -> int:
        """The index such units have in their assignments."""
        return SCREENING_UNIT_INDEX if self is SpecialKind.SCREENING else GOLD_UNIT_INDEX


@attrs.frozen
class Ask:
    """Find this out, put the answer to the facts, decide again."""

    question: Question


@attrs.frozen
class Refuse:
    """No work, for this reason; TRY_LATER is the one that says: not now."""

    reason: Reason


@attrs.frozen
class Onboard:
    """The worker is onboarded first (or goes on with it)."""


@attrs.frozen
class Special:
    """Make a unit for this worker alone, with the data of this digest, unless `cap` is used up."""

    kind: SpecialKind
    digest: str
    cap: int


@attrs.frozen
class Reserve:
    """Give the worker the first of these that is still free, or (None) the first of the run's order."""

    candidates: tuple[UnitId, ...] | None = None


Decision = Ask | Refuse | Onboard | Special | Reserve
Final = Refuse | Onboard | Special | Reserve
"""What a decision comes to in the end: no more questions."""


class Outcome(enum.Enum):
    """How a final decision is recorded."""

    REFUSED = "refused"
    ONBOARDING = "onboarding"
    SCREENING = "screening unit"
    GOLD = "gold unit"
    UNIT = "unit"


def outcome_of(decision: Final) -> Outcome:
    """The word under which `decision` is recorded."""
    match decision:
        case Refuse():
            return Outcome.REFUSED
        case Onboard():
            return Outcome.ONBOARDING
        case Special(kind=SpecialKind.SCREENING):
            return Outcome.SCREENING
        case Special():
            return Outcome.GOLD
        case Reserve():
            return Outcome.UNIT
