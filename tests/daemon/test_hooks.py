"""The author's hooks: what they are shown, what they may do, and what becomes of their errors."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest
import trio

from crowdd.daemon.hooks import (
    AgentView,
    Effect,
    HookFailed,
    HookName,
    Hooks,
    Known,
    RunView,
    TaskView,
    UnitView,
    WorkerView,
)
from crowdd.daemon.metrics.families import Metrics
from crowdd.daemon.user_code import UserCode
from crowdd.protocol.ids import new_wire_id
from crowdd.protocol.names import AgentId, AgentStatus, AssignmentId, RunId, UnitId, UnitStatus, WorkerId
from crowdd.storage.admission import Candidate
from crowdd.storage.records import GOLD_UNIT_INDEX, Agent, Assignment, Submission, Unit, Worker

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RUN = RunView(RunId(1), "digits", TaskView("digits"))
ANN = Known(Worker(WorkerId(3), "inhouse", "ann", False, {}, NOW), {"english": 5})


@attrs.define
class Desk:
    """Hooks of one run, and what was noted for their author."""

    hooks: Hooks
    metrics: Metrics
    noted: list[tuple[str, str, AgentId | None]]


def a_desk(limit_s: float = 10.0, inline: bool = True, **functions: Callable[..., Any]) -> Desk:
    noted: list[tuple[str, str, AgentId | None]] = []

    async def note(doing: str, error: Exception, agent_id: AgentId | None) -> None:
        await trio.lowlevel.checkpoint()
        noted.append((doing, str(error), agent_id))

    by_name = {HookName(name): function for name, function in functions.items()}
    metrics = Metrics()
    hooks = Hooks(by_name, RUN, UserCode(inline), metrics.run("digits"), note, limit_s)
    return Desk(hooks, metrics, noted)


def a_unit(number: int, index: int = 0, **data: Any) -> Candidate:
    assignment = Assignment(AssignmentId(number), RUN.id, number, "", {"n": number, "_truth": 7}, [data])
    unit = Unit(UnitId(number), RUN.id, assignment.id, index, UnitStatus.LAUNCHED, number, None, None, 0)
    return Candidate(unit, assignment)


def saying(answer: Any) -> Callable[..., Any]:
    """A hook that answers this, whatever it is asked about."""

    def hook(*given: Any) -> Any:
        return answer

    return hook


AGENT = Agent(
    id=AgentId(9),
    wire_id=new_wire_id(b"k" * 32, b"r" * 16),
    run_id=RUN.id,
    unit_id=UnitId(1),
    assignment_id=AssignmentId(1),
    worker_id=WorkerId(3),
    status=AgentStatus.COMPLETED,
    version=3,
    reason=None,
    link="l",
    after="",
    due_at=None,
    provider_data={},
    created_at=NOW,
    ended_at=NOW,
)
SUBMITTED = Submission(AGENT.id, RUN.id, b'{"digit":7}', [], "", False, NOW)


async def test_a_hook_is_shown_the_worker_and_what_was_submitted() -> None:
    seen: list[Any] = []

    def validate(worker: WorkerView, data: Any) -> bool:
        seen.append((worker.name, worker.value("english"), worker.has("french"), worker.run.task.name, data))
        return True

    reply = await a_desk(validate_onboarding=validate).hooks.validate_onboarding(ANN, {"rules": "read"})
    assert reply.answer is True
    assert seen == [("ann", 5, False, "digits", {"rules": "read"})]


async def test_an_async_hook_runs_under_trio() -> None:
    async def validate(worker: WorkerView, data: Any) -> bool:
        await trio.sleep(0)
        return bool(worker.name == data)

    assert (await a_desk(validate_onboarding=validate).hooks.validate_onboarding(ANN, "ann")).answer


async def test_a_sync_hook_runs_in_a_thread_and_holds_nobody_up() -> None:
    def validate(worker: WorkerView, data: Any) -> bool:
        trio.from_thread.check_cancelled()
        return True

    assert (await a_desk(inline=False, validate_onboarding=validate).hooks.validate_onboarding(ANN, 1)).answer


async def test_what_a_hook_grants_it_sees_at_once_and_hands_back() -> None:
    values: list[int | None] = []

    def validate(worker: WorkerView, data: Any) -> bool:
        worker.grant("french", 2)
        worker.grant("german")
        worker.revoke("english")
        worker.revoke("never had")
        values.extend([worker.value("french"), worker.value("english")])
        assert worker.qualifications == {"french": 2, "german": 1}
        return False

    reply = await a_desk(validate_onboarding=validate).hooks.validate_onboarding(ANN, None)
    assert values == [2, None]
    assert reply.effects == (Effect("french", 2), Effect("german", 1), Effect("english", None))


async def test_granting_what_the_worker_has_is_no_effect() -> None:
    def needs(worker: WorkerView) -> bool:
        worker.grant("english", 5)
        return True

    assert (await a_desk(worker_needs_screening=needs).hooks.worker_needs_screening(ANN)).effects == ()


async def test_a_hook_that_raises_is_noted_for_its_author_and_grants_nothing() -> None:
    def validate(worker: WorkerView, data: Any) -> bool:
        worker.grant("french")
        raise LookupError("no such answer")

    desk = a_desk(validate_onboarding=validate)
    with pytest.raises(HookFailed) as failed:
        await desk.hooks.validate_onboarding(ANN, None)
    assert failed.value.hook is HookName.VALIDATE_ONBOARDING
    ((doing, said, _),) = desk.noted
    assert doing == "validate_onboarding"
    assert "LookupError: no such answer" in said


async def test_sys_exit_in_a_hook_ends_no_daemon() -> None:
    async def validate(worker: WorkerView, data: Any) -> bool:
        await trio.lowlevel.checkpoint()
        raise SystemExit(3)

    with pytest.raises(HookFailed):
        await a_desk(validate_onboarding=validate).hooks.validate_onboarding(ANN, None)


async def test_a_hook_that_takes_too_long_is_given_up(autojump_clock: trio.testing.MockClock) -> None:
    async def validate(worker: WorkerView, data: Any) -> bool:
        await trio.sleep(3600)
        return True

    desk = a_desk(limit_s=5, validate_onboarding=validate)
    with pytest.raises(HookFailed, match="took longer than 5 s"):
        await desk.hooks.validate_onboarding(ANN, None)
    assert desk.noted
    assert trio.current_time() < 60


async def test_a_thread_that_takes_too_long_is_left_behind(mock_clock: trio.testing.MockClock) -> None:
    begun, released = threading.Event(), threading.Event()

    def validate(worker: WorkerView, data: Any) -> bool:
        begun.set()
        released.wait()
        worker.grant("french")
        return True

    async def pass_time() -> None:
        await trio.to_thread.run_sync(begun.wait)
        mock_clock.jump(6)

    desk = a_desk(limit_s=5, inline=False, validate_onboarding=validate)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pass_time)
        with pytest.raises(HookFailed, match="took longer"):
            await desk.hooks.validate_onboarding(ANN, None)
    released.set()


@pytest.mark.parametrize("said", [None, 1, "yes", []])
async def test_only_true_and_false_are_yes_and_no(said: Any) -> None:
    desk = a_desk(validate_onboarding=saying(said))
    with pytest.raises(HookFailed, match="must return True or False"):
        await desk.hooks.validate_onboarding(ANN, None)
    assert desk.noted


async def test_a_page_of_units_is_judged_in_one_call() -> None:
    def can_do(worker: WorkerView, unit: UnitView) -> bool:
        return bool(unit.data["n"] % 2 == 1 and unit.assignment.row == unit.data["n"])

    desk = a_desk(worker_can_do_unit=can_do)
    reply = await desk.hooks.worker_can_do_units(ANN, [a_unit(1), a_unit(2), a_unit(3)])
    assert reply.answer == [True, False, True]


async def test_a_page_of_units_is_judged_by_an_async_hook_as_well() -> None:
    async def can_do(worker: WorkerView, unit: UnitView) -> bool:
        await trio.lowlevel.checkpoint()
        return unit.id == 2

    reply = await a_desk(worker_can_do_unit=can_do).hooks.worker_can_do_units(ANN, [a_unit(1), a_unit(2)])
    assert reply.answer == [False, True]


async def test_units_are_filtered_and_ranked_by_what_is_returned() -> None:
    def rank(units: list[UnitView], worker: WorkerView) -> list[UnitView]:
        return sorted(units, key=lambda unit: -unit.id)[:2]

    def all_but_the_first(units: list[UnitView], worker: WorkerView) -> list[UnitView]:
        return units[1:]

    desk = a_desk(rank_units=rank, filter_units_for_worker=all_but_the_first)
    page = [a_unit(1), a_unit(2), a_unit(3)]
    assert (await desk.hooks.rank_units(ANN, page)).answer == [page[2], page[1]]
    assert (await desk.hooks.filter_units_for_worker(ANN, page)).answer == page[1:]


@pytest.mark.parametrize("said", [None, [None], ["a unit"], 3])
async def test_only_units_that_were_given_can_be_chosen(said: Any) -> None:
    desk = a_desk(rank_units=saying(said))
    with pytest.raises(HookFailed, match=r"must return a list|none of the units"):
        await desk.hooks.rank_units(ANN, [a_unit(1)])


class Odd:
    """Looks like a unit and fails whoever looks closer."""

    def __init__(self, error: BaseException | None = None) -> None:
        self._error = error

    @property
    def id(self) -> list[int]:
        if self._error is not None:
            raise self._error
        return []


@pytest.mark.parametrize("said", [[Odd()], [Odd(RuntimeError("no id"))], [Odd(RecursionError())]])
async def test_objects_that_cannot_be_looked_at_are_their_authors_failure(said: Any) -> None:
    desk = a_desk(rank_units=saying(said))
    with pytest.raises(HookFailed, match="cannot be read"):
        await desk.hooks.rank_units(ANN, [a_unit(1)])
    assert desk.noted


async def test_half_a_character_names_no_qualification() -> None:
    def needs(worker: WorkerView) -> bool:
        worker.grant("\ud800")
        return True

    with pytest.raises(HookFailed, match="surrogates"):
        await a_desk(worker_needs_screening=needs).hooks.worker_needs_screening(ANN)


async def test_what_a_hook_does_to_data_changes_nothing() -> None:
    unit = a_unit(1, own=[1])

    def can_do(worker: WorkerView, shown: UnitView) -> bool:
        shown.data["own"].append(2)
        shown.assignment.data.clear()
        return shown.data == {"n": 1, "_truth": 7, "own": [1]}

    assert (await a_desk(worker_can_do_unit=can_do).hooks.worker_can_do_units(ANN, [unit])).answer == [True]
    assert unit.assignment.unit_data == [{"own": [1]}]


async def test_an_agent_is_shown_with_all_it_belongs_to() -> None:
    seen: list[Any] = []

    def done(agent: AgentView) -> bool:
        seen.append((agent.worker.name, agent.unit.id, agent.assignment.row))
        seen.append((agent.run.label, agent.task.name))
        seen.append((agent.started_at, agent.ended_at, agent.status, agent.files))
        seen.append((agent.unit.is_gold, agent.unit.is_screening))
        return bool(agent.data["digit"] == agent.assignment.data["_truth"])

    desk = a_desk(on_unit_submitted=done)
    reply = await desk.hooks.on_unit_submitted(ANN, AGENT, a_unit(1, GOLD_UNIT_INDEX), SUBMITTED)
    assert reply.answer is True
    assert seen == [
        ("ann", 1, 1),
        ("digits", "digits"),
        (NOW, NOW, AgentStatus.COMPLETED, []),
        (True, False),
    ]


async def test_work_is_judged_once_and_only_where_there_is_an_answer() -> None:
    def twice(agent: AgentView) -> None:
        agent.approve()
        agent.reject("after all")

    desk = a_desk(on_unit_submitted=twice, init_data=twice)
    with pytest.raises(HookFailed, match="judged already: approve"):
        await desk.hooks.on_unit_submitted(ANN, AGENT, a_unit(1), SUBMITTED)
    with pytest.raises(HookFailed, match="no answer to judge yet"):
        await desk.hooks.init_data(ANN, AGENT, a_unit(1))


async def test_an_error_about_an_agents_work_is_noted_with_the_agent() -> None:
    desk = a_desk(on_unit_submitted=saying("right"))
    with pytest.raises(HookFailed, match="True, False or None"):
        await desk.hooks.on_unit_submitted(ANN, AGENT, a_unit(1), SUBMITTED)
    assert desk.noted[0][2] == AGENT.id


@pytest.mark.parametrize("said", [{1: 2}, {"x": object()}, ["no dict"], {"x": "y" * 2_000_000}])
async def test_onboarding_data_is_what_a_page_can_be_given(said: Any) -> None:
    with pytest.raises(HookFailed):
        await a_desk(onboarding_data=saying(said)).hooks.onboarding_data(ANN)


async def test_a_hook_of_every_page_load_cannot_grant() -> None:
    def data(worker: WorkerView) -> dict[str, Any]:
        worker.grant("seen the onboarding")
        return {}

    with pytest.raises(HookFailed, match="grant in another one"):
        await a_desk(onboarding_data=data).hooks.onboarding_data(ANN)


async def test_screening_units_are_made_no_further_than_they_are_wanted() -> None:
    made: list[int] = []

    def screening_units() -> Any:
        for n in range(3):
            made.append(n)
            yield {"n": n}

    hooks = a_desk(screening_units=screening_units).hooks
    assert await hooks.screening_unit(1) == {"n": 1}
    assert made == [0, 1]
    assert (await hooks.screening_unit(2), await hooks.screening_unit(3)) == ({"n": 2}, None)
    assert await hooks.screening_unit(0) == {"n": 0}
    assert made == [0, 1, 2]


async def test_a_generator_of_screening_units_that_fails_is_begun_anew() -> None:
    tries: list[int] = []

    def screening_units() -> Any:
        tries.append(1)
        yield {"n": 0}
        if len(tries) == 1:
            raise OSError("away")
        yield {"n": 1}

    desk = a_desk(screening_units=screening_units)
    with pytest.raises(HookFailed, match="OSError: away"):
        await desk.hooks.screening_unit(1)
    assert await desk.hooks.screening_unit(1) == {"n": 1}


async def test_the_time_of_hooks_is_counted_by_name() -> None:
    desk = a_desk(worker_needs_screening=saying(False))
    await desk.hooks.worker_needs_screening(ANN)
    counted = {
        sample.labels["function"]: sample.value
        for family in desk.metrics.collect()
        for sample in family.samples
        if sample.name == "external_function_latency_count"
    }
    assert counted == {"worker_needs_screening": 1.0}
