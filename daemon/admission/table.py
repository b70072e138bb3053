"""The decision table of admission: its rows are the truth, the first that applies decides. Pure.

The rows stand in the order in which a worker passes them. The last one always applies, so there are no facts
without an answer. A test prints the table into docs/admission.md.
"""

import enum
from collections.abc import Callable, Sequence

import attrs

from ...protocol.names import Reason
from . import gold, screening
from .decisions import Ask, Decision, Onboard, Question, Refuse, Reserve, Special, SpecialKind
from .facts import PAGES_MAX, ROUNDS_MAX, UNIT_HOOKS, Answers, Facts, Hook
from .limits import over_limit
from .onboarding import OnboardingState
from .requirements import unmet
from .screening import ScreeningRules

CHANGED = frozenset({"facts_changed", "candidates_gone"})
"""What storage says when the decision was made from facts that are not so any more."""


class Step(enum.Enum):
    """The stations on the way in, in their order."""

    IDENTITY = "identity"
    RUN = "run"
    BLOCK = "blocked?"
    QUALIFICATIONS = "qualifications"
    LIMITS = "limits"
    UNITS = "any unit left"
    ONBOARDING = "onboarding"
    SCREENING = "screening"
    GOLD = "gold"
    UNIT = "which unit"


@attrs.frozen
class Row:
    """One line of the table."""

    name: str
    step: Step
    when: str
    """In words, for the documentation."""
    applies: Callable[[Facts], bool]
    decide: Callable[[Facts], Decision]
    then: str | None = None
    """What it decides in words, where that depends on the facts."""


def row_of(facts: Facts) -> Row:
    """The row that decides `facts`."""
    return next(row for row in TABLE if row.applies(facts))


def decide(facts: Facts) -> Decision:
    """What follows from `facts`; the same facts give the same decision."""
    return row_of(facts).decide(facts)


# --- what the rows ask of facts ----------------------------------------------------------------------------


def changed(facts: Facts) -> bool:
    """Storage wrote nothing, because something changed since the facts were read."""
    return facts.answers.said is not None and facts.answers.said.reason in CHANGED


def unqualified(facts: Facts) -> bool:
    """A requirement of task.toml is not met."""
    return unmet(facts.rules.requirements, facts.grants, facts.standing.provider) is not None


def too_many_wrong(facts: Facts) -> bool:
    """The worker may get no more units for their golds: by the hook if it was asked, else by the rule."""
    if facts.rules.gold is None:
        return False
    if facts.answers.qualifies is not None:
        return not facts.answers.qualifies
    return not gold.qualifies(facts.rules.gold, facts.golds)


def limit(facts: Facts) -> Reason | None:
    """The limit that the worker has reached."""
    return over_limit(facts.rules.limits, facts.standing.holding, facts.standing.task_units)


def looks(facts: Facts) -> bool:
    """Whether candidates are read before anything is reserved.

    Hooks may filter them; and nobody is onboarded or tested for work that is not there.
    """
    return bool(UNIT_HOOKS & facts.rules.hooks) or _onboards(facts) or _screens(facts) or _tests(facts)


def looks_on(facts: Facts) -> bool:
    """Whether another page is to be read: nothing fits so far, and there may be more."""
    pages = facts.answers.pages
    return not pages or (not pages[-1].kept and pages[-1].more and len(pages) < PAGES_MAX)


def screening_due(facts: Facts) -> bool:
    """Whether the worker gets a screening unit now."""
    rules = facts.rules.screening
    if rules is None or not screening.is_due(rules, facts.grants, facts.answers.needs_screening):
        return False
    return _makes(rules, facts.answers)


def screens_by_real_unit(facts: Facts) -> bool:
    """Whether the worker's next real unit is their screening."""
    rules = facts.rules.screening
    due = rules and screening.is_due(rules, facts.grants, facts.answers.needs_screening)
    return bool(due) and not screening_due(facts)


def gold_due(facts: Facts) -> bool:
    """Whether the worker gets a gold unit now."""
    if facts.rules.gold is None or _goes_without_gold(facts):
        return False
    if facts.answers.needs_gold is not None:
        return facts.answers.needs_gold
    return gold.needs_gold(facts.rules.gold, facts.golds)


def _onboards(facts: Facts) -> bool:
    return facts.onboarding in (OnboardingState.NEEDED, OnboardingState.UNDER_WAY)


def _screens(facts: Facts) -> bool:
    """Whether a screening unit may yet come of it, as far as is known."""
    rules, answers = facts.rules.screening, facts.answers
    if rules is None:
        return False
    maybe_due = _asks(facts, Hook.NEEDS_SCREENING, answers.needs_screening) or screening.is_due(
        rules, facts.grants, answers.needs_screening
    )
    maybe_made = _asks(facts, Hook.SHOULD_GENERATE, answers.generates) or _makes(rules, answers)
    return maybe_due and maybe_made


def _makes(rules: ScreeningRules, answers: Answers) -> bool:
    return not rules.use_real_units if answers.generates is None else answers.generates


def _tests(facts: Facts) -> bool:
    if facts.rules.gold is None or _goes_without_gold(facts):
        return False
    return _asks(facts, Hook.NEEDS_GOLD, facts.answers.needs_gold) or gold_due(facts)


def _goes_without_gold(facts: Facts) -> bool:
    rules = facts.rules.gold
    return rules is not None and gold.goes_without(rules, facts.golds, facts.standing.gold_units)


def _asks(facts: Facts, hook: Hook, answer: bool | None) -> bool:
    return answer is None and hook in facts.rules.hooks


def _said(facts: Facts) -> Reason | None:
    """What storage refused for; free units that this worker may not have are no match, not nothing."""
    said = facts.answers.said
    if said is None:
        return None
    if said.reason == "cap_reached":
        return Reason.NO_AVAILABLE_UNITS
    if said.reason == Reason.NO_AVAILABLE_UNITS.value and said.numbers.get("launched"):
        return Reason.NO_MATCH
    return Reason(said.reason)


def _screening_used_up(facts: Facts) -> bool:
    rules = facts.rules.screening
    return rules is not None and facts.standing.screening_units >= rules.max_units


def _gold_used_up(facts: Facts) -> bool:
    rules = facts.rules.gold
    return rules is not None and facts.standing.gold_units >= rules.max_units


def _no_digest(facts: Facts, kind: SpecialKind) -> bool:
    return _digest(facts, kind) == ""


def _digest(facts: Facts, kind: SpecialKind) -> str | None:
    """Of the special unit's data: None when nobody asked, "" when there is none."""
    answers = facts.answers
    item = answers.screening_item if kind is SpecialKind.SCREENING else answers.gold_item
    return None if item is None else item.digest or ""


# --- the rows ----------------------------------------------------------------------------------------------


def _refuse(reason: Reason) -> Callable[[Facts], Decision]:
    return lambda facts: Refuse(reason)


def _ask(question: Question) -> Callable[[Facts], Decision]:
    return lambda facts: Ask(question)


def _special(kind: SpecialKind) -> Callable[[Facts], Decision]:
    def decide_special(facts: Facts) -> Decision:
        rules = facts.rules.screening if kind is SpecialKind.SCREENING else facts.rules.gold
        return Special(kind, _digest(facts, kind) or "", rules.max_units if rules else 0)

    return decide_special


def _reserve(facts: Facts) -> Decision:
    """The author's filters named candidates, or the run's order decides in storage."""
    return Reserve(facts.kept if UNIT_HOOKS & facts.rules.hooks else None)


SCREENING, GOLD = SpecialKind.SCREENING, SpecialKind.GOLD

TABLE: Sequence[Row] = (
    Row(
        "identity unverified",
        Step.IDENTITY,
        "the provider does not believe who the worker is said to be",
        lambda f: f.unverified is not None,
        _refuse(Reason.IDENTITY_UNVERIFIED),
    ),
    Row(
        "closed",
        Step.RUN,
        "the run lets nobody in: not yet, not now, or not any more",
        lambda f: f.closed is not None,
        lambda f: Refuse(f.closed or Reason.TRY_LATER),
        "refused: try_later, paused or run_ended",
    ),
    Row(
        "no answer",
        Step.RUN,
        "a hook or the provider raised or took too long",
        lambda f: f.answers.failed is not None,
        _refuse(Reason.TRY_LATER),
    ),
    Row(
        "keeps changing",
        Step.RUN,
        f"what was decided upon had changed when it was carried out, {ROUNDS_MAX} times",
        lambda f: changed(f) and f.answers.rounds >= ROUNDS_MAX,
        _refuse(Reason.TRY_LATER),
    ),
    Row(
        "changed",
        Step.RUN,
        "what was decided upon had changed when it was carried out",
        changed,
        _ask(Question.FACTS),
    ),
    Row(
        "blocked",
        Step.BLOCK,
        "staff blocked the worker",
        lambda f: f.standing.blocked,
        _refuse(Reason.BLOCKED),
    ),
    Row(
        "has the block qualification",
        Step.BLOCK,
        "the worker has the run's `block_qualification`",
        lambda f: f.rules.block_qualification in f.grants,
        _refuse(Reason.BLOCKED),
    ),
    Row(
        "requirement not met",
        Step.QUALIFICATIONS,
        "a requirement of task.toml that applies to the worker's provider is not met",
        unqualified,
        _refuse(Reason.NOT_QUALIFIED),
    ),
    Row(
        "provider not asked",
        Step.QUALIFICATIONS,
        "the provider has requirements of its own, and was not asked yet",
        lambda f: f.answers.provider_admits is None,
        _ask(Question.PROVIDER_ADMITS),
    ),
    Row(
        "provider refuses",
        Step.QUALIFICATIONS,
        "the provider does not admit the worker",
        lambda f: f.answers.provider_admits is False,
        lambda f: Refuse(f.answers.provider_refused or Reason.NOT_QUALIFIED),
        "refused: the provider's reason",
    ),
    Row(
        "failed onboarding",
        Step.QUALIFICATIONS,
        "the onboarding qualification is 0",
        lambda f: f.onboarding is OnboardingState.FAILED,
        _refuse(Reason.NOT_QUALIFIED),
    ),
    Row(
        "disqualified by golds",
        Step.QUALIFICATIONS,
        "the worker has `<base>-disqualified`",
        lambda f: f.rules.gold is not None and f.rules.gold.disqualified_name in f.grants,
        _refuse(Reason.NOT_QUALIFIED),
    ),
    Row(
        "golds not judged",
        Step.QUALIFICATIONS,
        "there are golds and a hook `worker_qualifies`, which was not asked yet",
        lambda f: f.rules.gold is not None and _asks(f, Hook.QUALIFIES, f.answers.qualifies),
        _ask(Question.QUALIFIES),
    ),
    Row(
        "too many wrong golds",
        Step.QUALIFICATIONS,
        "more wrong golds than `max_incorrect_golds`, or `worker_qualifies` said no",
        too_many_wrong,
        _refuse(Reason.NOT_QUALIFIED),
    ),
    Row(
        "limit reached",
        Step.LIMITS,
        "as many units at once, or of the task in all, as one worker may have",
        lambda f: limit(f) is not None,
        lambda f: Refuse(limit(f) or Reason.MAX_FOR_TASK),
        "refused: too_many_concurrent or max_for_task",
    ),
    Row(
        "storage refused",
        Step.UNITS,
        "the guarded transaction found the worker blocked, a limit reached, the run closed, or no unit",
        lambda f: f.answers.said is not None,
        lambda f: Refuse(_said(f) or Reason.NO_AVAILABLE_UNITS),
        "refused: storage's reason; no_match when units are free, but none for this worker",
    ),
    Row(
        "nothing free",
        Step.UNITS,
        "no unit of the run is free",
        lambda f: f.standing.free_units == 0,
        _refuse(Reason.NO_AVAILABLE_UNITS),
    ),
    Row(
        "candidates not seen",
        Step.UNITS,
        "hooks filter, or something comes before the unit; nothing fits so far and there may be more to see",
        lambda f: looks(f) and looks_on(f),
        _ask(Question.CANDIDATES),
    ),
    Row(
        "nothing fits",
        Step.UNITS,
        f"all candidates, or {PAGES_MAX} pages of them, were seen; none fits this worker",
        lambda f: bool(f.answers.pages) and not f.kept,
        _refuse(Reason.NO_MATCH),
    ),
    Row(
        "onboarding",
        Step.ONBOARDING,
        "the run onboards, and the worker has neither passed nor failed",
        _onboards,
        lambda f: Onboard(),
    ),
    Row(
        "need of screening not known",
        Step.SCREENING,
        "there is a hook `worker_needs_screening`, which was not asked yet",
        lambda f: f.rules.screening is not None and _asks(f, Hook.NEEDS_SCREENING, f.answers.needs_screening),
        _ask(Question.NEEDS_SCREENING),
    ),
    Row(
        "kind of screening not known",
        Step.SCREENING,
        "the worker is to be screened, and the hook `should_generate_unit` was not asked yet",
        lambda f: (
            (screening_due(f) or screens_by_real_unit(f))
            and _asks(f, Hook.SHOULD_GENERATE, f.answers.generates)
        ),
        _ask(Question.GENERATES),
    ),
    Row(
        "screening units used up",
        Step.SCREENING,
        "the worker is to be screened, and `max_units` screening units were made",
        lambda f: screening_due(f) and _screening_used_up(f),
        _refuse(Reason.NO_AVAILABLE_UNITS),
    ),
    Row(
        "screening data not known",
        Step.SCREENING,
        "the worker is to be screened by a unit made for it, whose data was not asked for yet",
        lambda f: screening_due(f) and _digest(f, SCREENING) is None,
        _ask(Question.SCREENING_ITEM),
    ),
    Row(
        "no screening data left",
        Step.SCREENING,
        "the worker is to be screened, and there is no more data for it",
        lambda f: screening_due(f) and _no_digest(f, SCREENING),
        _refuse(Reason.NO_AVAILABLE_UNITS),
    ),
    Row("screening", Step.SCREENING, "the worker is to be screened", screening_due, _special(SCREENING)),
    Row(
        "need of gold not known",
        Step.GOLD,
        "there are golds left and a hook `worker_needs_gold`, which was not asked yet",
        lambda f: (
            f.rules.gold is not None
            and not _goes_without_gold(f)
            and _asks(f, Hook.NEEDS_GOLD, f.answers.needs_gold)
        ),
        _ask(Question.NEEDS_GOLD),
    ),
    Row(
        "gold units used up",
        Step.GOLD,
        "a gold is due, fewer than `min_golds` were right, and `max_units` gold units were made",
        lambda f: gold_due(f) and _gold_used_up(f),
        _refuse(Reason.NO_AVAILABLE_UNITS),
    ),
    Row(
        "gold data not known",
        Step.GOLD,
        "a gold is due, and its data was not asked for yet",
        lambda f: gold_due(f) and _digest(f, GOLD) is None,
        _ask(Question.GOLD_ITEM),
    ),
    Row(
        "no gold data left",
        Step.GOLD,
        "a gold is due, and there is none that the worker has not seen",
        lambda f: gold_due(f) and _no_digest(f, GOLD),
        _refuse(Reason.NO_AVAILABLE_UNITS),
    ),
    Row("gold", Step.GOLD, "a gold is due", gold_due, _special(GOLD)),
    Row("unit", Step.UNIT, "otherwise", lambda f: True, _reserve),
)
