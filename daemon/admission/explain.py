"""Why, in sentences: from a decision's recorded facts, as they were at the time. Pure.

`crowdctl why` prints these. Who reads them is staff: they name qualifications, numbers and limits.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...protocol.names import SENTENCES, Reason
from .decisions import Outcome, Refuse
from .facts import UNIT_HOOKS, Facts
from .onboarding import OnboardingState
from .record import FactsUnreadable, from_json
from .requirements import Requirement
from .table import (
    Row,
    Step,
    changed,
    gold_due,
    row_of,
    screening_due,
    screens_by_real_unit,
    too_many_wrong,
)

ADMISSION = "admission"
"""The kind of decisions about who asks for work; those of other kinds are told by their facts."""


def explain(
    kind: str,
    outcome: str,
    reason: str | None,
    facts: Mapping[str, Any],
    texts: Mapping[str, str] | None = None,
) -> list[str]:
    """Sentences for a recorded decision, the steps in their order, what it came to last. Never raises.

    `texts` are the run's own words for refusals, by reason.

    A decision of another kind, or of a version whose facts cannot be read, is told by its facts one by one.
    """
    last = _came_to(outcome, reason, texts or {})
    if kind != ADMISSION:
        return [*_plainly(facts), last]
    try:
        known = from_json(facts)
    except FactsUnreadable:
        return [*_plainly(facts), last]
    return [*steps_to(known), last]


def steps_to(facts: Facts) -> list[str]:
    """What was found at every step up to the one that decided."""
    row = row_of(facts)
    stations = list(Step)
    passed = stations[: stations.index(row.step) + 1]
    sentences = [sentence for step in passed for sentence in _SAYS[step](facts)]
    if (because := _because(row, facts)) is not None:
        sentences.append(because)
    return sentences


def _came_to(outcome: str, reason: str | None, texts: Mapping[str, str]) -> str:
    if outcome == Outcome.REFUSED.value:
        known = reason is not None and reason in Reason._value2member_map_
        told = f', told as "{texts.get(reason, SENTENCES[Reason(reason)])}"' if known and reason else ""
        return f"So: refused, {reason or 'without a reason'}{told}."
    return f"So: {outcome}." if reason is None else f"So: {outcome}, {reason}."


def _plainly(facts: Mapping[str, Any]) -> list[str]:
    return [f"{key.replace('_', ' ')}: {value}." for key, value in facts.items()]


def _because(row: Row, facts: Facts) -> str | None:
    """The row that decided, where the step's own sentence does not say it."""
    if row.step in (Step.IDENTITY, Step.RUN) or not isinstance(row.decide(facts), Refuse):
        return None
    return f"That decided: {row.name} ({row.when})."


# --- what was found at each step ---------------------------------------------------------------------------


def _identity(facts: Facts) -> list[str]:
    if facts.unverified is not None:
        return [f"The provider did not believe who the worker was said to be: {facts.unverified}."]
    return []


def _run(facts: Facts) -> list[str]:
    answers, sentences = facts.answers, list[str]()
    if facts.closed is not None:
        sentences.append(f"The run let nobody in at that moment: {facts.closed.value}.")
    if answers.failed is not None:
        sentences.append(f"No answer could be had: {answers.failed}. Nothing was decided, nothing granted.")
    if changed(facts) and answers.said is not None:
        sentences.append(
            f"What was decided upon had changed when it was to be carried out ({answers.said.reason}), "
            f"{_times(answers.rounds)}."
        )
    elif answers.rounds > 1:
        sentences.append(f"The facts changed meanwhile; they were read {_times(answers.rounds)}.")
    return sentences


def _block(facts: Facts) -> list[str]:
    if facts.standing.blocked:
        return ["Staff had blocked the worker."]
    name = facts.rules.block_qualification
    if name is None:
        return ["The worker was not blocked."]
    if name in facts.grants:
        return [f"The worker had a grant of {name}, which blocks from this run."]
    return [f"The worker was not blocked and had no grant of {name}."]


def _qualifications(facts: Facts) -> list[str]:
    sentences = [_requirement(requirement, facts) for requirement in facts.rules.requirements]
    if facts.requirements_left_out:
        sentences.append(f"Other requirements, too many to be kept here: {facts.requirements_left_out}.")
    if facts.answers.provider_admits is not None:
        does = "admitted" if facts.answers.provider_admits else "did not admit"
        reason = facts.answers.provider_refused
        sentences.append(f"The provider {does} the worker{'' if reason is None else f': {reason.value}'}.")
    if facts.onboarding in (OnboardingState.PASSED, OnboardingState.FAILED):
        name = facts.rules.onboarding
        sentences.append(
            f"The worker had {facts.onboarding.value} the onboarding "
            f"({name} = {facts.grants.get(name or '')})."
        )
    return [*sentences, *_gold_standing(facts)]


def _requirement(requirement: Requirement, facts: Facts) -> str:
    if not requirement.applies_to(facts.standing.provider):
        return f"Required {requirement}: not asked of workers of {facts.standing.provider}."
    value = facts.grants.get(requirement.name)
    had = "had no grant of it" if value is None else f"had {value}"
    met = "met" if requirement.met_by(value) else "not met"
    return f"Required {requirement}: the worker {had}, {met}."


def _gold_standing(facts: Facts) -> list[str]:
    rules, counts = facts.rules.gold, facts.golds
    if rules is None:
        return []
    if rules.disqualified_name in facts.grants:
        return [f"The worker had a grant of {rules.disqualified_name}."]
    by = "worker_qualifies said" if facts.answers.qualifies is not None else "the rule says"
    verdict = "too many" if too_many_wrong(facts) else "still admitted"
    return [
        f"Golds: {counts.correct} right, {counts.wrong} wrong after {_units(counts.completed)} done; "
        f"{rules.max_incorrect_golds} wrong ones are allowed, {by}: {verdict}."
    ]


def _limits(facts: Facts) -> list[str]:
    limits, standing = facts.rules.limits, facts.standing
    sentences: list[str] = []
    if limits.allowed_concurrent:
        sentences.append(
            f"The worker held {_units(standing.holding)} of the run; "
            f"{limits.allowed_concurrent} at once are allowed."
        )
    if limits.maximum_units_per_worker:
        sentences.append(
            f"The worker held or had done {_units(standing.task_units)} of the task, in all its runs; "
            f"{limits.maximum_units_per_worker} are allowed."
        )
    return sentences


def _candidates(facts: Facts) -> list[str]:
    said, pages = facts.answers.said, facts.answers.pages
    free = facts.standing.free_units
    sentences = [
        f"{_units(free).capitalize()} of the run {'was' if free == 1 else 'were'} free, for whomever."
    ]
    if pages:
        sentences.append(_seen(facts))
    if said is not None:
        numbers = ", ".join(f"{name} {number}" for name, number in said.numbers.items())
        sentences.append(f"Storage gave nothing: {said.reason}{f' ({numbers})' if numbers else ''}.")
    return sentences


def _seen(facts: Facts) -> str:
    """What was found when free units were looked at one by one."""
    hooks = ", ".join(sorted(hook.value for hook in UNIT_HOOKS & facts.rules.hooks))
    if not hooks:
        found = "one" if facts.kept else "none"
        return f"Of these, {found} was of an assignment that the worker had not worked on."
    pages = len(facts.answers.pages)
    return (
        f"Of {_units(facts.looked_at)} of assignments that the worker had not worked on "
        f"({'1 page' if pages == 1 else f'{pages} pages'}), {hooks} kept {len(facts.kept)}."
    )


def _onboarding(facts: Facts) -> list[str]:
    if facts.onboarding is OnboardingState.NEEDED:
        return [f"The worker had no grant of {facts.rules.onboarding}: not onboarded yet."]
    if facts.onboarding is OnboardingState.UNDER_WAY:
        return ["The worker's onboarding was under way."]
    return []


def _screening(facts: Facts) -> list[str]:
    rules = facts.rules.screening
    if rules is None:
        return []
    has = "had a grant of" if rules.qualification in facts.grants else "had no grant of"
    sentences = [
        f"The worker {has} {rules.qualification}.",
        *_hook("worker_needs_screening", facts.answers.needs_screening),
    ]
    if screens_by_real_unit(facts):
        sentences.append("Their next real unit is their screening.")
    if screening_due(facts):
        sentences.append(
            f"A screening unit was due; {facts.standing.screening_units} of {rules.max_units} had been made."
        )
    return sentences


def _gold(facts: Facts) -> list[str]:
    rules = facts.rules.gold
    if rules is None:
        return []
    due = "was due" if gold_due(facts) else "was not due"
    made = f"{facts.standing.gold_units} of {rules.max_units} had been made"
    return [*_hook("worker_needs_gold", facts.answers.needs_gold), f"A gold unit {due}; {made}."]


def _unit(facts: Facts) -> list[str]:
    if UNIT_HOOKS & facts.rules.hooks:
        return [f"A unit was reserved: the first still free of {len(facts.kept)}, in the hooks' order."]
    return [f"A unit was reserved: the first still free in the run's order ({facts.rules.order.value})."]


def _hook(name: str, said: bool | None) -> list[str]:
    return [] if said is None else [f"{name} said {'yes' if said else 'no'}."]


def _units(count: int) -> str:
    return "1 unit" if count == 1 else f"{count} units"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


_SAYS: Mapping[Step, Callable[[Facts], Sequence[str]]] = {
    Step.IDENTITY: _identity,
    Step.RUN: _run,
    Step.BLOCK: _block,
    Step.QUALIFICATIONS: _qualifications,
    Step.LIMITS: _limits,
    Step.UNITS: _candidates,
    Step.ONBOARDING: _onboarding,
    Step.SCREENING: _screening,
    Step.GOLD: _gold,
    Step.UNIT: _unit,
}
