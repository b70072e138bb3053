"""Single rules of the checker, each shown on a right day of the model in which one thing was changed."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import attrs

from crowdd.protocol.documents import canonical_json
from crowdd.protocol.names import AgentId, AgentStatus, Reason, RunId, RunState, WireId
from crowdd.storage.records import LateAnswer, LiveUpdate, Metadata
from crowdd.testing.checker import Rule, check_history
from crowdd.testing.facts import StoreFacts
from crowdd.testing.history import (
    GAVE_UP,
    LOST,
    TRY_LATER,
    Entry,
    Invoke,
    Ok,
    Operation,
    Refused,
    Told,
    Unknown,
    agent_key,
    answer_digest,
)
from crowdd.testing.model import ModelHouse, ModelStore
from crowdd.testing.tables import DAEMON_TABLES

KEY = agent_key("wire-1")
_NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def _day() -> tuple[list[Entry], StoreFacts]:
    """Ada does a unit; what happened is right in every respect."""
    house = ModelHouse(ModelStore(assignments=2))
    house.history.clock = lambda: 0.0
    await house.register("ada", 1, "ada")
    await house.submit("ada", "wire-1", b'{"digit":4}')
    return house.history.entries, house.store.facts()


def _rules(entries: Sequence[Entry], facts: StoreFacts, **figures: Any) -> list[Rule]:
    return [violation.rule for violation in check_history(entries, facts, DAEMON_TABLES, **figures)]


async def test_an_answer_that_nobody_sent_is_found() -> None:
    entries, facts = await _day()
    unsent = [one for one in entries if getattr(one, "call", "") != "2"]
    assert _rules(unsent, facts) == [Rule.SUBMISSION]
    assert _rules(unsent, facts, everyone=False) == []


async def test_a_simulated_partner_answers_without_a_page() -> None:
    _, facts = await _day()
    partner = attrs.evolve(facts.agents[0], provider_data={"simulated": True})
    assert _rules([], facts) == [Rule.SUBMISSION]
    assert _rules([], attrs.evolve(facts, agents=[partner])) == []


async def test_a_simulated_partner_is_let_in_by_no_decision() -> None:
    _, facts = await _day()
    partner = attrs.evolve(facts.agents[0], provider_data={"simulated": True})
    configured = attrs.evolve(facts, run=attrs.evolve(facts.run, config={"limits": {}}))
    assert Rule.ADMISSION in _rules([], configured)
    assert Rule.ADMISSION not in _rules([], attrs.evolve(configured, agents=[partner]))


async def test_an_answer_under_another_agent_is_found() -> None:
    entries, facts = await _day()
    moved = [attrs.evolve(facts.submissions[0], agent_id=AgentId(7))]
    assert Rule.SUBMISSION in _rules(entries, attrs.evolve(facts, submissions=moved))


def _late(data: bytes, is_answer: bool = True) -> LateAnswer:
    wire = WireId("wire-1")
    return LateAnswer(1, RunId(1), AgentId(1), wire, is_answer, data, [], "digest", "too late", _NOW)


async def test_an_answer_that_was_called_submitted_and_is_kept_as_late_is_not_lost() -> None:
    entries, facts = await _day()
    late = attrs.evolve(facts, submissions=[], late=[_late(b'{"digit":4}')])
    assert Rule.SUBMISSION not in _rules(entries, late)
    assert Rule.SUBMISSION in _rules(entries, attrs.evolve(late, late=[]))
    assert Rule.SUBMISSION in _rules(entries, attrs.evolve(late, late=[_late(b'{"digit":5}')]))
    assert Rule.SUBMISSION in _rules(entries, attrs.evolve(late, late=late.late * 2))
    assert Rule.SUBMISSION in _rules(entries, attrs.evolve(late, late=[_late(b'{"digit":4}', False)]))


def _note(number: int, data: Any) -> Metadata:
    return Metadata(number, AgentId(1), "default", data, [], "", _NOW)


async def test_acknowledged_metadata_is_stored_once() -> None:
    entries, facts = await _day()
    said = {"post_task": {"easy": "yes"}}
    told = Invoke(9, "m", "ada", Operation.METADATA, agent=KEY, digest=answer_digest(canonical_json(said)))
    entries = [*entries, told, Ok(9, "m")]
    once = [_note(1, said)]
    assert _rules(entries, attrs.evolve(facts, metadata=once)) == []
    assert _rules(entries, facts) == [Rule.SUBMISSION]
    assert _rules(entries, attrs.evolve(facts, metadata=[_note(1, {})])) == [Rule.SUBMISSION]
    assert _rules(entries, attrs.evolve(facts, metadata=[*once, _note(2, said)])) == [Rule.SUBMISSION]


def _updates(*numbers: int, onboarding: bool = False) -> list[LiveUpdate]:
    return [
        LiveUpdate(onboarding, AgentId(1), True, number, f"1.{number}", "", 0, {}, _NOW) for number in numbers
    ]


async def test_a_gap_or_repeat_in_a_stream_is_found() -> None:
    entries, facts = await _day()
    assert (
        _rules(entries, attrs.evolve(facts, updates=_updates(1, 2, 3) + _updates(1, onboarding=True))) == []
    )
    for numbers in [(1, 3), (2, 3), (1, 1, 2)]:
        assert _rules(entries, attrs.evolve(facts, updates=_updates(*numbers))) == [Rule.STREAM]


async def test_a_status_that_an_agent_never_had_must_not_be_told() -> None:
    entries, facts = await _day()
    assert _rules([*entries, Told(9, "ada", KEY, AgentStatus.COMPLETED)], facts) == []
    assert _rules([*entries, Told(9, "ada", KEY, AgentStatus.TIMEOUT)], facts) == [Rule.ANSWER]


async def test_a_change_that_is_missing_in_the_history_of_the_store_is_found() -> None:
    entries, facts = await _day()
    for lost in (entry for entry in facts.history if entry.kind == "agent"):
        history = [entry for entry in facts.history if entry is not lost]
        assert Rule.PATH in _rules(entries, attrs.evolve(facts, history=history))


async def test_a_known_agent_must_not_be_called_unknown() -> None:
    entries, facts = await _day()
    again = Invoke(9, "x", "ada", Operation.RETURN, agent=KEY)
    lie: list[Entry] = [again, Refused(9, "x", Reason.UNKNOWN_AGENT.value)]
    assert _rules([*entries, *lie], facts) == [Rule.ANSWER]


async def test_a_run_that_goes_on_must_not_be_called_ended() -> None:
    entries, facts = await _day()
    refused: list[Entry] = [
        Invoke(9, "x", "bob", Operation.REGISTER, link="bob"),
        Refused(9, "x", Reason.RUN_ENDED.value),
    ]
    assert _rules([*entries, *refused], facts) == [Rule.ANSWER]
    ended = attrs.evolve(facts, run=attrs.evolve(facts.run, state=RunState.STOPPED))
    assert _rules([*entries, *refused], ended) == []


async def test_an_agent_that_the_store_does_not_have_is_found() -> None:
    entries, facts = await _day()
    ghost: list[Entry] = [
        Invoke(9, "x", "bob", Operation.REGISTER, link="bob"),
        Ok(9, "x", agent_key("ghost")),
    ]
    assert _rules([*entries, *ghost], facts) == [Rule.ANSWER]


# --- liveness ----------------------------------------------------------------------------------------------

ASKED = 1000.0


def _asked(*answers: Ok | Refused | Unknown, until: float) -> list[Entry]:
    """A registration asked again for every answer, and a history that goes on until `until`."""
    entries: list[Entry] = [Told(until, "ada", KEY, AgentStatus.COMPLETED)]
    for number, answer in enumerate(answers):
        asked_at = ASKED if number == 0 else answers[number - 1].at
        entries.append(Invoke(asked_at, answer.call, "bob", Operation.REGISTER, link="bob"))
        entries.append(answer)
    return entries


def _refused(at: float) -> Refused:
    return Refused(at, "last", Reason.NO_AVAILABLE_UNITS.value)


async def test_a_request_may_be_put_off_but_not_for_long() -> None:
    entries, facts = await _day()
    soon = _asked(
        Unknown(ASKED + 5, "a", LOST), Unknown(ASKED + 20, "b", TRY_LATER), _refused(ASKED + 29), until=2000
    )
    late = _asked(Unknown(ASKED + 20, "a", TRY_LATER), _refused(ASKED + 31), until=2000)
    assert _rules([*entries, *soon], facts) == []
    assert _rules([*entries, *late], facts) == [Rule.LIVENESS]


async def test_while_things_are_broken_a_request_may_wait() -> None:
    entries, facts = await _day()
    late = _asked(Unknown(ASKED + 20, "a", TRY_LATER), _refused(ASKED + 60), until=2000)
    assert _rules([*entries, *late], facts, healed_at=ASKED + 40) == []


async def test_a_client_that_went_away_needs_no_answer() -> None:
    entries, facts = await _day()
    assert _rules([*entries, *_asked(Unknown(ASKED + 5, "a", GAVE_UP), until=2000)], facts) == []
    assert _rules([*entries, *_asked(Unknown(ASKED + 5, "a", LOST), until=2000)], facts) == [Rule.LIVENESS]


async def test_a_call_without_any_answer_hangs() -> None:
    entries, facts = await _day()
    hung = [*entries, Invoke(ASKED, "a", "bob", Operation.REGISTER, link="bob")]
    assert _rules([*hung, Told(ASKED + 5, "ada", KEY, AgentStatus.COMPLETED)], facts) == []
    assert Rule.LIVENESS in _rules([*hung, Told(ASKED + 100, "ada", KEY, AgentStatus.COMPLETED)], facts)
