"""Every row of the decision table decides what it says; the rest are the finer points of some rows."""

import json

import attrs
import pytest

from crowdd.daemon.admission import (
    TABLE,
    Ask,
    Comparator,
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
    Step,
    decide,
    explain,
    from_json,
    outcome_of,
    row_of,
    to_json,
)
from crowdd.daemon.admission.record import FactsUnreadable
from crowdd.protocol.names import Reason, UnitId

from .rows import GOLD, ROWS, SCREENING, SEEN, changed, facts, of_gold, said


@pytest.mark.parametrize("name", [row.name for row in TABLE])
def test_each_row_decides_what_it_says(name: str) -> None:
    known, decision = ROWS[name]
    assert (row_of(known).name, decide(known)) == (name, decision)


def test_rows_stand_in_the_order_of_their_steps() -> None:
    stations = list(Step)
    places = [stations.index(row.step) for row in TABLE]
    assert places == sorted(places)
    assert len({row.name for row in TABLE}) == len(TABLE) == len(ROWS)


@pytest.mark.parametrize("name", ROWS)
def test_recorded_facts_decide_the_same_again(name: str) -> None:
    known, decision = ROWS[name]
    again = from_json(json.loads(json.dumps(to_json(known))))
    assert again == known
    assert decide(again) == decision


@pytest.mark.parametrize("name", ROWS)
def test_every_decision_is_explained_in_sentences(name: str) -> None:
    known, decision = ROWS[name]
    if isinstance(decision, Ask):
        return
    reason = decision.reason.value if isinstance(decision, Refuse) else None
    sentences = explain("admission", outcome_of(decision).value, reason, to_json(known))
    assert all(sentence.endswith((".", '".')) for sentence in sentences)
    assert sentences[-1].startswith(f"So: {outcome_of(decision).value}")


def test_an_explanation_names_requirement_value_and_reason() -> None:
    known, _ = ROWS["requirement not met"]
    assert explain("admission", "refused", "not_qualified", to_json(known)) == [
        "The worker was not blocked.",
        "Required age GreaterThanOrEqualTo 18: the worker had 17, not met.",
        "The provider admitted the worker.",
        "That decided: requirement not met (a requirement of task.toml that applies to the worker's provider "
        "is not met).",
        'So: refused, not_qualified, told as "You are not currently qualified to work on this task.".',
    ]


def test_facts_of_another_version_or_kind_are_told_one_by_one() -> None:
    with pytest.raises(FactsUnreadable):
        from_json({"phase_of_the_moon": 3})
    for kind in ("admission", "review"):
        assert explain(kind, "refused", "blocked", {"phase_of_the_moon": 3})[0] == "phase of the moon: 3."


def test_facts_that_are_as_always_take_no_room() -> None:
    assert to_json(facts()) == {
        "standing": {"provider": "inhouse", "free_units": 5},
        "answers": {"provider_admits": True},
    }


def test_of_very_many_requirements_only_the_deciding_one_is_kept() -> None:
    values = tuple(range(10**15, 10**15 + 900))
    many = tuple(Requirement(f"property {number}", Comparator.IN, values) for number in range(100))
    had = {requirement.name: 10**15 for requirement in many}
    for missing in (None, "property 60"):
        known = facts(Rules(many), {"grants": {**had, missing: 1} if missing else had})
        document = to_json(known)
        assert len(json.dumps(document)) < 32 * 1024
        assert decide(from_json(document)) == decide(known)
        assert [each.name for each in from_json(document).rules.requirements] == (
            [missing] if missing else []
        )


# --- finer points ------------------------------------------------------------------------------------------


def test_w51_who_may_have_none_of_the_free_units_is_not_told_that_there_are_none() -> None:
    assert decide(facts(said=said("no_available_units", launched=4))) == Refuse(Reason.NO_MATCH)
    assert decide(facts(said=said("no_available_units", launched=0))) == Refuse(Reason.NO_AVAILABLE_UNITS)


@pytest.mark.parametrize("reason", ["blocked", "too_many_concurrent", "max_for_task", "run_ended", "paused"])
def test_what_the_guarded_transaction_refuses_for_is_what_the_worker_is_told(reason: str) -> None:
    assert decide(facts(said=said(reason))) == Refuse(Reason(reason))


def test_a_cap_that_was_used_up_meanwhile_leaves_nothing_for_now() -> None:
    assert decide(facts(said=said("cap_reached"))) == Refuse(Reason.NO_AVAILABLE_UNITS)


def test_a_page_of_which_something_is_left_is_reserved_from_in_the_hooks_order() -> None:
    rules = Rules(hooks=frozenset({Hook.RANK_UNITS}))
    pages = (Page(64, 64, more=True), Page(64, 128, (UnitId(99), UnitId(70)), more=True))
    assert decide(facts(rules, pages=pages)) == Reserve((UnitId(99), UnitId(70)))


def test_nobody_is_onboarded_for_work_that_is_not_there() -> None:
    rules = Rules(onboarding="trained")
    assert decide(facts(rules)) == Ask(Question.CANDIDATES)
    assert decide(facts(rules, pages=(Page(0, 0),))) == Refuse(Reason.NO_MATCH)
    assert decide(facts(rules, {"free_units": 0})) == Refuse(Reason.NO_AVAILABLE_UNITS)


def test_s10_who_has_passed_the_onboarding_goes_straight_to_a_unit() -> None:
    assert decide(facts(Rules(onboarding="trained"), {"grants": {"trained": 1}})) == Reserve(None)


def test_onboarding_comes_before_screening_and_screening_after_it() -> None:
    rules = Rules(onboarding="trained", screening=SCREENING)
    new = facts(rules, pages=SEEN, screening_item=Item("x"))
    assert decide(new) == Onboard()
    assert decide(changed(new, grants={"trained": 1})) == Special(SpecialKind.SCREENING, "x", 2)


def test_real_units_may_double_as_screening() -> None:
    rules = Rules(screening=ScreeningRules("passed", use_real_units=True))
    assert decide(facts(rules)) == Reserve(None)


def test_a_hook_decides_whether_a_screening_unit_is_made() -> None:
    rules = Rules(screening=SCREENING, hooks=frozenset({Hook.SHOULD_GENERATE}))
    assert decide(facts(rules, generates=False, pages=SEEN)) == Reserve(None)
    assert decide(facts(rules, generates=True, pages=SEEN)) == Ask(Question.SCREENING_ITEM)


def test_a_hook_for_what_the_run_does_not_do_changes_nothing() -> None:
    rules = Rules(hooks=frozenset({Hook.NEEDS_SCREENING, Hook.NEEDS_GOLD, Hook.SHOULD_GENERATE}))
    assert decide(facts(rules)) == Reserve(None)


def test_a_worker_who_passed_is_not_screened() -> None:
    assert decide(facts(Rules(screening=SCREENING), {"grants": {"passed": 1}})) == Reserve(None)


def test_w53_the_hook_for_golds_overrules_the_rule_both_ways() -> None:
    wrong = {"g-wrong-golds": 9, "g-correct-golds": 50}
    rules = Rules(gold=GOLD, hooks=frozenset({Hook.QUALIFIES}))
    assert decide(facts(rules, {"grants": wrong}, qualifies=True, pages=SEEN)) == Reserve(None)
    assert decide(facts(rules, qualifies=False)) == Refuse(Reason.NOT_QUALIFIED)


def test_a_proven_worker_goes_on_when_all_golds_were_made() -> None:
    grants = {"g-correct-golds": 1, "g-completed-count": 999}
    due = of_gold(grants, pages=SEEN)
    assert decide(due) == Ask(Question.GOLD_ITEM)
    assert decide(changed(due, gold_units=3)) == Reserve(None)


def test_what_hooks_granted_while_they_were_asked_counts_at_once() -> None:
    rules = Rules(screening=SCREENING, block_qualification="banned", hooks=frozenset({Hook.NEEDS_SCREENING}))
    asked = facts(rules, needs_screening=False, pages=SEEN, granted={"banned": 1})
    assert decide(asked) == Refuse(Reason.BLOCKED)
    revoked = facts(Rules(block_qualification="banned"), {"grants": {"banned": 1}}, granted={"banned": None})
    assert decide(revoked) == Reserve(None)


def test_the_grants_relied_on_are_those_of_the_store() -> None:
    rules = Rules(screening=SCREENING, block_qualification="banned")
    known = facts(rules, {"grants": {"banned": 1}}, granted={"banned": None})
    assert known.relied_on() == {"banned": 1, "passed": None}


def test_all_qualifications_of_the_run_are_relied_on() -> None:
    rules = Rules(gold=GoldRules("g", 3), onboarding="o", block_qualification="b")
    assert rules.names == {
        "b", "o", "o-failed", "g-completed-count", "g-correct-golds", "g-wrong-golds", "g-disqualified",
    }  # fmt: skip


def test_a_closed_run_is_told_before_anything_about_the_worker() -> None:
    blocked = attrs.evolve(facts(standing={"blocked": True}), closed=Reason.PAUSED)
    assert decide(blocked) == Refuse(Reason.PAUSED)


def test_the_decision_needs_no_facts_to_be_definite() -> None:
    assert isinstance(decide(Facts()), Ask)
