"""What becomes of what workers hand over: once stored it stays, and every answer is true."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import attrs
import pytest
import trio
import trio.testing

from crowdd.daemon.house import House
from crowdd.daemon.lifecycle import ShutDown, TimeOver
from crowdd.daemon.task_runner import Doors, TaskRunner
from crowdd.protocol.names import AgentId, AgentStatus, Outcome, Reason, UnitStatus, WireId
from crowdd.protocol.packets import AgentDetails, FileNote, SubmitUnit
from crowdd.storage.contract import Plan
from crowdd.storage.records import Agent
from crowdd.storage.writes import Write

from .desk import Desk, a_desk

NOTE = FileNote("ab" * 32, 9, "photo", "photo.png", "image/png")


async def test_an_answer_completes_agent_and_unit(house: House) -> None:
    desk = await a_desk(house)
    details = await desk.agent("ann")
    assert (await desk.submit(details, {"label": 7})).outcome is Outcome.OK
    agent = await desk.stored(details)
    assert agent.status is AgentStatus.COMPLETED
    assert (await house.storage.unit(agent.unit_id)).status is UnitStatus.COMPLETED


async def test_an_answer_is_stored_as_canonical_json(house: House) -> None:
    desk = await a_desk(house)
    details = await desk.agent("ann")
    await desk.submit(details, {"b": 1, "a": "ü"})
    stored = await house.storage.submission((await desk.stored(details)).id)
    assert stored.data == '{"a":"ü","b":1}'.encode()


async def test_the_same_answer_again_gets_the_same_yes(house: House) -> None:
    desk = await a_desk(house)
    details = await desk.agent("ann")
    first = await desk.submit(details, {"a": 1, "b": 2})
    assert await desk.submit(details, {"b": 2, "a": 1}) == first


async def test_another_answer_after_the_first_changes_nothing(house: House) -> None:
    desk = await a_desk(house)
    details = await desk.agent("ann")
    await desk.submit(details, {"label": 1})
    refusal = await desk.submit(details, {"label": 2})
    assert (refusal.outcome, refusal.reason) == (Outcome.REFUSED, Reason.ALREADY_SUBMITTED)
    stored = await house.storage.submission((await desk.stored(details)).id)
    assert stored.data == b'{"label":1}'


async def test_x3_the_same_answer_sixteen_times_at_once_is_stored_once(house: House) -> None:
    desk = await a_desk(house)
    details = await desk.agent("ann")
    outcomes: list[Outcome] = []

    async def submit() -> None:
        outcomes.append((await desk.submit(details, {"label": 1})).outcome)

    async with trio.open_nursery() as nursery:
        for _ in range(16):
            nursery.start_soon(submit)
    assert set(outcomes) == {Outcome.OK}
    assert len(desk.provider.told("mark_done")) == 1


async def test_an_empty_answer_is_an_answer(house: House) -> None:
    desk = await a_desk(house)
    assert (await desk.submit(await desk.agent("ann"), {})).outcome is Outcome.OK


async def test_files_are_there_before_the_answer_is_acknowledged(house: House) -> None:
    desk = await a_desk(house)
    await desk.submit(await desk.agent("ann"), {}, [NOTE])
    assert (house.data / NOTE.sha256).exists()


async def test_one_file_that_many_send_at_once_is_fetched_once(house: House) -> None:
    desk = await a_desk(house)
    workers = [await desk.agent(name) for name in ("ann", "bob", "cem")]
    fetched: list[str] = []

    async def fetch(sha256: str, into: Path) -> None:
        fetched.append(sha256)
        await trio.testing.wait_all_tasks_blocked()
        into.write_bytes(b"fetched")

    async def submit(details: AgentDetails) -> None:
        assert details.agent_id is not None
        packet = SubmitUnit(details.agent_id, "r2", {}, [NOTE])
        assert (await desk.intake.submit_unit(packet, fetch)).outcome is Outcome.OK

    async with trio.open_nursery() as nursery:
        for details in workers:
            nursery.start_soon(submit, details)
    assert fetched == [NOTE.sha256]


async def test_a_router_cannot_pass_a_file_of_ours_for_an_upload(house: House) -> None:
    desk = await a_desk(house)
    (house.data.parent / "secret").write_text("ours")
    details = await desk.agent("ann")
    refusal = await desk.submit(details, {}, [attrs.evolve(NOTE, sha256="../secret")])
    assert (refusal.outcome, refusal.reason) == (Outcome.REFUSED, Reason.BAD_REQUEST)
    assert (await desk.stored(details)).status is AgentStatus.IN_TASK


async def test_the_same_answer_with_other_files_is_another_answer(house: House) -> None:
    desk = await a_desk(house)
    details = await desk.agent("ann")
    await desk.submit(details, {}, [NOTE])
    assert (await desk.submit(details, {})).reason is Reason.ALREADY_SUBMITTED


async def test_x8_an_answer_after_the_time_was_over_says_so(house: House) -> None:
    desk = await a_desk(house)
    details = await desk.agent("ann")
    await desk.runner.happen((await desk.stored(details)).id, TimeOver())
    refusal = await desk.submit(details, {})
    assert (refusal.reason, refusal.status) == (Reason.TIME_OVER, AgentStatus.TIMEOUT)


async def test_an_answer_that_comes_after_a_shutdown_is_kept(house: House) -> None:
    desk = await a_desk(house)
    details = await desk.agent("ann")
    later = house.wall() + timedelta(seconds=60)
    await desk.runner.happen((await desk.stored(details)).id, ShutDown(later))
    assert (await desk.submit(details, {"label": 3})).outcome is Outcome.OK
    assert (await desk.stored(details)).status is AgentStatus.COMPLETED


async def test_an_unknown_agent_is_refused_without_a_word_about_others(house: House) -> None:
    desk = await a_desk(house)
    stranger = AgentDetails("r", Outcome.OK, agent_id=WireId("nobody"))
    assert (await desk.submit(stranger, {})).reason is Reason.UNKNOWN_AGENT


async def test_metadata_told_twice_is_stored_once(house: House) -> None:
    desk = await a_desk(house)
    details = await desk.agent("ann")
    for _ in range(2):
        await desk.tell(details, {"tips": {"text": "read twice"}})
    assert await _kinds(desk, details) == ["tips"]


async def test_post_task_answers_are_stored_with_the_completed_agent(house: House) -> None:
    desk = await a_desk(house)
    details = await desk.agent("ann")
    await desk.submit(details, {})
    assert (await desk.tell(details, {"post_task": {"fun": "yes"}})).outcome is Outcome.OK
    assert await _kinds(desk, details) == ["post_task"]


async def test_metadata_of_an_unknown_kind_is_kept_whole(house: House) -> None:
    desk = await a_desk(house)
    details = await desk.agent("ann")
    await desk.tell(details, [1, 2])
    assert await _kinds(desk, details) == ["default"]


async def _kinds(desk: Desk, details: AgentDetails) -> list[str]:
    agent = await desk.stored(details)
    return [note.kind for note in await desk.house.storage.metadata(agent.id)]


async def test_a_unit_given_back_is_free_for_others(house: House) -> None:
    desk = await a_desk(house, units=1)
    await desk.give_back(await desk.agent("ann"))
    assert (await desk.register("bob")).outcome is Outcome.OK


async def test_a_unit_given_back_twice_is_given_back_once(house: House) -> None:
    desk = await a_desk(house)
    details = await desk.agent("ann")
    assert await desk.give_back(details) == await desk.give_back(details)


async def test_a_finished_unit_cannot_be_given_back(house: House) -> None:
    desk = await a_desk(house)
    details = await desk.agent("ann")
    await desk.submit(details, {})
    assert (await desk.give_back(details)).reason is Reason.ALREADY_SUBMITTED


async def test_a_deadline_from_before_more_time_was_given_is_set_again(house: House) -> None:
    desk = await a_desk(house, assignment_duration_s=600)
    agent = await desk.stored(await desk.agent("ann"))
    assert agent.due_at is not None
    again: list[Agent] = []
    doors = Doors(lambda agent, reason: None, desk.provider.mark_done, lambda: None, again.append)
    runner = TaskRunner(desk.run, house.storage, house.wall, doors)
    await runner.time_passed(agent.id, agent.due_at - timedelta(hours=1))
    assert [each.id for each in again] == [agent.id]


async def test_what_is_stored_is_told_though_who_did_it_is_cancelled_meanwhile(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = await a_desk(house)
    agent = await desk.stored(await desk.agent("ann"))
    desk.told.clear()
    commit = house.storage.commit
    with trio.CancelScope() as scope:

        async def cancelled_meanwhile(writes: Sequence[Write], now: datetime) -> Mapping[AgentId, Agent]:
            scope.cancel()
            return await commit(writes, now)

        monkeypatch.setattr(house.storage, "commit", cancelled_meanwhile)
        await desk.runner.happen(agent.id, TimeOver())
        await trio.lowlevel.checkpoint()
    assert scope.cancelled_caught
    assert desk.told == [(AgentStatus.TIMEOUT, Reason.TIME_OVER)]
    assert (await house.storage.agent(agent.id)).status is AgentStatus.TIMEOUT


async def test_a_stored_answer_is_told_though_who_stored_it_is_cancelled_meanwhile(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = await a_desk(house)
    details = await desk.agent("ann")
    desk.told.clear()
    commit_for = house.storage.commit_for
    with trio.CancelScope() as scope:

        async def cancelled_meanwhile(wire_id: WireId, plan: Plan, now: datetime) -> Mapping[AgentId, Agent]:
            scope.cancel()
            return await commit_for(wire_id, plan, now)

        monkeypatch.setattr(house.storage, "commit_for", cancelled_meanwhile)
        await desk.submit(details, {})
        await trio.lowlevel.checkpoint()
    assert scope.cancelled_caught
    assert desk.told == [(AgentStatus.COMPLETED, None)]


async def test_an_answer_to_another_run_is_not_taken_and_changes_nothing(house: House) -> None:
    theirs, ours = await a_desk(house), await a_desk(house, label="letters")
    details = await theirs.agent("ann")
    assert (await ours.submit(details, {})).reason is Reason.UNKNOWN_AGENT
    assert (await theirs.stored(details)).status is AgentStatus.IN_TASK


async def test_an_answer_after_the_shutdown_is_stored_as_late(house: House) -> None:
    desk = await a_desk(house)
    in_time, late = await desk.agent("ann"), await desk.agent("bob")
    await desk.submit(in_time, {})
    await desk.runner.happen((await desk.stored(late)).id, ShutDown())
    await desk.submit(late, {})
    stored = [await house.storage.submission((await desk.stored(each)).id) for each in (in_time, late)]
    assert [each.late for each in stored] == [False, True]
