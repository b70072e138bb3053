"""Who gets which answer when a page asks for work; scenarios S2, S3, S17, X3, X8, X17."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import attrs
import pytest
import trio
from trio.testing import MockClock

from crowdd.daemon.house import House
from crowdd.daemon.lifecycle import ShutDown, TimeOver
from crowdd.protocol.ids import verify_wire_id
from crowdd.protocol.names import AgentId, AgentStatus, Outcome, Reason, UnitStatus, WireId
from crowdd.storage.contract import Plan
from crowdd.storage.memory import MemoryStorage, Tables
from crowdd.storage.records import Agent

from .desk import a_desk, a_desk_of
from .disks import Disk


async def test_s2_a_new_worker_gets_a_unit_and_its_data(house: House) -> None:
    desk = await a_desk(house)
    details = await desk.register("ann")
    assert (details.outcome, details.status) == (Outcome.OK, AgentStatus.IN_TASK)
    assert details.init_task_data == {"n": 0}


async def test_s2_a_worker_of_a_sandbox_is_stored_apart(house: House) -> None:
    desk = await a_desk(house)
    await desk.register("ann")
    assert [worker.name for worker in await house.storage.workers()] == ["ann_sandbox"]


async def test_a_wire_id_is_made_with_the_key_of_the_run(house: House) -> None:
    desk = await a_desk(house)
    assert verify_wire_id(desk.run.key, (await desk.agent("ann")).agent_id or "")


async def test_s3_the_same_registration_gives_the_same_agent(house: House) -> None:
    desk = await a_desk(house)
    first, second = await desk.register("ann"), await desk.register("ann")
    assert first.agent_id == second.agent_id
    assert len(await house.storage.agents(desk.run.id)) == 1


async def test_x3_the_same_registration_at_the_same_instant_gives_one_agent(house: House) -> None:
    desk = await a_desk(house)
    answers: list[str | None] = []

    async def register() -> None:
        answers.append((await desk.register("ann")).agent_id)

    async with trio.open_nursery() as nursery:
        for _ in range(16):
            nursery.start_soon(register)
    assert len(set(answers)) == 1
    assert len(await house.storage.agents(desk.run.id)) == 1


async def test_x3_of_two_newcomers_with_one_link_at_the_same_instant_one_becomes_known(house: House) -> None:
    desk = await a_desk(house)
    reasons: list[Reason | None] = []

    async def register(worker: str) -> None:
        reasons.append((await desk.register(worker, link="shared")).reason)

    async with trio.open_nursery() as nursery:
        for worker in ("ann", "bob"):
            nursery.start_soon(register, worker)
    assert sorted(reasons, key=str) == [None, Reason.IDENTITY_UNVERIFIED]
    assert len(await house.storage.workers()) == 1


async def test_who_has_a_unit_finds_it_after_a_restart_though_the_disk_is_full(house: House) -> None:
    disk = Disk()
    async with disk.open() as storage:
        desk = await a_desk(attrs.evolve(house, storage=storage))
        ann = await desk.agent("ann")
        again = await a_desk_of(desk.house, desk.run, desk.config)
        disk.full = True
        assert (await again.agent("ann")).agent_id == ann.agent_id


async def test_two_workers_get_two_units(house: House) -> None:
    desk = await a_desk(house)
    ann, bob = await desk.agent("ann"), await desk.agent("bob")
    assert (await desk.stored(ann)).unit_id != (await desk.stored(bob)).unit_id


async def test_when_every_unit_is_taken_the_refusal_says_so(house: House) -> None:
    desk = await a_desk(house, units=1)
    await desk.register("ann")
    refusal = await desk.register("bob")
    assert (refusal.agent_id, refusal.reason) == (None, Reason.NO_AVAILABLE_UNITS)
    assert refusal.failure_reason


async def test_a_page_that_finished_a_unit_gets_the_next_one(house: House) -> None:
    desk = await a_desk(house)
    first = await desk.agent("ann")
    await desk.submit(first, {"label": 1})
    second = await desk.register("ann", after=first.agent_id)
    assert second.outcome is Outcome.OK
    assert second.agent_id != first.agent_id


async def test_a_page_that_forgot_what_it_finished_is_shown_its_final_page(house: House) -> None:
    desk = await a_desk(house)
    first = await desk.agent("ann")
    await desk.submit(first, {"label": 1})
    again = await desk.register("ann", after="")
    assert (again.finished, again.agent_id, again.status) == (True, first.agent_id, AgentStatus.COMPLETED)
    assert again.outcome is Outcome.OK  # an answer, not a refusal: a page may go on with "Next"


async def test_x8_an_unchanged_page_that_is_reloaded_after_its_submit_gets_no_second_unit(
    house: House,
) -> None:
    desk = await a_desk(house)
    first = await desk.register("ann", after=None)
    await desk.submit(first, {})
    again = await desk.register("ann", after=None)
    assert (again.agent_id, again.reason) == (None, Reason.TASK_MISSING)


async def test_a_page_that_is_reloaded_in_mid_work_keeps_its_agent(house: House) -> None:
    desk = await a_desk(house)
    first = await desk.register("ann", after=None)
    assert (await desk.register("ann", after=None)).agent_id == first.agent_id


async def test_an_unverified_name_never_becomes_a_worker(house: House) -> None:
    desk = await a_desk(house)
    desk.provider.options = type(desk.provider.options)(unverified=("eve",))
    refusal = await desk.register("eve")
    assert refusal.reason is Reason.IDENTITY_UNVERIFIED
    assert await house.storage.workers() == []


async def test_a_provider_that_fails_makes_the_worker_try_again(house: House) -> None:
    desk = await a_desk(house)
    desk.provider.fail_next["verify"] = 1
    refusal = await desk.register("ann")
    assert (refusal.outcome, refusal.retry_after_s) == (Outcome.TRY_LATER, 5.0)
    assert desk.failures == ["verifying a worker"]


@pytest.mark.parametrize("reason", [Reason.TRY_LATER, Reason.RUN_ENDED])
async def test_closed_doors_say_why(house: House, reason: Reason) -> None:
    desk = await a_desk(house)
    desk.closed_for = reason
    assert (await desk.register("ann")).reason is reason


async def test_closed_doors_let_those_at_work_go_on(house: House) -> None:
    desk = await a_desk(house)
    first = await desk.agent("ann")
    desk.closed_for = Reason.RUN_ENDED
    assert (await desk.register("ann")).agent_id == first.agent_id


async def test_x17_the_limit_at_once_has_its_own_reason(house: House) -> None:
    desk = await a_desk(house, allowed_concurrent=1)
    await desk.register("ann", link="one")
    assert (await desk.register("ann", link="two")).reason is Reason.TOO_MANY_CONCURRENT


class SlowAnswers(MemoryStorage):
    """An answer takes a second to be stored, or as long as it is told."""

    answer_s = 1.0

    async def commit_for(self, wire_id: WireId, plan: Plan, now: datetime) -> Mapping[AgentId, Agent]:
        await trio.sleep(self.answer_s)
        return await super().commit_for(wire_id, plan, now)


async def test_x17_who_asks_elsewhere_while_their_answer_is_saved_is_not_refused_for_its_unit(
    house: House, autojump_clock: MockClock
) -> None:
    desk = await a_desk(attrs.evolve(house, storage=SlowAnswers(Tables())), allowed_concurrent=1)
    ann = await desk.agent("ann")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(desk.submit, ann, "mine")
        await trio.sleep(0.5)
        next_unit = await desk.register("ann", link="elsewhere")
    assert next_unit.outcome is Outcome.OK


async def test_x17_the_limit_at_once_holds_while_the_answer_of_somebody_else_is_saved(
    house: House, autojump_clock: MockClock
) -> None:
    desk = await a_desk(attrs.evolve(house, storage=SlowAnswers(Tables())), allowed_concurrent=1)
    bob = await desk.agent("bob")
    await desk.agent("ann")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(desk.submit, bob, "his")
        await trio.sleep(0.5)
        refusal = await desk.register("ann", link="elsewhere")
    assert refusal.reason is Reason.TOO_MANY_CONCURRENT
    assert len(await desk.house.storage.decisions(run_id=desk.run.id)) == 3


async def test_x17_who_asks_elsewhere_while_their_answer_hangs_is_soon_told_to_come_again(
    house: House, autojump_clock: MockClock
) -> None:
    storage = SlowAnswers(Tables())
    storage.answer_s = 60.0
    desk = await a_desk(attrs.evolve(house, storage=storage), allowed_concurrent=1)
    ann = await desk.agent("ann")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(desk.submit, ann, "mine")
        await trio.sleep(0.5)
        with trio.fail_after(5):  # of 30 in which a page gives up
            told = await desk.register("ann", link="elsewhere")
    assert (told.outcome, told.reason) == (Outcome.TRY_LATER, Reason.TRY_LATER)
    assert len(await desk.house.storage.decisions(run_id=desk.run.id)) == 1  # of a refusal nothing is kept


async def test_s17_the_limit_in_all_has_its_own_reason(house: House) -> None:
    desk = await a_desk(house, maximum_units_per_worker=1)
    first = await desk.agent("ann")
    await desk.submit(first, {})
    assert (await desk.register("ann", after=first.agent_id)).reason is Reason.MAX_FOR_TASK


async def test_s17_the_limit_in_all_counts_over_the_runs_of_a_task(house: House) -> None:
    first_run = await a_desk(house, maximum_units_per_worker=1)
    await first_run.submit(await first_run.agent("ann"), {})
    later_run = await a_desk(house, label="later", maximum_units_per_worker=1)
    assert (await later_run.register("ann")).reason is Reason.MAX_FOR_TASK
    assert (await later_run.register("bob")).outcome is Outcome.OK


async def test_a_worker_whose_time_was_over_gets_new_work(house: House) -> None:
    desk = await a_desk(house)
    first = await desk.agent("ann")
    await desk.runner.happen((await desk.stored(first)).id, TimeOver())
    again = await desk.register("ann", after=first.agent_id)
    assert again.outcome is Outcome.OK


async def test_a_worker_who_is_back_after_a_shutdown_goes_on_under_the_same_id(house: House) -> None:
    desk = await a_desk(house)
    first = await desk.agent("ann")
    later = house.wall() + timedelta(seconds=120)
    await desk.runner.happen((await desk.stored(first)).id, ShutDown(later))
    again = await desk.register("ann")
    assert (again.agent_id, again.status) == (first.agent_id, AgentStatus.IN_TASK)


async def test_a_unit_kept_over_a_shutdown_is_given_to_nobody_else(house: House) -> None:
    desk = await a_desk(house, units=1)
    first = await desk.agent("ann")
    await desk.runner.happen((await desk.stored(first)).id, ShutDown(house.wall() + timedelta(seconds=9)))
    assert (await desk.register("bob")).reason is Reason.NO_AVAILABLE_UNITS


async def test_a_kept_unit_is_free_again_when_nobody_came_back_in_time(house: House) -> None:
    desk = await a_desk(house, units=1)
    first = await desk.stored(await desk.agent("ann"))
    await desk.runner.happen(first.id, ShutDown(house.wall()))
    await desk.runner.time_passed(first.id, house.wall())
    assert (await house.storage.unit(first.unit_id)).status is UnitStatus.LAUNCHED
    assert (await desk.register("bob")).outcome is Outcome.OK
