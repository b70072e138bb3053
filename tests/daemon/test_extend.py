"""Runs that staff extend while they go on, on the virtual clock, over both bodies of storage."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from crowdd.daemon.terms import ExtensionRefused, Wish
from crowdd.protocol.names import RunState, UnitStatus
from crowdd.storage.errors import StaleWrite
from crowdd.storage.records import TaskRun
from crowdd.testing.simulation.stores import OpenStore, memory_store, sqlite_store
from crowdd.testing.verdicts import Verdict

from .virtual import Virtual, open_virtual

STAFF = "staff:ann"
MakeStore = Callable[[Path], OpenStore]
DURATION, CAP = "limits.assignment_duration_s", "limits.max_num_concurrent_units"


@pytest.fixture(params=[memory_store, sqlite_store], ids=["memory", "sqlite"])
def make_store(request: pytest.FixtureRequest) -> MakeStore:
    made: MakeStore = request.param
    return made


def more_rows(folder: Path, *numbers: int, name: str = "more.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(f'{{"row": {number}}}\n' for number in numbers))
    return path


async def extend(
    virtual: Virtual,
    run: TaskRun,
    rows: Path | None = None,
    settings: Mapping[str, str] | None = None,
    request: str = "r1",
) -> None:
    await virtual.operator.extend(run.id, Wish(settings or {}, rows, request), STAFF)


async def restart(virtual: Virtual, run: TaskRun) -> None:
    virtual.daemon.kill(down_s=1)
    await trio.sleep(2)
    await virtual.until_live(run.id)
    await trio.sleep(1)


async def row_numbers(virtual: Virtual, run: TaskRun) -> list[int]:
    return [each.shared["row"] for each in await virtual.storage.assignments(run.id)]


async def all_done(virtual: Virtual, run: TaskRun, workers: int) -> TaskRun:
    """So many people do a unit each; the run as it is then."""
    for number in range(workers):
        page = await virtual.at_work(run, f"worker-{number}")
        assert (await page.submit({"answer": number})).verdict is Verdict.OK
    await trio.sleep(5)
    return await virtual.storage.run(run.id)


async def test_added_rows_come_after_all_others_and_the_run_ends_after_them(
    tmp_path: Path, autojump_clock: MockClock, make_store: MakeStore
) -> None:
    async with open_virtual(tmp_path, make_store(tmp_path)) as virtual:
        run = await virtual.launch(units=1)
        await extend(virtual, run, more_rows(tmp_path, 7, 8))
        await trio.sleep(1)
        assert await row_numbers(virtual, run) == [0, 7, 8]
        assert await virtual.units(run) == [UnitStatus.LAUNCHED] * 3
        assert (await all_done(virtual, run, 3)).state is RunState.COMPLETED


async def test_added_rows_survive_restarts_whenever_they_are_made(
    tmp_path: Path, autojump_clock: MockClock, make_store: MakeStore
) -> None:
    async with open_virtual(tmp_path, make_store(tmp_path)) as virtual:
        run = await virtual.launch(units=2, limits__max_num_concurrent_units="1")
        await extend(virtual, run, more_rows(tmp_path, 7, 8))
        await restart(virtual, run)
        await extend(virtual, run, more_rows(tmp_path, 9), {CAP: "3"}, "r2")
        await restart(virtual, run)
        await extend(virtual, run, None, {CAP: "0"})
        await trio.sleep(1)
        await restart(virtual, run)
        assert await row_numbers(virtual, run) == [0, 1, 7, 8, 9]
        assert (await virtual.storage.run(run.id)).trouble is None
        assert (await all_done(virtual, run, 5)).state is RunState.COMPLETED


async def test_the_same_request_again_adds_no_rows_twice(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=1)
        wish = Wish({CAP: "9"}, more_rows(tmp_path, 7), "r1")
        assert not (await virtual.operator.extend(run.id, wish, STAFF)).already
        await restart(virtual, run)
        again = await virtual.operator.extend(run.id, wish, STAFF)
        assert (again.already, again.rows) == (True, 0)
        assert await row_numbers(virtual, run) == [0, 7]


async def test_kept_rows_that_were_changed_on_disk_are_refused_as_changed_data_is(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=1)
        await extend(virtual, run, more_rows(tmp_path, 7))
        await trio.sleep(1)
        (kept,) = (tmp_path / "data" / "runs" / str(run.id) / "rows").iterdir()
        kept.write_text('{"row": 99}\n')
        await restart(virtual, run)
        assert "row 1 of the data is another" in str((await virtual.storage.run(run.id)).trouble)


async def test_everything_that_is_wrong_is_told_at_once_and_nothing_is_changed(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=1)
        bad = tmp_path / "more.jsonl"
        bad.write_text("[1]\n")
        settings = {
            "limits.grace_s": "soon",
            "limits.grase_s": "1",
            "label": "other",
            "lable": "x",
            "pay.reward": "0.5",
        }
        with pytest.raises(ExtensionRefused) as refused:
            await virtual.operator.extend(run.id, Wish(settings, bad, "r1"), STAFF)
        told = "\n".join(refused.value.problems)
        assert "limits.grace_s: must be a number" in told
        assert "limits.grase_s: unknown; did you mean 'grace_s'?" in told
        assert "label: cannot change while the run goes on: links that were given out lead there" in told
        assert "lable: unknown; did you mean 'label'?" in told
        assert "must be an object" in told
        assert (await virtual.storage.run(run.id)).config == run.config
        assert await row_numbers(virtual, run) == [0]


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("units", "did you mean 'limits.maximum_units_per_worker' or 'limits.max_num_concurrent_units'? "),
        ("grase_s", "did you mean 'limits.grace_s'? "),
        ("limit.grace_s", "did you mean 'limits.grace_s'? "),
        ("nonsense", ""),
    ],
)
async def test_an_unknown_key_is_told_with_what_may_be_meant_and_where_to_look(
    key: str, hint: str, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=1)
        with pytest.raises(ExtensionRefused) as refused:
            await extend(virtual, run, settings={key: "3"})
        where = "`crowdctl options task` lists limits.NAME and pay.reward"
        assert refused.value.problems == [f"{key}: unknown; {hint}{where}"]


async def test_more_units_are_out_at_once_with_a_higher_cap(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=5, limits__max_num_concurrent_units="2")
        await trio.sleep(1)
        assert (await virtual.units(run)).count(UnitStatus.LAUNCHED) == 2
        await extend(virtual, run, None, {CAP: "4"})
        await trio.sleep(1)
        assert (await virtual.units(run)).count(UnitStatus.LAUNCHED) == 4
        await restart(virtual, run)
        assert (await virtual.units(run)).count(UnitStatus.LAUNCHED) == 4


async def test_other_pay_is_for_units_that_are_not_released_yet(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=3, limits__max_num_concurrent_units="2", pay__reward="0.25")
        await virtual.at_work(run, "ann")
        await trio.sleep(1)
        await extend(virtual, run, more_rows(tmp_path, 7), {"pay.reward": "0.30", CAP: "0"})
        await trio.sleep(1)
        units = await virtual.storage.units(run.id)
        assert [unit.pay_cents for unit in units] == [25, 25, 30, 30]
        entries = await virtual.storage.history("config", run.id)
        told = [(entry.before, entry.after) for entry in entries]
        assert ("pay.reward=0.25", "pay.reward=0.30") in told


async def test_other_time_is_for_those_who_come_and_with_present_for_those_at_work(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=3, limits__assignment_duration_s="600")
        await virtual.at_work(run, "ann")
        await extend(virtual, run, None, {DURATION: "3600"})
        told = await (await virtual.page(run, "bob")).register()
        assert told.told["time_left_s"] > 3500
        assert [await time_left(virtual, run, name) for name in ("ann", "bob")] == [600, 3600]
        extended = await virtual.operator.extend(run.id, Wish(present=True), STAFF)
        assert extended.present == 1
        assert await time_left(virtual, run, "ann") == 3600
        await trio.sleep(900)
        assert (await virtual.units(run)).count(UnitStatus.ASSIGNED) == 2
        await extend(virtual, run, None, {DURATION: "60", "limits.rejoin_s": "0"})
        assert (await virtual.operator.extend(run.id, Wish(present=True), STAFF)).present == 0
        await trio.sleep(1000)
        assert (await virtual.units(run)).count(UnitStatus.ASSIGNED) == 2
        await trio.sleep(2000)
        assert (await virtual.units(run)).count(UnitStatus.ASSIGNED) == 0


async def time_left(virtual: Virtual, run: TaskRun, name: str) -> int:
    """Seconds from taking the unit to its due time."""
    worker = await virtual.storage.worker_by_name("inhouse", name)
    (agent,) = await virtual.storage.agents(run.id, worker_id=worker.id)
    assert agent.due_at is not None
    return round((agent.due_at - agent.created_at).total_seconds())


async def test_those_at_work_get_endless_time_when_there_is_no_limit_any_more(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=1, limits__assignment_duration_s="600")
        await virtual.at_work(run, "ann")
        await virtual.operator.extend(run.id, Wish({DURATION: "0"}, present=True), STAFF)
        await trio.sleep(2000)
        assert await virtual.units(run) == [UnitStatus.ASSIGNED]


async def test_patience_is_as_it_was_made_last(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(
            limits__no_submission_patience_s="1200", limits__assignment_duration_s="600"
        )
        await trio.sleep(1100)
        await extend(virtual, run, None, {"limits.no_submission_patience_s": "2400"})
        await trio.sleep(2300)
        assert (await virtual.storage.run(run.id)).state is RunState.RUNNING
        await trio.sleep(200)
        assert (await virtual.storage.run(run.id)).state is RunState.STOPPED


async def test_what_people_may_do_changes_at_once(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=3, limits__maximum_units_per_worker="1")
        ann = await virtual.at_work(run, "ann")
        await ann.submit({})
        first = ann.agent
        assert (await ann.register(after=first)).reason == "max_for_task"
        await extend(virtual, run, None, {"limits.maximum_units_per_worker": "2"})
        assert (await ann.register(after=first)).agent_id


async def test_a_run_that_has_ended_is_not_extended(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=1)
        assert (await all_done(virtual, run, 1)).state is RunState.COMPLETED
        with pytest.raises(StaleWrite):
            await extend(virtual, run, more_rows(tmp_path, 7))
        assert await row_numbers(virtual, run) == [0]


async def test_a_run_whose_last_unit_is_out_goes_on_with_added_rows(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=1)
        ann = await virtual.at_work(run, "ann")
        await trio.sleep(60)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ann.submit, None)
            nursery.start_soon(extend, virtual, run, more_rows(tmp_path, 7))
        await trio.sleep(5)
        state = (await virtual.storage.run(run.id)).state
        assert (state, await row_numbers(virtual, run)) == (RunState.RUNNING, [0, 7])


async def test_after_staff_expired_the_rest_of_the_rows_none_are_added(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=9, limits__max_num_concurrent_units="2")
        await virtual.at_work(run, "ann")
        await virtual.operator.expire(run.id, STAFF)
        with pytest.raises(ExtensionRefused, match="the rest was expired by staff"):
            await extend(virtual, run, more_rows(tmp_path, 70))


async def test_rows_after_a_generator_that_failed_are_refused_with_its_failure(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=1)
        await extend(virtual, run, more_rows(tmp_path, 7))
        (kept,) = (tmp_path / "data" / "runs" / str(run.id) / "rows").iterdir()
        await trio.sleep(1)
        kept.write_text("{")
        await restart(virtual, run)
        with pytest.raises(ExtensionRefused, match="the rows before these cannot be read"):
            await extend(virtual, run, more_rows(tmp_path, 8, name="again.jsonl"), request="r2")


async def test_two_who_extend_at_once_both_have_their_wish(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=1)
        rows = more_rows(tmp_path, 7)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(extend, virtual, run, rows, {CAP: "9"}, "r1")
            nursery.start_soon(extend, virtual, run, None, {DURATION: "77"}, "r2")
        limits = (await virtual.storage.run(run.id)).config["limits"]
        assert (limits["max_num_concurrent_units"], limits["assignment_duration_s"]) == (9, 77)


async def test_limits_in_which_no_group_could_form_any_more_are_refused(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=2, blueprint__group="3")
        with pytest.raises(ExtensionRefused, match="2 units at once let no group of 3 form"):
            await extend(virtual, run, settings={CAP: "2"})
        await extend(virtual, run, settings={CAP: "3"})


async def test_rows_added_to_a_group_run_are_for_whole_groups(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch(units=1, blueprint__group="3")
        await extend(virtual, run, more_rows(tmp_path, 7))
        await trio.sleep(1)
        assert len(await virtual.units(run)) == 6
