"""Who is let in to what, step by step, and what goes wrong on the way; W4, W51, W52, W55, X3, X4."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from crowdd.daemon.admission import PAGE_UNITS_MAX, PAGES_MAX, decide, explain, from_json
from crowdd.daemon.hooks import HookName, UnitView, WorkerView
from crowdd.daemon.house import House
from crowdd.daemon.provider_calls import PROVIDER_LIMIT_S
from crowdd.protocol.names import LIVE_AGENT, Outcome, Reason, UnitStatus
from crowdd.storage.records import Decision, Worker

from .desk import Desk, a_desk

STAFF = ("staff:ann", "because")
CAN_DO, FILTER, RANK = (
    HookName.WORKER_CAN_DO_UNIT,
    HookName.FILTER_UNITS_FOR_WORKER,
    HookName.RANK_UNITS,
)
AGE: dict[str, Any] = {"qualifications": [{"name": "age", "comparator": "GreaterThanOrEqualTo", "value": 18}]}
RANKED: dict[str, Any] = {"choice": {"order": "ranked"}}


def let(test: Callable[[WorkerView, UnitView], bool]) -> Callable[..., Any]:
    """A `worker_can_do_unit`."""
    return test


async def granted(desk: Desk, worker: str, **values: int) -> Worker:
    """The worker, known and with these values."""
    storage, now = desk.house.storage, desk.house.wall()
    await storage.ensure_qualifications(dict.fromkeys(values), now)
    known = await storage.register_worker("mock", f"{worker}_sandbox", {}, now)
    for name, value in values.items():
        await storage.grant(name, known.id, value, now, *STAFF)
    return known


async def grants(desk: Desk) -> dict[str, int]:
    """Everybody's, by name."""
    names = {each.id: each.name for each in await desk.house.storage.qualifications()}
    return {names[each.qualification_id]: each.value for each in await desk.house.storage.grants()}


async def last_decision(desk: Desk) -> Decision:
    return (await desk.house.storage.decisions(run_id=desk.run.id))[-1]


async def nothing_is_held(desk: Desk) -> bool:
    units = await desk.house.storage.units(desk.run.id)
    agents = await desk.house.storage.agents(desk.run.id)
    return all(unit.status is UnitStatus.LAUNCHED for unit in units) and agents == []


# --- qualifications and blocks -----------------------------------------------------------------------------


async def test_who_does_not_meet_a_requirement_is_refused_until_they_do(house: House) -> None:
    desk = await a_desk(house, sections=AGE)
    await granted(desk, "ann", age=17)
    assert (await desk.register("ann")).reason is Reason.NOT_QUALIFIED
    await granted(desk, "ann", age=18)
    assert (await desk.register("ann")).outcome is Outcome.OK


async def test_who_has_no_grant_at_all_does_not_meet_a_requirement(house: House) -> None:
    desk = await a_desk(house, sections=AGE)
    assert (await desk.register("ann")).reason is Reason.NOT_QUALIFIED
    assert await nothing_is_held(desk)


async def test_a_requirement_of_other_providers_is_not_asked_for(house: House) -> None:
    sections = {"qualifications": [{**AGE["qualifications"][0], "applicable_providers": ["inhouse"]}]}
    desk = await a_desk(house, sections=sections)
    assert (await desk.register("ann")).outcome is Outcome.OK


async def test_w52_who_is_blocked_gets_nothing_and_who_is_unblocked_does(house: House) -> None:
    desk = await a_desk(house)
    ann = await granted(desk, "ann")
    await house.storage.set_blocked(ann.id, True, house.wall(), *STAFF)
    assert (await desk.register("ann")).reason is Reason.BLOCKED
    await house.storage.set_blocked(ann.id, False, house.wall(), *STAFF)
    assert (await desk.register("ann")).outcome is Outcome.OK


async def test_whoever_has_the_block_qualification_is_refused(house: House) -> None:
    desk = await a_desk(house, sections={"block_qualification": "banned"})
    await granted(desk, "ann", banned=0)
    assert (await desk.register("ann")).reason is Reason.BLOCKED
    assert (await desk.register("bob")).outcome is Outcome.OK


async def test_w55_equal_names_at_two_providers_are_two_workers(house: House) -> None:
    desk = await a_desk(house)
    other = await house.storage.register_worker("inhouse", "ann_sandbox", {}, house.wall())
    await house.storage.set_blocked(other.id, True, house.wall(), *STAFF)
    details = await desk.agent("ann")
    assert details.worker_id != str(other.id)


async def known(desk: Desk, name: str) -> None:
    """Somebody who was here before."""
    await desk.house.storage.register_worker("mock", f"{name}_sandbox", {}, desk.house.wall())


# --- the provider ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", [Reason.NOT_QUALIFIED, Reason.BLOCKED])
async def test_the_providers_own_requirements_are_asked_for(house: House, reason: Reason) -> None:
    desk = await a_desk(house)
    desk.provider.options = type(desk.provider.options)(refused={"ann": reason})
    assert (await desk.register("ann")).reason is reason
    assert await nothing_is_held(desk)


@pytest.mark.parametrize("method", ["verify", "admits"])
async def test_x4_a_provider_that_fails_costs_a_try_again(house: House, method: str) -> None:
    desk = await a_desk(house)
    desk.provider.fail_next[method] = 1
    refusal = await desk.register("ann")
    assert (refusal.outcome, refusal.retry_after_s) == (Outcome.TRY_LATER, 5.0)
    assert await nothing_is_held(desk)
    assert len(desk.failures) == 1
    assert (await desk.register("ann")).outcome is Outcome.OK


@pytest.mark.parametrize("method", ["verify", "admits"])
async def test_w4_a_provider_with_a_bug_costs_a_try_again(
    house: House, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    desk = await a_desk(house)

    await known(desk, "ann")  # of newcomers this provider is not asked

    async def buggy(_: object) -> None:
        await trio.lowlevel.checkpoint()
        raise KeyError("no such thing")

    monkeypatch.setattr(desk.provider, method, buggy)
    assert (await desk.register("ann")).outcome is Outcome.TRY_LATER
    assert await nothing_is_held(desk)
    assert len(desk.failures) == 1


@pytest.mark.parametrize("method", ["verify", "admits"])
async def test_w4_a_provider_that_never_answers_costs_a_try_again(
    house: House, monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock, method: str
) -> None:
    desk = await a_desk(house)

    await known(desk, "ann")  # of newcomers this provider is not asked

    async def asleep(_: object) -> None:
        await trio.sleep_forever()

    monkeypatch.setattr(desk.provider, method, asleep)
    began = trio.current_time()
    assert (await desk.register("ann")).outcome is Outcome.TRY_LATER
    assert trio.current_time() - began == pytest.approx(PROVIDER_LIMIT_S)
    assert await nothing_is_held(desk)


# --- hooks that filter and rank ----------------------------------------------------------------------------


async def test_a_worker_gets_the_first_unit_that_the_hook_lets_them_do(house: House) -> None:
    desk = await a_desk(house, 5, {CAN_DO: let(lambda worker, unit: unit.data["n"] >= 3)})
    assert (await desk.agent("ann")).init_task_data == {"n": 3}


async def test_a_unit_that_fits_is_found_on_a_later_page(house: House) -> None:
    wanted = 2 * PAGE_UNITS_MAX + 5
    desk = await a_desk(house, wanted + 1, {CAN_DO: let(lambda worker, unit: unit.data["n"] == wanted)})
    assert (await desk.agent("ann")).init_task_data == {"n": wanted}
    facts = from_json((await last_decision(desk)).facts)
    assert [page.looked_at for page in facts.answers.pages] == [64, 64, 6]


async def test_w51_when_nothing_fits_the_refusal_says_so_and_not_that_there_is_nothing(house: House) -> None:
    desk = await a_desk(house, 3, {CAN_DO: let(lambda worker, unit: False)})
    assert (await desk.register("ann")).reason is Reason.NO_MATCH
    assert from_json((await last_decision(desk)).facts).looked_at == 3


async def test_no_more_than_sixteen_pages_are_looked_at(house: House) -> None:
    seen: list[int] = []

    def can_do(worker: WorkerView, unit: UnitView) -> bool:
        seen.append(unit.id)
        return False

    desk = await a_desk(house, PAGE_UNITS_MAX * PAGES_MAX + 10, {CAN_DO: can_do})
    assert (await desk.register("ann")).reason is Reason.NO_MATCH
    assert len(seen) == len(set(seen)) == PAGE_UNITS_MAX * PAGES_MAX


async def test_who_has_worked_on_every_assignment_is_told_that_the_rest_is_for_others(house: House) -> None:
    desk = await a_desk(house, 1)
    ann = await desk.agent("ann")
    await desk.give_back(ann)
    refused = await desk.register("ann", after=ann.agent_id)
    assert refused.reason is Reason.NO_MATCH
    assert refused.failure_reason == (
        "There is nothing more for you to do here at the moment: what is left is for others."
    )


async def test_filters_are_asked_before_the_ranking(house: House) -> None:
    def odd(units: Sequence[UnitView], worker: WorkerView) -> list[UnitView]:
        return [unit for unit in units if unit.data["n"] % 2]

    def last_first(units: Sequence[UnitView], worker: WorkerView) -> list[UnitView]:
        return sorted(units, key=lambda unit: -unit.data["n"])

    desk = await a_desk(house, 7, {FILTER: odd, RANK: last_first}, RANKED)
    workers = [await desk.agent(name) for name in ("ann", "bob", "cy")]
    assert [details.init_task_data["n"] for details in workers] == [5, 3, 1]
    assert (await desk.register("dan")).reason is Reason.NO_MATCH


async def test_candidates_that_are_gone_are_looked_for_anew(house: House) -> None:
    """Another worker takes what this one's filter kept, at the very moment."""
    desk: Desk
    quick = ["bob"]

    async def keep_one(units: Sequence[UnitView], worker: WorkerView) -> list[UnitView]:
        if quick and worker.name == "ann_sandbox":
            await desk.agent(quick.pop())
        return [units[0]]

    desk = await a_desk(house, 3, {FILTER: keep_one})
    assert (await desk.agent("ann")).init_task_data == {"n": 1}
    assert from_json((await last_decision(desk)).facts).answers.rounds == 2


# --- what hooks grant --------------------------------------------------------------------------------------


def grants_seen(worker: WorkerView, unit: UnitView) -> bool:
    worker.grant("seen", 1 + (worker.value("seen") or 0))
    return True


async def test_what_a_hook_grants_is_stored_with_the_unit(house: House) -> None:
    desk = await a_desk(house, 2, {CAN_DO: grants_seen})
    await house.storage.ensure_qualifications({"seen": None}, house.wall())
    await desk.agent("ann")
    assert await grants(desk) == {"seen": 2}


async def test_what_a_hook_grants_is_stored_with_a_refusal(house: House) -> None:
    def refuse(worker: WorkerView, unit: UnitView) -> bool:
        worker.grant("refused")
        return False

    desk = await a_desk(house, 1, {CAN_DO: refuse})
    await house.storage.ensure_qualifications({"refused": None}, house.wall())
    assert (await desk.register("ann")).reason is Reason.NO_MATCH
    assert await grants(desk) == {"refused": 1}
    assert (await last_decision(desk)).reason == "no_match"


async def test_a_hook_that_grants_what_no_qualification_is_called_grants_and_holds_nothing(
    house: House,
) -> None:
    desk = await a_desk(house, 1, {CAN_DO: grants_seen})
    assert (await desk.register("ann")).outcome is Outcome.TRY_LATER
    assert await nothing_is_held(desk)
    assert "granting what a hook said" in desk.failures


async def test_a_block_that_a_hook_grants_counts_at_once(house: House) -> None:
    def ban(units: Sequence[UnitView], worker: WorkerView) -> Sequence[UnitView]:
        worker.grant("banned")
        return list(units)

    desk = await a_desk(house, 1, {FILTER: ban}, {"block_qualification": "banned"})
    assert (await desk.register("ann")).reason is Reason.BLOCKED
    assert await grants(desk) == {"banned": 1}
    assert await nothing_is_held(desk)


# --- hooks that break --------------------------------------------------------------------------------------


def raises(*_: object) -> Any:
    raise KeyError("a bug of the author's")


def talks(*_: object) -> str:
    return "nonsense"


async def waits(*_: object) -> Any:
    await trio.sleep_forever()


@pytest.mark.parametrize("hook", [CAN_DO, FILTER, RANK])
@pytest.mark.parametrize("breaks", [raises, waits, talks])
async def test_x4_a_hook_that_breaks_costs_a_try_again_and_holds_nothing(
    house: House, autojump_clock: MockClock, hook: HookName, breaks: Callable[..., Any]
) -> None:
    desk = await a_desk(house, 2, {hook: breaks}, RANKED if hook is RANK else None)
    refusal = await desk.register("ann")
    assert (refusal.outcome, refusal.reason, refusal.retry_after_s) == (
        Outcome.TRY_LATER, Reason.TRY_LATER, 5.0,
    )  # fmt: skip
    assert await nothing_is_held(desk)
    assert desk.failures == [hook.value]
    assert hook.value in (from_json((await last_decision(desk)).facts).answers.failed or "")


async def test_a_hook_that_granted_and_then_broke_grants_nothing(house: House) -> None:
    def grant_and_break(worker: WorkerView, unit: UnitView) -> bool:
        worker.grant("seen")
        raise ValueError("a bug of the author's")

    desk = await a_desk(house, 1, {CAN_DO: grant_and_break})
    await house.storage.ensure_qualifications({"seen": None}, house.wall())
    await desk.register("ann")
    assert await grants(desk) == {}


async def test_init_data_that_breaks_keeps_the_workers_unit_for_the_next_try(house: House) -> None:
    broken = [True]

    def init_data(agent: Any) -> Any:
        if broken:
            raise KeyError("not yet")
        return {"own": agent.worker.name}

    desk = await a_desk(house, 2, {HookName.INIT_DATA: init_data})
    assert (await desk.register("ann")).outcome is Outcome.TRY_LATER
    broken.clear()
    assert (await desk.agent("ann")).init_task_data == {"own": "ann_sandbox"}
    assert len(await house.storage.agents(desk.run.id)) == 1


# --- facts that change -------------------------------------------------------------------------------------


async def test_a_grant_that_changed_meanwhile_is_decided_upon_anew(house: House) -> None:
    desk: Desk
    changes = [0]

    async def revoke(units: Sequence[UnitView], worker: WorkerView) -> list[UnitView]:
        if changes:
            await granted(desk, "ann", age=changes.pop())
        return list(units)

    desk = await a_desk(house, 3, {FILTER: revoke}, AGE)
    await granted(desk, "ann", age=30)
    assert (await desk.register("ann")).reason is Reason.NOT_QUALIFIED
    assert from_json((await last_decision(desk)).facts).answers.rounds == 2
    assert await nothing_is_held(desk)


async def test_facts_that_never_hold_still_cost_a_try_again(house: House) -> None:
    desk: Desk
    ages = iter(range(30, 90))

    async def change(units: Sequence[UnitView], worker: WorkerView) -> list[UnitView]:
        await granted(desk, "ann", age=next(ages))
        return list(units)

    desk = await a_desk(house, 3, {FILTER: change}, AGE)
    await granted(desk, "ann", age=20)
    assert (await desk.register("ann")).outcome is Outcome.TRY_LATER
    assert from_json((await last_decision(desk)).facts).answers.rounds == 3
    assert await nothing_is_held(desk)


async def test_a_worker_who_is_blocked_at_that_very_moment_gets_nothing(house: House) -> None:
    desk: Desk

    async def block(units: Sequence[UnitView], worker: WorkerView) -> list[UnitView]:
        await house.storage.set_blocked(worker.id, True, house.wall(), *STAFF)
        return list(units)

    desk = await a_desk(house, 3, {FILTER: block})
    assert (await desk.register("ann")).reason is Reason.BLOCKED
    assert await nothing_is_held(desk)


# --- at the same instant -----------------------------------------------------------------------------------


async def test_two_tabs_of_two_links_at_once_get_one_unit_where_one_is_allowed(house: House) -> None:
    desk = await a_desk(house, 5, allowed_concurrent=1)
    reasons: list[Reason | None] = []

    async def register(link: str) -> None:
        reasons.append((await desk.register("ann", link=link)).reason)

    async with trio.open_nursery() as nursery:
        for link in ("one", "two", "three"):
            nursery.start_soon(register, link)
    assert sorted(map(str, reasons)) == sorted(
        map(str, [None, Reason.TOO_MANY_CONCURRENT, Reason.TOO_MANY_CONCURRENT])
    )


async def test_x3_the_same_registration_at_once_gives_one_agent_with_hooks(
    house: House,
) -> None:
    async def slowly(units: Sequence[UnitView], worker: WorkerView) -> list[UnitView]:
        await trio.lowlevel.checkpoint()
        return list(units)

    desk = await a_desk(house, 20, {FILTER: slowly})
    answers: list[str | None] = []

    async def register() -> None:
        answers.append((await desk.register("ann")).agent_id)

    async with trio.open_nursery() as nursery:
        for _ in range(16):
            nursery.start_soon(register)
    assert len(set(answers)) == 1
    assert len(await house.storage.agents(desk.run.id)) == 1


# --- what is kept about it ---------------------------------------------------------------------------------


async def test_every_decision_is_recorded_and_decides_the_same_again(house: House) -> None:
    desk = await a_desk(
        house,
        2,
        {CAN_DO: let(lambda worker, unit: worker.name != "eve_sandbox")},
        AGE,
        maximum_units_per_worker=1,
    )
    for name, age in (("ann", 20), ("bob", 17), ("eve", 30), ("cy", 40), ("dan", 50)):
        await granted(desk, name, age=age)
    first = await desk.agent("ann")
    await desk.submit(first, {})
    await desk.register("ann", after=first.agent_id)
    for name in ("bob", "eve", "cy", "dan"):
        await desk.register(name)
    decisions = await house.storage.decisions(run_id=desk.run.id)
    assert [(each.outcome, each.reason) for each in decisions] == [
        ("unit", None),
        ("refused", "max_for_task"),
        ("refused", "not_qualified"),
        ("refused", "no_match"),
        ("unit", None),
        ("refused", "no_available_units"),
    ]
    for each in decisions:
        again = decide(from_json(each.facts))
        assert getattr(again, "reason", None) == (Reason(each.reason) if each.reason else None)
        assert explain(each.kind, each.outcome, each.reason, each.facts)


async def test_a_decision_names_the_agent_it_led_to(house: House) -> None:
    desk = await a_desk(house)
    agent = await desk.stored(await desk.agent("ann"))
    (decision,) = await house.storage.decisions(agent_id=agent.id)
    assert (decision.worker_id, decision.unit_id) == (agent.worker_id, agent.unit_id)


async def test_the_same_refusal_again_is_counted_and_not_kept_twice(house: House) -> None:
    desk = await a_desk(house, sections=AGE)
    for _ in range(3):
        await desk.register("ann")
    (decision,) = await house.storage.decisions(run_id=desk.run.id)
    assert decision.count == 3


async def test_who_could_not_be_identified_is_recorded_without_a_worker(house: House) -> None:
    desk = await a_desk(house)
    desk.provider.options = type(desk.provider.options)(unverified=("eve",))
    await desk.register("eve")
    decision = await last_decision(desk)
    assert (decision.worker_id, decision.reason) == (None, "identity_unverified")


async def test_a_closed_door_is_recorded_for_those_who_are_known(house: House) -> None:
    desk = await a_desk(house)
    ann = await granted(desk, "ann")
    desk.closed_for = Reason.RUN_ENDED
    await desk.register("ann")
    await desk.register("nobody")
    decisions = await house.storage.decisions(run_id=desk.run.id)
    assert [each.worker_id for each in decisions] == [ann.id, None]
    assert [worker.name for worker in await house.storage.workers()] == ["ann_sandbox"]


async def test_while_staff_pause_the_run_newcomers_are_told_so(house: House) -> None:
    desk = await a_desk(house)
    await house.storage.set_paused(desk.run.id, True, house.wall(), *STAFF)
    refusal = await desk.register("ann")
    assert (refusal.outcome, refusal.reason) == (Outcome.TRY_LATER, Reason.PAUSED)
    assert await nothing_is_held(desk)


async def test_no_live_agent_is_ever_without_its_unit(house: House) -> None:
    desk = await a_desk(house, 4, {CAN_DO: let(lambda worker, unit: unit.data["n"] != 2)})
    for name in ("ann", "bob", "cy", "dan"):
        await desk.register(name)
    agents = await house.storage.agents(desk.run.id)
    units = {unit.id: unit for unit in await house.storage.units(desk.run.id)}
    assert [units[agent.unit_id].agent_id for agent in agents if agent.status in LIVE_AGENT] == [1, 2, 3]
