"""What becomes of answers that a router had called submitted: never refused, lost, or counted twice."""

from datetime import timedelta

import attrs
import pytest

from crowdd.daemon.house import House
from crowdd.daemon.late_answers import LateAnswers
from crowdd.daemon.lifecycle import Dismissed, GaveBack, ShutDown, SlotExpired, TimeOver, WentAway
from crowdd.daemon.lifecycle.events import AgentEvent
from crowdd.protocol.ids import new_wire_id
from crowdd.protocol.names import AgentStatus, Outcome, QueueOrder, Reason, UnitStatus, WireId
from crowdd.protocol.packets import AgentDetails, FileNote, SubmitMetadata, SubmitUnit
from crowdd.storage.errors import NotFound

from .desk import Desk, a_desk

NOTE = FileNote("ab" * 32, 9, "photo", "photo.png", "image/png")


async def ended(desk: Desk, event: AgentEvent, worker: str = "ann") -> AgentDetails:
    """An agent that had a unit, and what became of it."""
    details = await desk.agent(worker)
    await desk.runner.happen((await desk.stored(details)).id, event)
    return details


async def status_of(desk: Desk, details: AgentDetails) -> tuple[AgentStatus, UnitStatus]:
    agent = await desk.stored(details)
    return agent.status, (await desk.house.storage.unit(agent.unit_id)).status


async def late_of(desk: Desk) -> list[str]:
    """Why the run's late answers came too late."""
    return [each.why for each in await desk.house.storage.late_answers(desk.run.id)]


async def test_a_live_agent_completes_by_it_as_by_any_other(house: House) -> None:
    desk = await a_desk(house)
    details = await desk.agent("ann")
    assert (await desk.submit(details, {"label": 7}, answered=True)).outcome is Outcome.OK
    assert await status_of(desk, details) == (AgentStatus.COMPLETED, UnitStatus.COMPLETED)
    assert not (await house.storage.submission((await desk.stored(details)).id)).late
    assert await late_of(desk) == []


@pytest.mark.parametrize("event", [TimeOver(), WentAway(), ShutDown()])
async def test_who_had_ended_takes_a_unit_back_that_is_still_to_be_had(
    house: House, event: AgentEvent
) -> None:
    desk = await a_desk(house)
    details = await ended(desk, event)
    answer = await desk.submit(details, {"label": 7}, answered=True)
    assert (answer.outcome, answer.status) == (Outcome.OK, AgentStatus.COMPLETED)
    assert await status_of(desk, details) == (AgentStatus.COMPLETED, UnitStatus.COMPLETED)
    assert (await house.storage.submission((await desk.stored(details)).id)).late
    assert desk.told[-1] == (AgentStatus.COMPLETED, None)
    assert len(desk.provider.told("mark_done")) == 1


async def test_a_unit_that_was_kept_and_freed_after_a_pause_is_taken_back_too(house: House) -> None:
    desk = await a_desk(house)
    details = await ended(desk, ShutDown(house.wall() - timedelta(seconds=1)))
    await desk.runner.time_passed((await desk.stored(details)).id, house.wall())
    assert (await status_of(desk, details))[1] is UnitStatus.LAUNCHED
    await desk.submit(details, {"label": 7}, answered=True)
    assert await status_of(desk, details) == (AgentStatus.COMPLETED, UnitStatus.COMPLETED)


async def test_a_unit_that_went_to_somebody_else_stays_theirs_and_the_answer_is_kept_beside(
    house: House,
) -> None:
    desk = await a_desk(house, units=1)
    details = await ended(desk, TimeOver())
    other = await desk.agent("bob")
    answer = await desk.submit(details, {"label": 7}, [NOTE], answered=True)
    assert (answer.outcome, answer.status) == (Outcome.OK, AgentStatus.TIMEOUT)
    agent, theirs = await desk.stored(details), await desk.stored(other)
    assert theirs.status is AgentStatus.IN_TASK
    (late,) = await house.storage.late_answers(desk.run.id)
    assert (late.agent_id, late.data, late.files, late.is_answer) == (agent.id, b'{"label":7}', [NOTE], True)
    assert late.why == f"its time was over, and its unit went to agent {theirs.id}"
    assert (house.data / NOTE.sha256).exists()
    with pytest.raises(NotFound):
        await house.storage.submission(agent.id)
    assert (await desk.submit(other, {"label": 3})).outcome is Outcome.OK


async def test_the_same_late_answer_again_is_kept_once_and_gets_the_same_yes(house: House) -> None:
    desk = await a_desk(house, units=1)
    details = await ended(desk, TimeOver())
    await desk.agent("bob")
    first = await desk.submit(details, {"a": 1, "b": 2}, answered=True)
    assert await desk.submit(details, {"b": 2, "a": 1}, answered=True) == first
    assert len(await late_of(desk)) == 1


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (GaveBack(), "its worker had given the unit back, and it had left the unit"),
        (SlotExpired(), "its unit had expired, and its unit is not to be done any more"),
        (Dismissed(), "staff had ended the run, and its unit is not to be done any more"),
    ],
)
async def test_who_had_left_for_good_does_not_come_back_by_it(
    house: House, event: AgentEvent, why: str
) -> None:
    desk = await a_desk(house)
    details = await ended(desk, event)
    before = await status_of(desk, details)
    assert (await desk.submit(details, {"label": 7}, answered=True)).outcome is Outcome.OK
    assert await status_of(desk, details) == before
    assert await late_of(desk) == [why]


async def test_another_answer_of_the_same_agent_is_kept_beside_the_first(house: House) -> None:
    desk = await a_desk(house)
    details = await desk.agent("ann")
    await desk.submit(details, {"label": 1})
    assert (await desk.submit(details, {"label": 2}, answered=True)).outcome is Outcome.OK
    assert (await house.storage.submission((await desk.stored(details)).id)).data == b'{"label":1}'
    assert await late_of(desk) == ["another answer of the same agent is stored"]


async def test_the_same_answer_that_was_stored_before_is_no_late_one(house: House) -> None:
    desk = await a_desk(house)
    details = await desk.agent("ann")
    await desk.submit(details, {"label": 1})
    assert (await desk.submit(details, {"label": 1}, answered=True)).outcome is Outcome.OK
    assert await late_of(desk) == []


async def test_nobody_gets_more_units_by_it_than_one_may_have(house: House) -> None:
    desk = await a_desk(house)
    desk.units_per_worker = 1
    details = await ended(desk, TimeOver())
    await desk.register("ann", after=details.agent_id, link="ann's next")
    await desk.submit(details, {"label": 7}, answered=True)
    assert (await status_of(desk, details))[0] is AgentStatus.TIMEOUT
    assert await late_of(desk) == ["its time was over, and its worker has had as many units as one may have"]


async def test_in_a_group_that_went_on_a_seat_is_not_taken_back(house: House) -> None:
    desk = await a_desk(house)
    details = await ended(desk, TimeOver())
    grouped = attrs.evolve(desk.run, queue=QueueOrder.GROUPED)
    late = LateAnswers(grouped, house.storage, house.wall, lambda: 0)
    agent = await desk.stored(details)
    assert await late.bars(agent) == "its group went on without it"
    assert await late.why_late(agent) == "its time was over, and its group went on without it"


async def test_p13_an_answer_of_an_agent_from_after_a_restored_copy_is_kept(house: House) -> None:
    desk = await a_desk(house)
    unknown = new_wire_id(desk.run.key, b"r" * 16)
    packet = SubmitUnit(unknown, "r9", {"label": 7}, [NOTE], answered=True)
    assert (await desk.intake.submit_unit(packet, desk.fetch)).outcome is Outcome.OK
    (late,) = await house.storage.late_answers(desk.run.id)
    assert (late.agent_id, late.wire_id) == (None, unknown)
    assert "restored" in late.why


async def test_p13_so_is_what_was_told_beside_it(house: House) -> None:
    desk = await a_desk(house)
    for onboarding in (False, True):
        unknown = new_wire_id(desk.run.key, b"r" * 16, onboarding)
        packet = SubmitMetadata(unknown, "r9", {"tips": "light"}, answered=True)
        assert (await desk.intake.submit_metadata(packet, desk.fetch)).outcome is Outcome.OK
    assert [late.is_answer for late in await house.storage.late_answers(desk.run.id)] == [False, False]


@pytest.mark.parametrize("answered", [True, False])
async def test_an_id_that_is_none_of_this_run_is_unknown_whatever_a_router_says(
    house: House, answered: bool
) -> None:
    desk = await a_desk(house)
    forged = new_wire_id(b"another key" * 3, b"r" * 16)
    answer = await desk.intake.submit_unit(SubmitUnit(forged, "r9", {}, answered=answered), desk.fetch)
    assert (answer.outcome, answer.reason) == (Outcome.REFUSED, Reason.UNKNOWN_AGENT)
    assert await late_of(desk) == []


async def test_what_no_router_answered_for_is_refused_as_ever(house: House) -> None:
    desk = await a_desk(house)
    details = await ended(desk, TimeOver())
    answer = await desk.submit(details, {"label": 7})
    assert (answer.outcome, answer.reason) == (Outcome.REFUSED, Reason.TIME_OVER)
    unknown = SubmitUnit(WireId(new_wire_id(desk.run.key, b"r" * 16)), "r9", {})
    assert (await desk.intake.submit_unit(unknown, desk.fetch)).reason is Reason.UNKNOWN_AGENT
    assert await late_of(desk) == []
