"""Facts for every row of the decision table, and what it decides about them."""

from collections.abc import Mapping
from typing import Any

import attrs

from crowdd.daemon.admission import (
    PAGES_MAX,
    ROUNDS_MAX,
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
)
from crowdd.protocol.names import AgentStatus, Reason, UnitId

SCREENING = ScreeningRules("passed", max_units=2)
GOLD = GoldRules("g", max_units=3, min_golds=1, max_incorrect_golds=1)
SEEN = (Page(1, 7, (UnitId(7),)),)


def facts(rules: Rules | None = None, standing: dict[str, Any] | None = None, **answers: Any) -> Facts:
    """Those of a worker whom the provider admits, in a run with free units, but for what is said."""
    usual = Facts(rules or Rules(), Standing("inhouse", free_units=5), Answers(provider_admits=True))
    return attrs.evolve(
        usual,
        standing=attrs.evolve(usual.standing, **(standing or {})),
        answers=attrs.evolve(usual.answers, **answers),
    )


def said(reason: str, **numbers: int) -> StorageSaid:
    return StorageSaid(reason, numbers)


def of_gold(grants: dict[str, int], **more: Any) -> Facts:
    return facts(Rules(gold=GOLD), {"grants": grants}, **more)


ROWS: Mapping[str, tuple[Facts, Decision]] = {
    "identity unverified": (Facts(unverified="a forged link"), Refuse(Reason.IDENTITY_UNVERIFIED)),
    "closed": (Facts(closed=Reason.RUN_ENDED), Refuse(Reason.RUN_ENDED)),
    "no answer": (facts(failed="worker_can_do_unit raised KeyError"), Refuse(Reason.TRY_LATER)),
    "keeps changing": (facts(said=said("facts_changed"), rounds=ROUNDS_MAX), Refuse(Reason.TRY_LATER)),
    "changed": (facts(said=said("candidates_gone")), Ask(Question.FACTS)),
    "blocked": (facts(standing={"blocked": True}), Refuse(Reason.BLOCKED)),
    "has the block qualification": (
        facts(Rules(block_qualification="banned"), {"grants": {"banned": 0}}),
        Refuse(Reason.BLOCKED),
    ),
    "requirement not met": (
        facts(Rules((Requirement("age", Comparator.GREATER_THAN_OR_EQUAL_TO, 18),)), {"grants": {"age": 17}}),
        Refuse(Reason.NOT_QUALIFIED),
    ),
    "provider not asked": (facts(provider_admits=None), Ask(Question.PROVIDER_ADMITS)),
    "provider refuses": (
        facts(provider_admits=False, provider_refused=Reason.BLOCKED),
        Refuse(Reason.BLOCKED),
    ),
    "failed onboarding": (
        facts(Rules(onboarding="trained"), {"grants": {"trained": 0}}),
        Refuse(Reason.NOT_QUALIFIED),
    ),
    "disqualified by golds": (of_gold({"g-disqualified": 1}), Refuse(Reason.NOT_QUALIFIED)),
    "golds not judged": (
        facts(Rules(gold=GOLD, hooks=frozenset({Hook.QUALIFIES}))),
        Ask(Question.QUALIFIES),
    ),
    "too many wrong golds": (of_gold({"g-wrong-golds": 2}), Refuse(Reason.NOT_QUALIFIED)),
    "limit reached": (
        facts(Rules(limits=WorkerLimits(allowed_concurrent=1)), {"holding": 1}),
        Refuse(Reason.TOO_MANY_CONCURRENT),
    ),
    "storage refused": (
        facts(said=said("no_available_units", launched=3)),
        Refuse(Reason.NO_MATCH),
    ),
    "nothing free": (facts(standing={"free_units": 0}), Refuse(Reason.NO_AVAILABLE_UNITS)),
    "candidates not seen": (
        facts(Rules(hooks=frozenset({Hook.CAN_DO_UNIT})), pages=(Page(64, 64, more=True),) * (PAGES_MAX - 1)),
        Ask(Question.CANDIDATES),
    ),
    "nothing fits": (
        facts(Rules(hooks=frozenset({Hook.CAN_DO_UNIT})), pages=(Page(64, 64, more=True),) * PAGES_MAX),
        Refuse(Reason.NO_MATCH),
    ),
    "onboarding": (
        facts(Rules(onboarding="trained"), {"onboarding": AgentStatus.ONBOARDING}, pages=SEEN),
        Onboard(),
    ),
    "need of screening not known": (
        facts(Rules(screening=SCREENING, hooks=frozenset({Hook.NEEDS_SCREENING})), pages=SEEN),
        Ask(Question.NEEDS_SCREENING),
    ),
    "kind of screening not known": (
        facts(Rules(screening=SCREENING, hooks=frozenset({Hook.SHOULD_GENERATE})), pages=SEEN),
        Ask(Question.GENERATES),
    ),
    "screening units used up": (
        facts(Rules(screening=SCREENING), {"screening_units": 2}, pages=SEEN),
        Refuse(Reason.NO_AVAILABLE_UNITS),
    ),
    "screening data not known": (
        facts(Rules(screening=SCREENING), {"screening_units": 1}, pages=SEEN),
        Ask(Question.SCREENING_ITEM),
    ),
    "no screening data left": (
        facts(Rules(screening=SCREENING), pages=SEEN, screening_item=Item()),
        Refuse(Reason.NO_AVAILABLE_UNITS),
    ),
    "screening": (
        facts(Rules(screening=SCREENING), pages=SEEN, screening_item=Item("abc")),
        Special(SpecialKind.SCREENING, "abc", 2),
    ),
    "need of gold not known": (
        facts(Rules(gold=GOLD, hooks=frozenset({Hook.NEEDS_GOLD})), pages=SEEN),
        Ask(Question.NEEDS_GOLD),
    ),
    "gold units used up": (
        facts(Rules(gold=GOLD), {"gold_units": 3}, pages=SEEN),
        Refuse(Reason.NO_AVAILABLE_UNITS),
    ),
    "gold data not known": (of_gold({}, pages=SEEN), Ask(Question.GOLD_ITEM)),
    "no gold data left": (of_gold({}, pages=SEEN, gold_item=Item()), Refuse(Reason.NO_AVAILABLE_UNITS)),
    "gold": (of_gold({}, pages=SEEN, gold_item=Item("abc")), Special(SpecialKind.GOLD, "abc", 3)),
    "unit": (facts(), Reserve(None)),
}


def changed(before: Facts, **standing: Any) -> Facts:
    """The same, but for the worker's standing."""
    return attrs.evolve(before, standing=attrs.evolve(before.standing, **standing))
