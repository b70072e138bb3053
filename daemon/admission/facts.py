"""What an admission is decided from: the run's rules, the worker's standing, and the answers so far. Pure.

Facts are recorded with the decision, so they hold what the decision relied on and nothing else: of the
worker's grants only those that the rules name, of candidates only their numbers and who was kept.
"""

import enum
from collections.abc import Collection, Mapping
from typing import TypeVar

import attrs

from ...protocol.names import AgentStatus, Reason, UnitId
from .gold import GoldCounts, GoldRules, counts_of
from .limits import UNLIMITED, WorkerLimits
from .onboarding import OnboardingState, failed_name, onboarding_state
from .orders import Order
from .requirements import Requirement
from .screening import ScreeningRules

V = TypeVar("V")

PAGE_UNITS_MAX = 64  # candidates that hooks see at once
PAGES_MAX = 16  # pages read for one registration; beyond, the reason is `no_match`
ROUNDS_MAX = 3  # a worker whose facts keep changing under us is told to try again
ERROR_CHARACTERS_MAX = 300  # of what is kept about a hook that failed


class Hook(enum.Enum):
    """The author's hooks that admission asks; a run has some of them, or none."""

    CAN_DO_UNIT = "worker_can_do_unit"
    FILTER_UNITS = "filter_units_for_worker"
    RANK_UNITS = "rank_units"
    NEEDS_SCREENING = "worker_needs_screening"
    SHOULD_GENERATE = "should_generate_unit"
    NEEDS_GOLD = "worker_needs_gold"
    QUALIFIES = "worker_qualifies"


UNIT_HOOKS = frozenset({Hook.CAN_DO_UNIT, Hook.FILTER_UNITS, Hook.RANK_UNITS})


@attrs.frozen
class Rules:
    """What the run's config says about who may work on what."""

    requirements: tuple[Requirement, ...] = ()
    block_qualification: str | None = None
    limits: WorkerLimits = UNLIMITED
    onboarding: str | None = None
    """The onboarding qualification; None: the run does not onboard."""
    screening: ScreeningRules | None = None
    gold: GoldRules | None = None
    order: Order = Order.FIFO
    hooks: frozenset[Hook] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """Every qualification that a decision may rely on."""
        names = {requirement.name for requirement in self.requirements}
        names |= {self.block_qualification} if self.block_qualification else set()
        names |= {self.onboarding, failed_name(self.onboarding)} if self.onboarding else set()
        names |= {self.screening.qualification} if self.screening else set()
        return frozenset(names | set(self.gold.names) if self.gold else names)


@attrs.frozen
class Standing:
    """What storage knew about worker and run in one read."""

    provider: str = ""
    blocked: bool = False
    grants: Mapping[str, int] = attrs.Factory(dict[str, int])
    """By name; only those in `Rules.names`."""
    holding: int = 0
    """Units of the run that they hold, special ones included."""
    task_units: int = 0
    """Units of the task, in any run, that they hold or did; special ones are not counted."""
    onboarding: AgentStatus | None = None
    """Their newest onboarding agent in this run."""
    screening_units: int = 0
    """Screening units of the run that count towards its cap."""
    gold_units: int = 0
    """Gold units of the run that count towards its cap."""
    free_units: int = 0
    """How many units of the run are free, for whomever."""


@attrs.frozen
class Page:
    """What became of one page of candidates."""

    looked_at: int
    last: int
    """The id of its last unit; 0 when it was empty."""
    kept: tuple[UnitId, ...] = ()
    """What the hooks left of it, best first."""
    more: bool = False
    """Whether another page may follow."""


@attrs.frozen
class Item:
    """The answer to a question for special data; without a digest there is none to be had."""

    digest: str | None = None


@attrs.frozen
class StorageSaid:
    """Why the guarded transaction wrote nothing, with its own facts."""

    reason: str
    numbers: Mapping[str, int] = attrs.Factory(dict[str, int])


@attrs.frozen
class Answers:
    """What was learnt by asking, in the order of the table; None: not asked (yet)."""

    provider_admits: bool | None = None
    provider_refused: Reason | None = None
    """Why the provider does not admit the worker."""
    qualifies: bool | None = None
    pages: tuple[Page, ...] = ()
    needs_screening: bool | None = None
    generates: bool | None = None
    screening_item: Item | None = None
    needs_gold: bool | None = None
    gold_item: Item | None = None
    granted: Mapping[str, int | None] = attrs.Factory(dict[str, int | None])
    """What hooks granted (None: revoked) while they were asked; it is so once the decision is carried out."""
    failed: str | None = None
    """What did not answer, and how; nothing is decided upon it."""
    said: StorageSaid | None = None
    rounds: int = 1
    """How many times the facts were read."""


@attrs.frozen
class Facts:
    """Everything one decision is made from."""

    # Shared defaults: what a factory gives is made anew each time that facts are recorded, to be compared.
    rules: Rules = Rules()
    standing: Standing = Standing()
    answers: Answers = Answers()
    closed: Reason | None = None
    """Why the run lets nobody in at present."""
    unverified: str | None = None
    """Why the provider does not believe who the worker is said to be."""
    requirements_left_out: int = 0
    """How many requirements are not among the rules any more: too many to be kept, they did not decide."""

    @property
    def grants(self) -> Mapping[str, int]:
        """The worker's grants as hooks left them."""
        if not self.answers.granted:
            return self.standing.grants
        merged = {**self.standing.grants, **self.answers.granted}
        return {name: value for name, value in merged.items() if value is not None}

    @property
    def onboarding(self) -> OnboardingState:
        """Where the worker stands with the run's onboarding."""
        return onboarding_state(self.rules.onboarding, self.grants, self.standing.onboarding)

    @property
    def golds(self) -> GoldCounts:
        """The worker's gold counters; zeros in a run without golds."""
        return counts_of(self.rules.gold, self.grants) if self.rules.gold else GoldCounts()

    @property
    def kept(self) -> tuple[UnitId, ...]:
        """The candidates that the hooks left, best first."""
        return self.answers.pages[-1].kept if self.answers.pages else ()

    @property
    def looked_at(self) -> int:
        """How many candidates the hooks saw."""
        return sum(page.looked_at for page in self.answers.pages)

    def relied_on(self) -> dict[str, int | None]:
        """The grants that must still be so when the decision is carried out."""
        return {name: self.standing.grants.get(name) for name in sorted(self.rules.names)}


def named(grants: Mapping[str, V], names: Collection[str]) -> dict[str, V]:
    """Those of `grants` that are called one of `names`."""
    return {name: grants[name] for name in sorted(names) if name in grants}
