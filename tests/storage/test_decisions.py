"""What was decided and from which facts, on every body; and the writes that go with a decision."""

import attrs
import pytest

from crowdd.protocol.names import AgentId, RunId, WorkerId
from crowdd.storage.admission import NewDecision, OnboardingBegun
from crowdd.storage.admission_rules import FACTS_BYTES_MAX, REFUSALS_KEPT
from crowdd.storage.errors import InvalidRecord, NotFound, StorageError
from crowdd.storage.records import Decision, TaskRun, Worker
from crowdd.storage.writes import AddToGrant, RecordDecision, SetGrant

from .world import LATER, NOW, World


def refusal(run: TaskRun, worker: Worker, **changes: object) -> NewDecision:
    """Ann is refused."""
    new = NewDecision(run.id, worker.id, "admission", "refused", "max_for_task", {"counted": 3})
    return attrs.evolve(new, **changes)  # type: ignore[arg-type]  # any of its fields


async def test_a_decision_is_recorded_with_the_unit_it_led_to(world: World) -> None:
    run, ann = await world.run(), await world.worker()
    given = await world.take(run, ann, decision=world.decision(run, ann))
    recorded = Decision(
        id=1, at=NOW, last_at=NOW, count=1, run_id=run.id, worker_id=ann.id, kind="admission",
        outcome="admitted", reason=None, facts={"free_units": 1}, agent_id=given.agent.id,
        unit_id=given.unit.id, onboarding_id=None,
    )  # fmt: skip
    storage = world.storage
    assert await storage.decisions() == [recorded]
    assert await storage.decisions(run_id=run.id) == [recorded]
    assert await storage.decisions(worker_id=ann.id, run_id=run.id) == [recorded]
    assert await storage.decisions(agent_id=given.agent.id) == [recorded]
    assert await storage.decisions(unit_id=given.unit.id) == [recorded]
    assert await storage.decisions(worker_id=WorkerId(7)) == []
    assert await storage.decisions(after=1) == []
    assert await storage.decisions(limit=0) == []


async def test_a_special_unit_and_onboarding_are_recorded_with_theirs(world: World) -> None:
    run, ann = await world.run(), await world.worker()
    begun = await world.storage.begin_onboarding(
        world.newcomer(run, ann, decision=world.decision(run, ann, kind="onboarding")), NOW
    )
    assert isinstance(begun, OnboardingBegun)
    special = await world.take_special(run, ann)
    assert [each.kind for each in await world.storage.decisions(onboarding_id=begun.agent.id)] == [
        "onboarding"
    ]
    assert await world.storage.decisions(unit_id=special.unit.id) == []


async def test_nothing_is_recorded_where_nothing_new_came_of_it(world: World) -> None:
    run, ann = await world.run(), await world.worker()
    decision = world.decision(run, ann)
    registration = world.registration(run, ann, decision=decision)
    await world.storage.reserve(registration, NOW)
    await world.storage.reserve(registration, LATER)
    await world.refused(run, ann, decision=decision)
    new = world.newcomer(run, ann, decision=decision)
    await world.storage.begin_onboarding(new, NOW)
    await world.storage.begin_onboarding(new, LATER)
    assert [each.count for each in await world.storage.decisions()] == [1, 1]


async def test_the_same_refusal_again_is_counted(world: World) -> None:
    run, ann, storage = await world.run(), await world.worker(), world.storage
    first = await storage.record_decision(refusal(run, ann), NOW)
    again = await storage.record_decision(refusal(run, ann), LATER)
    assert again == attrs.evolve(first, count=2, last_at=LATER)
    assert await storage.decisions() == [again]


@pytest.mark.parametrize(
    "changes", [{"facts": {"counted": 4}}, {"reason": "blocked"}, {"outcome": "onboard"}, {"kind": "gold"}]
)
async def test_another_decision_in_between_stands_by_itself(world: World, changes: dict[str, object]) -> None:
    run, ann, storage = await world.run(), await world.worker(), world.storage
    for new in (refusal(run, ann), refusal(run, ann, **changes), refusal(run, ann)):
        await storage.record_decision(new, NOW)
    assert [each.count for each in await storage.decisions()] == [1, 1, 1]


async def test_decisions_about_others_are_counted_for_themselves(world: World) -> None:
    run, ann, storage = await world.run(), await world.worker(), world.storage
    other, bob = await world.run("other"), await world.worker("bob")
    unknown = refusal(run, ann, worker_id=None)
    for new in (refusal(run, ann), refusal(other, ann), refusal(run, bob), unknown) * 2:
        await storage.record_decision(new, NOW)
    assert [each.count for each in await storage.decisions()] == [2, 2, 2, 2]
    assert [each.run_id for each in await storage.decisions(worker_id=ann.id)] == [run.id, other.id]


async def test_who_keeps_being_refused_does_not_fill_the_disk(world: World) -> None:
    run, ann, storage = await world.run(), await world.worker(), world.storage
    await world.take(run, ann, decision=world.decision(run, ann))
    await storage.record_decision(refusal(run, await world.worker("bob")), NOW)
    for counted in range(REFUSALS_KEPT + 3):
        await storage.record_decision(refusal(run, ann, facts={"counted": counted}), NOW)
    kept = [each.facts["counted"] for each in await storage.decisions(worker_id=ann.id) if each.reason]
    assert kept == list(range(3, REFUSALS_KEPT + 3))
    assert [each.outcome for each in await storage.decisions()][:2] == ["admitted", "refused"]


async def test_a_decision_is_recorded_with_what_it_changed(world: World) -> None:
    run, ann = await world.run(), await world.worker()
    await world.storage.ensure_qualifications({"golds-correct": None}, NOW)
    agent = (await world.take(run, ann)).agent
    decision = world.decision(run, ann, kind="gold", outcome="correct", agent_id=agent.id)
    count = AddToGrant("golds-correct", ann.id, 1, "daemon", "a gold unit was right")
    await world.commit(count, RecordDecision(decision), count, RecordDecision(decision))
    assert [each.count for each in await world.storage.decisions(agent_id=agent.id)] == [2]
    assert (await world.facts(run, ann)).grants == {"golds-correct": 2}
    assert await world.story("grant", ann.id) == [
        (None, "golds-correct=1"),
        ("golds-correct=1", "golds-correct=2"),
    ]


async def test_a_failing_write_takes_the_decision_back(world: World) -> None:
    run, ann = await world.run(), await world.worker()
    before = await world.everything()
    for failing in (AddToGrant("never made", ann.id, 1, "x", "y"), SetGrant("no", ann.id, 1, "x", "y")):
        with pytest.raises(NotFound):
            await world.commit(RecordDecision(world.decision(run, ann)), failing)
    assert await world.everything() == before


async def test_a_grant_cannot_grow_beyond_what_a_number_holds(world: World) -> None:
    ann = await world.worker()
    await world.storage.ensure_qualifications({"n": None}, NOW)
    await world.commit(AddToGrant("n", ann.id, 2**63 - 1, "x", "y"))
    with pytest.raises(InvalidRecord):
        await world.commit(AddToGrant("n", ann.id, 1, "x", "y"))


async def test_qualifications_are_made_where_they_are_missing(world: World) -> None:
    await world.storage.create_qualification("fast", "is fast", NOW)
    await world.storage.ensure_qualifications({"fast": "other words", "trained": "knows digits"}, LATER)
    await world.storage.ensure_qualifications({"trained": None}, LATER)
    found = [(each.name, each.description) for each in await world.storage.qualifications()]
    assert found == [("fast", "is fast"), ("trained", "knows digits")]
    with pytest.raises(InvalidRecord):
        await world.storage.ensure_qualifications({"good": None, "": None}, LATER)
    assert len(await world.storage.qualifications()) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": ""},
        {"outcome": " "},
        {"facts": {"much": "x" * FACTS_BYTES_MAX}},
        {"facts": {"when": NOW.__class__}},
        {"run_id": RunId(7)},
        {"worker_id": WorkerId(7)},
        {"agent_id": AgentId(7)},
        {"unit_id": 7},
        {"onboarding_id": AgentId(7)},
    ],
    ids=str,
)
async def test_a_decision_is_about_what_is_there_and_not_too_large(
    world: World, changes: dict[str, object]
) -> None:
    run, ann = await world.run(), await world.worker()
    with pytest.raises(StorageError):
        await world.storage.record_decision(refusal(run, ann, **changes), NOW)
    assert await world.storage.decisions() == []
