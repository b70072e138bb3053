"""Random worlds: what `decide` comes to by asking is what a naive model says that knows all."""

import json
import math
from collections.abc import Mapping
from typing import Any

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdd.daemon.admission import (
    PAGES_MAX,
    ROUNDS_MAX,
    TABLE,
    Answers,
    Ask,
    Comparator,
    Decision,
    Facts,
    GoldRules,
    Hook,
    Item,
    Onboard,
    Page,
    Question,
    Refuse,
    Requirement,
    Reserve,
    Rules,
    ScreeningRules,
    Special,
    SpecialKind,
    Standing,
    StorageSaid,
    WorkerLimits,
    decide,
    explain,
    from_json,
    outcome_of,
    row_of,
    to_json,
)
from crowdd.protocol.names import LIVE_AGENT, AgentStatus, Reason, UnitId

QUESTIONS_MAX = len(Question) + PAGES_MAX
STORAGE_SAYS = ["facts_changed", "candidates_gone", "cap_reached", "blocked"]
NAMES = ["age", "banned", "trained", "trained-failed", "passed", *GoldRules("g", 1).names]


@attrs.frozen
class World:
    """A worker at the door of a run, and what everybody would say if asked."""

    rules: Rules
    standing: Standing
    provider_refuses: Reason | None
    says: Mapping[Question, bool]
    items: Mapping[Question, str | None]
    pages: tuple[Page, ...]
    breaks: Question | None
    """Asking this fails."""


def asked(world: World) -> tuple[Facts, list[Question]]:
    """The facts at the end of a registration, and what was asked on the way."""
    facts, questions = Facts(world.rules, world.standing), list[Question]()
    while isinstance(decision := decide(facts), Ask):
        questions.append(decision.question)
        assert len(questions) <= QUESTIONS_MAX
        facts = attrs.evolve(facts, answers=_answered(world, facts.answers, decision.question))
    return facts, questions


def _answered(world: World, answers: Answers, question: Question) -> Answers:
    if question is world.breaks:
        return attrs.evolve(answers, failed=f"{question.name} raised")
    match question:
        case Question.PROVIDER_ADMITS:
            refused = world.provider_refuses
            return attrs.evolve(answers, provider_admits=refused is None, provider_refused=refused)
        case Question.CANDIDATES:
            return attrs.evolve(answers, pages=(*answers.pages, world.pages[len(answers.pages)]))
        case Question.QUALIFIES:
            return attrs.evolve(answers, qualifies=world.says[question])
        case Question.NEEDS_SCREENING:
            return attrs.evolve(answers, needs_screening=world.says[question])
        case Question.GENERATES:
            return attrs.evolve(answers, generates=world.says[question])
        case Question.NEEDS_GOLD:
            return attrs.evolve(answers, needs_gold=world.says[question])
        case Question.SCREENING_ITEM:
            return attrs.evolve(answers, screening_item=Item(world.items[question]))
        case Question.GOLD_ITEM:
            return attrs.evolve(answers, gold_item=Item(world.items[question]))
        case Question.FACTS:
            raise AssertionError("nothing was said to have changed")


# --- the naive model ---------------------------------------------------------------------------------------


def naive(world: World) -> Decision:
    """Straight down, with everything known; no questions, no table."""
    rules, worker = world.rules, world.standing
    broken = Refuse(Reason.TRY_LATER)
    if worker.blocked or (rules.block_qualification and rules.block_qualification in worker.grants):
        return Refuse(Reason.BLOCKED)
    for requirement in rules.requirements:
        if not _meets(requirement, worker):
            return Refuse(Reason.NOT_QUALIFIED)
    if world.breaks is Question.PROVIDER_ADMITS:
        return broken
    if world.provider_refuses:
        return Refuse(world.provider_refuses)
    if rules.onboarding and worker.grants.get(rules.onboarding, 1) < 1:
        return Refuse(Reason.NOT_QUALIFIED)
    right = worker.grants.get("g-correct-golds", 0)
    wrong = worker.grants.get("g-wrong-golds", 0)
    if rules.gold:
        if "g-disqualified" in worker.grants:
            return Refuse(Reason.NOT_QUALIFIED)
        good = wrong <= rules.gold.max_incorrect_golds
        if Hook.QUALIFIES in rules.hooks:
            if world.breaks is Question.QUALIFIES:
                return broken
            good = world.says[Question.QUALIFIES]
        if not good:
            return Refuse(Reason.NOT_QUALIFIED)
    if 0 < rules.limits.allowed_concurrent <= worker.holding:
        return Refuse(Reason.TOO_MANY_CONCURRENT)
    if 0 < rules.limits.maximum_units_per_worker <= worker.task_units:
        return Refuse(Reason.MAX_FOR_TASK)
    if not worker.free_units:
        return Refuse(Reason.NO_AVAILABLE_UNITS)
    return _with_work(world, right, wrong)


def _with_work(world: World, right: int, wrong: int) -> Decision:
    rules, worker = world.rules, world.standing
    onboards = bool(rules.onboarding) and rules.onboarding not in worker.grants
    may_screen = (
        rules.screening is not None
        and (Hook.NEEDS_SCREENING in rules.hooks or "passed" not in worker.grants)
        and (Hook.SHOULD_GENERATE in rules.hooks or not rules.screening.use_real_units)
    )
    gold = rules.gold
    gold_possible = gold is not None and not (right >= gold.min_golds and worker.gold_units >= gold.max_units)
    rule_wants_gold = gold is not None and (
        right < gold.min_golds
        or right - gold.min_golds - wrong
        < math.ceil(math.log10(worker.grants.get("g-completed-count", 0) + 1) ** 2.2) - 1
    )
    may_test = gold_possible and (Hook.NEEDS_GOLD in rules.hooks or rule_wants_gold)
    filters = bool(rules.hooks & {Hook.CAN_DO_UNIT, Hook.FILTER_UNITS, Hook.RANK_UNITS})
    fitting: tuple[UnitId, ...] = ()
    if filters or onboards or may_screen or may_test:
        if world.breaks is Question.CANDIDATES:
            return Refuse(Reason.TRY_LATER)
        for page in world.pages:
            if page.kept:
                fitting = page.kept
                break
        if not fitting:
            return Refuse(Reason.NO_MATCH)
    if onboards:
        return Onboard()
    screened = _screened(world)
    if screened is not None:
        return screened
    if gold is not None and gold_possible:
        due = rule_wants_gold
        if Hook.NEEDS_GOLD in rules.hooks:
            if world.breaks is Question.NEEDS_GOLD:
                return Refuse(Reason.TRY_LATER)
            due = world.says[Question.NEEDS_GOLD]
        if due:
            return _made(world, SpecialKind.GOLD, worker.gold_units, gold.max_units, Question.GOLD_ITEM)
    return Reserve(fitting if filters else None)


def _screened(world: World) -> Decision | None:
    rules = world.rules.screening
    if rules is None:
        return None
    due = "passed" not in world.standing.grants
    if Hook.NEEDS_SCREENING in world.rules.hooks:
        if world.breaks is Question.NEEDS_SCREENING:
            return Refuse(Reason.TRY_LATER)
        due = world.says[Question.NEEDS_SCREENING]
    if not due:
        return None
    makes = not rules.use_real_units
    if Hook.SHOULD_GENERATE in world.rules.hooks:
        if world.breaks is Question.GENERATES:
            return Refuse(Reason.TRY_LATER)
        makes = world.says[Question.GENERATES]
    if not makes:
        return None
    made = world.standing.screening_units
    return _made(world, SpecialKind.SCREENING, made, rules.max_units, Question.SCREENING_ITEM)


def _made(world: World, kind: SpecialKind, made: int, cap: int, question: Question) -> Decision:
    if made >= cap:
        return Refuse(Reason.NO_AVAILABLE_UNITS)
    if world.breaks is question:
        return Refuse(Reason.TRY_LATER)
    digest = world.items[question]
    return Special(kind, digest, cap) if digest else Refuse(Reason.NO_AVAILABLE_UNITS)


def _meets(requirement: Requirement, worker: Standing) -> bool:
    if requirement.applicable_providers and worker.provider not in requirement.applicable_providers:
        return True
    value = worker.grants.get(requirement.name)
    match requirement.comparator:
        case Comparator.EXISTS:
            return value is not None
        case Comparator.DOES_NOT_EXIST:
            return value is None
        case Comparator.EQUAL_TO:
            return value == requirement.value
        case _:
            raise AssertionError("not generated here: test_requirements has them all")


# --- worlds ------------------------------------------------------------------------------------------------

counts = st.integers(0, 3)
questions = st.sampled_from(Question)
requirements = st.one_of(
    st.builds(
        Requirement,
        st.just("age"),
        st.sampled_from([Comparator.EXISTS, Comparator.DOES_NOT_EXIST]),
        st.none(),
        st.sampled_from([None, ("inhouse",), ("mturk",)]),
    ),
    st.builds(Requirement, st.just("age"), st.just(Comparator.EQUAL_TO), counts),
)
screenings = st.one_of(
    st.builds(ScreeningRules, st.just("passed"), counts),
    st.just(ScreeningRules("passed", use_real_units=True)),
)
golds = st.builds(GoldRules, st.just("g"), counts, counts, counts)
rules = st.builds(
    Rules,
    requirements=st.lists(requirements, max_size=2).map(tuple),
    block_qualification=st.sampled_from([None, None, "banned"]),
    limits=st.builds(WorkerLimits, counts, counts),
    onboarding=st.sampled_from([None, None, "trained"]),
    screening=st.one_of(st.none(), screenings),
    gold=st.one_of(st.none(), golds),
    hooks=st.frozensets(st.sampled_from(Hook)),
)
grants = st.dictionaries(st.sampled_from(NAMES), st.integers(0, 40), max_size=4)
standings = st.builds(
    Standing,
    provider=st.sampled_from(["inhouse", "mturk"]),
    blocked=st.sampled_from([False] * 9 + [True]),
    grants=grants,
    holding=st.sampled_from([0, 0, 0, 1, 2]),
    task_units=st.sampled_from([0, 0, 0, 1, 2]),
    onboarding=st.sampled_from([None, *LIVE_AGENT, AgentStatus.DISCONNECT]),
    screening_units=counts,
    gold_units=counts,
    free_units=st.sampled_from([5, 5, 5, 1, 0]),
)


@st.composite
def page_rows(draw: st.DrawFn) -> tuple[Page, ...]:
    """As storage gives them: `more` until the last, of which there are at most PAGES_MAX that count."""
    length = draw(st.sampled_from([1, 1, 2, PAGES_MAX, PAGES_MAX + 1]))
    pages = [Page(64, 64 * number, more=True) for number in range(1, length + 1)]
    pages[-1] = attrs.evolve(pages[-1], more=length > PAGES_MAX)
    if draw(st.booleans()):
        at = draw(st.integers(0, min(length, PAGES_MAX) - 1))
        pages[at] = attrs.evolve(pages[at], kept=(UnitId(at + 1), UnitId(900)))
    return tuple(pages[:PAGES_MAX])


worlds = st.builds(
    World,
    rules,
    standings,
    st.sampled_from([None] * 5 + [Reason.NOT_QUALIFIED, Reason.BLOCKED]),
    st.fixed_dictionaries({question: st.booleans() for question in Question}),
    st.fixed_dictionaries({question: st.sampled_from(["d1", None]) for question in Question}),
    page_rows(),
    st.one_of(st.none(), st.none(), questions),
)


@given(worlds)
@settings(max_examples=1500, deadline=None)
def test_asking_comes_to_what_is_right_for_all_that_is_known(world: World) -> None:
    facts, _ = asked(world)
    assert decide(facts) == naive(world)


@given(worlds)
@settings(max_examples=300, deadline=None)
def test_nothing_is_asked_twice_but_for_pages(world: World) -> None:
    _, questions = asked(world)
    others = [question for question in questions if question is not Question.CANDIDATES]
    assert len(others) == len(set(others))
    assert questions.count(Question.CANDIDATES) <= PAGES_MAX


@given(worlds)
@settings(max_examples=300, deadline=None)
def test_what_was_recorded_decides_and_explains_itself(world: World) -> None:
    facts, _ = asked(world)
    document: dict[str, Any] = json.loads(json.dumps(to_json(facts)))
    decision = decide(from_json(document))
    assert decision == decide(facts)
    assert not isinstance(decision, Ask)
    reason = decision.reason.value if isinstance(decision, Refuse) else None
    sentences = explain("admission", outcome_of(decision).value, reason, document)
    assert len(sentences) >= 2


anything = st.builds(
    Facts,
    rules,
    standings,
    st.builds(
        Answers,
        provider_admits=st.sampled_from([None, True, False]),
        provider_refused=st.sampled_from([None, Reason.BLOCKED]),
        qualifies=st.sampled_from([None, True, False]),
        pages=page_rows().flatmap(lambda pages: st.integers(0, len(pages)).map(lambda n: pages[:n])),
        needs_screening=st.sampled_from([None, True, False]),
        generates=st.sampled_from([None, True, False]),
        screening_item=st.sampled_from([None, Item(), Item("d")]),
        needs_gold=st.sampled_from([None, True, False]),
        gold_item=st.sampled_from([None, Item(), Item("d")]),
        granted=st.dictionaries(st.sampled_from(NAMES), st.sampled_from([None, 0, 1]), max_size=2),
        failed=st.sampled_from([None, None, "it raised"]),
        said=st.sampled_from([None, *map(StorageSaid, STORAGE_SAYS)]),
        rounds=st.integers(1, ROUNDS_MAX),
    ),
    st.sampled_from([None, None, Reason.PAUSED]),
    st.sampled_from([None, None, "forged"]),
)


@given(anything)
@settings(max_examples=1500, deadline=None)
def test_there_are_no_facts_without_an_answer(facts: Facts) -> None:
    decision = decide(facts)
    if isinstance(decision, Ask):
        assert _unknown(facts, decision.question), "what is known is not asked for"
    else:
        assert outcome_of(decision)
    assert row_of(facts) in TABLE
    assert from_json(to_json(facts)) == facts


def _unknown(facts: Facts, question: Question) -> bool:
    answers = facts.answers
    known: dict[Question, Any] = {
        Question.PROVIDER_ADMITS: answers.provider_admits,
        Question.QUALIFIES: answers.qualifies,
        Question.NEEDS_SCREENING: answers.needs_screening,
        Question.GENERATES: answers.generates,
        Question.SCREENING_ITEM: answers.screening_item,
        Question.NEEDS_GOLD: answers.needs_gold,
        Question.GOLD_ITEM: answers.gold_item,
    }
    if question is Question.CANDIDATES:
        return not facts.kept and len(answers.pages) < PAGES_MAX
    return question is Question.FACTS or known[question] is None
