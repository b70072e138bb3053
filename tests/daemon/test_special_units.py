"""Units made for one worker alone, to screen or to test them; scenarios S11, S12, W53."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import trio

from crowdd.daemon.admission import GoldCounts
from crowdd.daemon.hooks import HookName, WorkerView
from crowdd.daemon.house import House
from crowdd.daemon.launcher import nothing_left
from crowdd.daemon.lifecycle import TimeOver, WentAway
from crowdd.protocol.names import AgentStatus, Outcome, Reason, UnitStatus
from crowdd.protocol.packets import AgentDetails
from crowdd.storage.records import GOLD_UNIT_INDEX, SCREENING_UNIT_INDEX

from .desk import Desk, a_desk, a_desk_of
from .test_admission_steps import granted, last_decision, nothing_is_held

SCREENING: dict[str, Any] = {
    "block_qualification": "banned",
    "screening": {"qualification": "passed", "max_units": 2, "data": "screening.jsonl"},
}
REAL_SCREENING: dict[str, Any] = {
    "block_qualification": "banned",
    "screening": {"qualification": "passed", "use_real_units": True},
}
GOLD: dict[str, Any] = {"gold": {"qualification_base": "g", "max_units": 3, "data": "gold.jsonl"}}
ROWS = [{"question": f"{n} + {n}", "_truth": 2 * n} for n in range(3)]


def about(hook: Callable[[WorkerView], Any]) -> Callable[..., Any]:
    return hook


def judging(hook: Callable[[WorkerView, GoldCounts], bool]) -> Callable[..., Any]:
    return hook


def two_items() -> Iterator[dict[str, Any]]:
    yield from ({"item": 0}, {"item": 1})


async def screening_desk(house: House, **more: Any) -> Desk:
    write(house, "screening.jsonl", ROWS)
    return await a_desk(house, sections=SCREENING, allowed_concurrent=1, **more)


async def gold_desk(house: House, **more: Any) -> Desk:
    write(house, "gold.jsonl", ROWS)
    return await a_desk(house, 5, sections=GOLD, allowed_concurrent=1, **more)


def write(house: House, name: str, rows: list[dict[str, Any]]) -> None:
    (house.data / name).write_text("".join(f"{json.dumps(row)}\n" for row in rows))


async def index(desk: Desk, details: AgentDetails) -> int:
    return (await desk.house.storage.unit((await desk.stored(details)).unit_id)).unit_index


async def end(desk: Desk, details: AgentDetails, event: Any) -> None:
    await desk.runner.happen((await desk.stored(details)).id, event)


# --- screening ---------------------------------------------------------------------------------------------


async def test_s11_two_new_workers_are_screened_a_third_is_refused_until_a_slot_is_free(house: House) -> None:
    desk = await screening_desk(house)
    ann, bob = await desk.agent("ann"), await desk.agent("bob")
    assert [await index(desk, details) for details in (ann, bob)] == [SCREENING_UNIT_INDEX] * 2
    assert (await desk.register("cy")).reason is Reason.NO_AVAILABLE_UNITS
    await end(desk, ann, WentAway())
    assert await index(desk, await desk.agent("cy")) == SCREENING_UNIT_INDEX


async def test_s11_the_cap_holds_over_a_restart(house: House) -> None:
    desk = await screening_desk(house)
    await desk.agent("ann")
    await desk.agent("bob")
    again = await a_desk_of(house, desk.run, desk.config)
    assert (await again.register("cy")).reason is Reason.NO_AVAILABLE_UNITS


@pytest.mark.parametrize("event", [TimeOver(), WentAway()])
async def test_a_screening_unit_that_is_given_up_expires(house: House, event: Any) -> None:
    desk = await screening_desk(house)
    ann = await desk.agent("ann")
    await end(desk, ann, event)
    unit = await house.storage.unit((await desk.stored(ann)).unit_id)
    assert (unit.status, unit.agent_id) == (UnitStatus.EXPIRED, None)


async def test_a_screening_unit_that_is_given_back_expires_and_gives_its_slot_back(house: House) -> None:
    desk = await screening_desk(house)
    ann, _ = await desk.agent("ann"), await desk.agent("bob")
    await desk.give_back(ann)
    assert (await desk.stored(ann)).status is AgentStatus.RETURNED
    assert await index(desk, await desk.agent("cy")) == SCREENING_UNIT_INDEX


async def test_s12_who_has_passed_gets_a_normal_unit_next(house: House) -> None:
    desk = await screening_desk(house)
    first = await desk.agent("ann")
    await desk.submit(first, {})
    await granted(desk, "ann", passed=1)
    second = await desk.register("ann", after=first.agent_id)
    assert await index(desk, second) == 0
    assert second.init_task_data == {"n": 0}


async def test_s12_who_has_failed_is_refused(house: House) -> None:
    desk = await screening_desk(house)
    first = await desk.agent("ann")
    await desk.submit(first, {})
    await granted(desk, "ann", banned=1)
    assert (await desk.register("ann", after=first.agent_id)).reason is Reason.BLOCKED


async def test_a_screening_unit_has_its_rows_data(house: House) -> None:
    desk = await screening_desk(house)
    details = [await desk.agent(name) for name in ("ann", "bob")]
    assert [each.init_task_data["question"] for each in details] == ["0 + 0", "1 + 1"]


async def test_a_reload_in_a_screening_shows_the_same_unit(house: House) -> None:
    desk = await screening_desk(house)
    first, again = await desk.agent("ann"), await desk.agent("ann")
    assert (first.agent_id, first.init_task_data) == (again.agent_id, again.init_task_data)


async def test_x3_the_same_registration_at_once_makes_one_screening_unit(house: House) -> None:
    desk = await screening_desk(house)
    answers: list[str | None] = []

    async def register() -> None:
        answers.append((await desk.register("ann")).agent_id)

    async with trio.open_nursery() as nursery:
        for _ in range(8):
            nursery.start_soon(register)
    assert len(set(answers)) == 1
    assert await house.storage.special_count(desk.run.id, SCREENING_UNIT_INDEX) == 1


async def test_many_at_once_never_get_more_screening_units_than_the_cap(house: House) -> None:
    desk = await screening_desk(house)
    got: list[str | None] = []

    async def register(name: str) -> None:
        got.append((await desk.register(name)).agent_id)

    async with trio.open_nursery() as nursery:
        for number in range(10):
            nursery.start_soon(register, f"worker {number}")
    assert len([agent_id for agent_id in got if agent_id is not None]) == 2


async def test_nobody_is_screened_for_work_that_is_not_there(house: House) -> None:
    desk = await screening_desk(house)
    await house.storage.expire_units(desk.run.id, house.wall(), "staff:ann", "because")
    assert (await desk.register("ann")).reason is Reason.NO_AVAILABLE_UNITS
    assert await house.storage.special_count(desk.run.id, SCREENING_UNIT_INDEX) == 0


async def test_real_units_double_as_screening(house: House) -> None:
    desk = await a_desk(house, sections=REAL_SCREENING, allowed_concurrent=1)
    assert await index(desk, await desk.agent("ann")) == 0


async def test_the_authors_generator_makes_screening_units_and_ends_when_it_ends(house: House) -> None:
    sections = {
        "block_qualification": "banned",
        "screening": {"qualification": "passed", "max_units": 9},
    }
    hooks = {HookName.SCREENING_UNITS: two_items}
    desk = await a_desk(house, 5, hooks, sections, allowed_concurrent=1)
    details = [await desk.agent(name) for name in ("ann", "bob")]
    assert [each.init_task_data for each in details] == [{"item": 0}, {"item": 1}]
    assert (await desk.register("cy")).reason is Reason.NO_AVAILABLE_UNITS


async def test_hooks_decide_who_is_screened_and_how(house: House) -> None:
    hooks = {
        HookName.WORKER_NEEDS_SCREENING: about(lambda worker: worker.name != "known_sandbox"),
        HookName.SHOULD_GENERATE_UNIT: about(lambda worker: worker.name != "real_sandbox"),
    }
    desk = await screening_desk(house, units=5, hooks=hooks)
    details = [await desk.agent(name) for name in ("new", "known", "real")]
    assert [await index(desk, each) for each in details] == [SCREENING_UNIT_INDEX, 0, 0]


async def test_a_generator_that_breaks_costs_a_try_again_and_makes_nothing(house: House) -> None:
    def broken() -> Any:
        raise KeyError("a bug of the author's")

    sections = {
        "block_qualification": "banned",
        "screening": {"qualification": "passed", "max_units": 9},
    }
    desk = await a_desk(house, 5, {HookName.SCREENING_UNITS: broken}, sections, allowed_concurrent=1)
    assert (await desk.register("ann")).outcome is Outcome.TRY_LATER
    assert await nothing_is_held(desk)


# --- gold --------------------------------------------------------------------------------------------------


async def test_a_worker_begins_with_a_gold_and_goes_on_with_real_units(house: House) -> None:
    desk = await gold_desk(house)
    first = await desk.agent("ann")
    assert await index(desk, first) == GOLD_UNIT_INDEX
    await desk.submit(first, {})
    await granted(desk, "ann", **{"g-correct-golds": 1})
    assert await index(desk, await desk.register("ann", after=first.agent_id)) == 0


async def test_no_worker_gets_the_same_gold_twice(house: House) -> None:
    desk = await gold_desk(house)
    questions: list[str] = []
    after: str | None = ""
    for _ in range(3):
        details = await desk.register("ann", after=after)
        questions.append(details.init_task_data["question"])
        await desk.submit(details, {})
        after = details.agent_id
    assert sorted(questions) == ["0 + 0", "1 + 1", "2 + 2"]


async def test_when_a_worker_has_seen_every_gold_there_is_nothing_for_now(house: House) -> None:
    write(house, "gold.jsonl", ROWS[:1])
    desk = await a_desk(house, 5, sections=GOLD, allowed_concurrent=1)
    first = await desk.agent("ann")
    await desk.submit(first, {})
    assert (await desk.register("ann", after=first.agent_id)).reason is Reason.NO_AVAILABLE_UNITS


async def test_w53_a_worker_with_too_many_wrong_golds_is_refused_with_a_reason(house: House) -> None:
    desk = await gold_desk(house)
    await granted(desk, "ann", **{"g-wrong-golds": 1})
    assert (await desk.register("ann")).reason is Reason.NOT_QUALIFIED
    assert (await last_decision(desk)).facts["standing"]["grants"] == {"g-wrong-golds": 1}


async def test_w53_one_wrong_gold_is_no_exclusion_where_one_is_allowed(house: House) -> None:
    write(house, "gold.jsonl", ROWS)
    sections = {"gold": {**GOLD["gold"], "max_incorrect_golds": 1}}
    desk = await a_desk(house, 5, sections=sections, allowed_concurrent=1)
    await granted(desk, "ann", **{"g-wrong-golds": 1})
    assert await index(desk, await desk.agent("ann")) == GOLD_UNIT_INDEX


async def test_whoever_is_disqualified_is_refused(house: House) -> None:
    desk = await gold_desk(house)
    await granted(desk, "ann", **{"g-disqualified": 1})
    assert (await desk.register("ann")).reason is Reason.NOT_QUALIFIED


async def test_when_all_golds_were_made_new_workers_wait_and_proven_ones_go_on(house: House) -> None:
    desk = await gold_desk(house)
    for name in ("ann", "bob", "cy"):
        await desk.agent(name)
    assert (await desk.register("new")).reason is Reason.NO_AVAILABLE_UNITS
    await granted(desk, "old", **{"g-correct-golds": 1, "g-completed-count": 999})
    assert await index(desk, await desk.agent("old")) == 0


async def test_the_authors_code_gives_golds_and_says_who_needs_one_and_qualifies(house: House) -> None:
    hooks = {
        HookName.GOLD_FOR_WORKER: about(lambda worker: {"for": worker.name}),
        HookName.WORKER_NEEDS_GOLD: judging(lambda worker, counts: counts.completed == 0),
        HookName.WORKER_QUALIFIES: judging(lambda worker, counts: worker.name != "eve_sandbox"),
    }
    sections = {"gold": {"qualification_base": "g", "max_units": 3}}
    desk = await a_desk(house, 5, hooks, sections, allowed_concurrent=1)
    assert (await desk.agent("ann")).init_task_data == {"for": "ann_sandbox"}
    assert (await desk.register("eve")).reason is Reason.NOT_QUALIFIED
    await granted(desk, "bob", **{"g-completed-count": 5})
    assert await index(desk, await desk.agent("bob")) == 0


async def test_golds_do_not_count_towards_the_maximum_of_units(house: House) -> None:
    desk = await gold_desk(house, maximum_units_per_worker=1)
    first = await desk.agent("ann")
    await desk.submit(first, {})
    await granted(desk, "ann", **{"g-correct-golds": 1})
    second = await desk.register("ann", after=first.agent_id)
    assert await index(desk, second) == 0
    await desk.submit(second, {})
    assert (await desk.register("ann", after=second.agent_id)).reason is Reason.MAX_FOR_TASK


# --- the end of the run ------------------------------------------------------------------------------------


async def test_a_run_goes_on_while_somebody_is_at_a_special_unit(house: House) -> None:
    desk = await screening_desk(house)
    ann = await desk.agent("ann")
    await house.storage.expire_units(desk.run.id, house.wall(), "staff:ann", "because")
    assert not nothing_left(await house.storage.counts(desk.run.id))
    await end(desk, ann, TimeOver())
    assert nothing_left(await house.storage.counts(desk.run.id))
