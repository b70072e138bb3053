"""Who goes on with their next unit: one read decides what separate reads decide, in generated worlds."""

import json
import random
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import attrs
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdd.daemon.clock import simulated_wall
from crowdd.daemon.hooks import AgentView, HookName, UnitView, WorkerView
from crowdd.daemon.house import House
from crowdd.daemon.lifecycle import TimeOver
from crowdd.daemon.pace import Pace
from crowdd.daemon.providers.mock import MockProvider
from crowdd.daemon.user_code import UserCode
from crowdd.protocol.names import LIVE_AGENT, RunState
from crowdd.protocol.packets import AgentDetails
from crowdd.storage.contract import Bar, Storage
from crowdd.storage.opening import open_storage
from crowdd.storage.records import Worker
from crowdd.storage.writes import MoveRun

from ..storage.counting import counted
from .desk import Desk, a_desk

STAFF = ("staff:ann", "because")
WORKERS = ("ann", "mary")  # of different length: the filter tells them apart by it
CHECKS: dict[str, dict[str, Any]] = {
    "none": {},
    "screening": {"screening": {"qualification": "passed", "max_units": 2, "data": "known.jsonl"}},
    "gold": {"gold": {"qualification_base": "g", "max_units": 3, "min_golds": 2, "data": "known.jsonl"}},
}


class Asked(MockProvider):
    """Does not say what bars anybody: who goes on is decided from separate reads."""

    def bar(self, worker_name: str) -> Bar | None:
        return None


@attrs.frozen
class Rules:
    """A run's config, as far as worlds differ."""

    units: int
    allowed: int
    most: int
    filters: bool
    asks_age: bool
    checks: str
    judges: bool = False

    def sections(self) -> dict[str, Any]:
        sections: dict[str, Any] = {"block_qualification": "banned", **CHECKS[self.checks]}
        if self.asks_age:
            age = {"name": "age", "comparator": "GreaterThanOrEqualTo", "value": 18}
            sections["qualifications"] = [age]
        return sections

    def hooks(self) -> dict[HookName, Callable[..., Any]]:
        def can_do(worker: WorkerView, unit: UnitView) -> bool:
            return bool((unit.data["n"] + len(worker.name)) % 3)

        def judge(agent: AgentView) -> bool:
            return bool(agent.data["right"])

        hooks: dict[HookName, Callable[..., Any]] = {}
        if self.filters:
            hooks[HookName.WORKER_CAN_DO_UNIT] = can_do
        if self.judges or self.checks != "none":
            hooks[HookName.ON_UNIT_SUBMITTED] = judge
        return hooks


@attrs.frozen
class Step:
    """One thing that happens to a worker, by one of the links: the last is anybody's."""

    kind: str
    worker: str
    link: int
    value: int

    @property
    def by(self) -> str:
        return "shared" if self.link == 2 else f"{self.worker} {self.link}"


@attrs.define(eq=False)
class World:
    """One desk; what happens to it is told, to be compared with another's."""

    desk: Desk
    ever: dict[str, list[AgentDetails]] = attrs.Factory(lambda: defaultdict[str, list[AgentDetails]](list))
    """The agents that a link led to, as they were given."""

    async def do(self, step: Step) -> Any:
        mine = self.ever[step.by]
        match step.kind:
            case "go on" | "reload" | "go on from older":
                return await self._ask(step)
            case "submit" if mine:
                answer = await self.desk.submit(mine[-1], {"right": step.value % 3 != 0})
                await self._judged(mine[-1])
                return answer
            case "return" if mine:
                return await self.desk.give_back(mine[-1])
            case "leave" if mine:
                return await self._leave(mine[-1])
            case _:
                return await self.by_staff(step)

    async def _ask(self, step: Step) -> AgentDetails:
        mine = self.ever[step.by]
        after = ""
        if mine and step.kind != "reload":
            after = mine[0 if step.kind == "go on from older" else -1].agent_id or ""
        told = await self.desk.register(step.worker, after, step.by)
        if told.agent_id is not None and told.agent_id not in [each.agent_id for each in mine]:
            mine.append(told)
        return told

    async def _judged(self, details: AgentDetails) -> None:
        worker_id = (await self.desk.stored(details)).worker_id
        await self.desk.follow_ups.settled(worker_id)

    async def _leave(self, details: AgentDetails) -> None:
        agent = await self.desk.stored(details)
        if agent.status in LIVE_AGENT:
            await self.desk.runner.happen(agent.id, TimeOver())

    async def by_staff(self, step: Step) -> None:
        """What staff do to the worker or to the run."""
        storage, now = self.desk.house.storage, self.desk.house.wall()
        worker, odd = await self._worker(step.worker), step.value % 2 == 1
        match step.kind:
            case "block":  # the provider is told once it is stored
                await storage.set_blocked(worker.id, odd, now, *STAFF)
                await self._book(worker, odd)
            case "book":
                await self._book(worker, odd)
            case "age":
                await storage.grant("age", worker.id, step.value, now, *STAFF)
            case "ban" if odd:
                await storage.grant("banned", worker.id, 1, now, *STAFF)
            case "pause" | "end":
                await self._close(step.kind, odd)
            case "take":
                await self.desk.register("eve", "", f"eve {step.value}")
            case _:
                pass

    async def _close(self, kind: str, odd: bool) -> None:
        storage, now, run = self.desk.house.storage, self.desk.house.wall(), self.desk.run
        state = (await storage.run(run.id)).state
        if state is not RunState.RUNNING:
            return
        if kind == "pause":
            await storage.set_paused(run.id, odd, now, *STAFF)
        else:
            await storage.commit([MoveRun(run.id, state, RunState.STOPPED, *STAFF)], now)

    async def _book(self, worker: Worker, blocked: bool) -> None:
        if blocked:
            await self.desk.provider.block(worker, "because")
        else:
            await self.desk.provider.unblock(worker)

    async def _worker(self, name: str) -> Worker:
        storage = self.desk.house.storage
        return await storage.register_worker("mock", f"{name}_sandbox", {}, self.desk.house.wall())

    async def end(self) -> Sequence[Any]:
        """What is stored when all is over."""
        storage, run = self.desk.house.storage, self.desk.run
        return (
            await storage.decisions(run_id=run.id),
            await storage.agents(run.id),
            await storage.units(run.id),
            [await storage.worker_facts(run.id, worker.id) for worker in await storage.workers()],
        )


@asynccontextmanager
async def a_world(
    rules: Rules, provider: type[MockProvider], database: Path | None, folder: Path
) -> AsyncGenerator[World]:
    async with open_storage(database) as storage, trio.open_nursery() as nursery:
        code = UserCode(inline=True)
        house = House(storage, simulated_wall, random.Random(1), code, folder, [b"s" * 32], Pace())
        await storage.ensure_qualifications(dict.fromkeys(("age", "banned", "passed")), house.wall())
        limits = {"allowed_concurrent": rules.allowed, "maximum_units_per_worker": rules.most}
        desk = await a_desk(house, rules.units, rules.hooks(), rules.sections(), "digits", provider, **limits)
        nursery.start_soon(desk.follow_ups.serve)
        yield World(desk)
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def two_worlds(rules: Rules, stored: bool) -> AsyncGenerator[tuple[World, World]]:
    """Who goes on is decided from one read in the first, from separate reads in the second."""
    async with AsyncExitStack() as stack:
        worlds: list[World] = []
        for provider in (MockProvider, Asked):
            folder = Path(stack.enter_context(TemporaryDirectory()))
            (folder / "known.jsonl").write_text("".join(f"{json.dumps({'n': n})}\n" for n in range(3)))
            database = folder / "crowdd.db" if stored else None
            worlds.append(await stack.enter_async_context(a_world(rules, provider, database, folder)))
        yield worlds[0], worlds[1]


async def _compare(rules: Rules, steps: list[Step], stored: bool) -> None:
    async with two_worlds(rules, stored) as (one, separate):
        for step in steps:
            assert await one.do(step) == await separate.do(step), step
        assert await one.end() == await separate.end()


def after(storage: Storage, method: str, then: Callable[[], Awaitable[Any]]) -> None:
    """Once, when the method was called, this happens before who called goes on."""
    call = getattr(storage, method)

    async def called(*args: Any, **kwargs: Any) -> Any:
        setattr(storage, method, call)
        result = await call(*args, **kwargs)
        await then()
        return result

    setattr(storage, method, called)


async def _compare_while_staff_act(rules: Rules, steps: list[Step], meanwhile: list[Step]) -> None:
    async with two_worlds(rules, stored=False) as worlds:
        for step, other in zip(steps, meanwhile, strict=False):
            told: list[Any] = []
            for world in worlds:
                if step.kind == "go on":
                    after(world.desk.house.storage, "last_of_link", partial(world.by_staff, other))
                told.append(await world.do(step))
            assert _given(told[0]) == _given(told[1]), (step, other)


async def _facts_of_next(world: World, meanwhile: Callable[[], Awaitable[Any]]) -> int:
    """How often the provider's books were asked separately, when that happened after the one read."""
    first = await world.do(Step("go on", "ann", 0, 0))
    await world.do(Step("submit", "ann", 0, 0))
    calls = counted(world.desk.house.storage)
    after(world.desk.house.storage, "last_of_link", meanwhile)
    told = await world.do(Step("go on", "ann", 0, 0))
    assert told.agent_id not in (None, first.agent_id)
    return calls["fact"]


JUDGED = Rules(units=5, allowed=2, most=0, filters=False, asks_age=False, checks="none", judges=True)


async def test_an_answer_that_is_judged_meanwhile_has_all_read_separately(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    async with a_world(JUDGED, MockProvider, None, tmp_path) as world:
        await world.do(Step("go on", "mary", 0, 0))
        assert await _facts_of_next(world, lambda: world.do(Step("submit", "mary", 0, 0))) == 1


async def test_where_nothing_was_judged_meanwhile_the_books_are_not_asked_separately(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    async with a_world(JUDGED, MockProvider, None, tmp_path) as world:
        assert await _facts_of_next(world, trio.lowlevel.checkpoint) == 0


class Confused(MockProvider):
    def bar(self, worker_name: str) -> Bar | None:
        raise RuntimeError("cannot say")


async def test_a_provider_that_fails_to_say_what_bars_somebody_is_asked(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    async with a_world(JUDGED, Confused, None, tmp_path) as world:
        assert await _facts_of_next(world, trio.lowlevel.checkpoint) == 1


def _given(told: Any) -> Any:
    """What a page is given. Ids differ by chance, and of several reasons any may be met first."""
    if not isinstance(told, AgentDetails):
        return None
    return told.finished, told.agent_id is None, told.init_task_data


all_rules = st.builds(
    Rules,
    units=st.sampled_from([2, 5, 9]),
    allowed=st.sampled_from([0, 1, 2]),
    most=st.sampled_from([0, 0, 3]),
    filters=st.sampled_from([False, False, True]),
    asks_age=st.sampled_from([False, False, True]),
    checks=st.just("none"),
) | st.builds(
    Rules,
    units=st.just(5),
    allowed=st.just(1),
    most=st.sampled_from([0, 3]),
    filters=st.booleans(),
    asks_age=st.just(value=False),
    checks=st.sampled_from(["screening", "gold"]),
)


def steps_of(kinds: Sequence[str], number: int = 40) -> st.SearchStrategy[list[Step]]:
    links = st.sampled_from([0, 0, 0, 1, 2])
    step = st.builds(Step, st.sampled_from(kinds), st.sampled_from(WORKERS), links, st.integers(17, 20))
    return st.lists(step, min_size=5, max_size=number)


WORK = ["go on"] * 6 + ["submit"] * 5 + ["reload", "go on from older", "leave", "return", "age"]
all_steps = steps_of([*WORK * 2, "age", "block", "book", "block", "book", "ban", "pause", "pause", "end"])
CLOSING = st.builds(
    Step,
    st.sampled_from(["none", "none", "none", "block", "ban", "pause", "end", "take", "take"]),
    st.sampled_from(WORKERS),
    st.just(0),
    st.sampled_from([17, 19, 21]),
)


@given(all_rules, all_steps)
@settings(max_examples=40, deadline=None)
def test_one_read_decides_as_separate_reads_do_in_memory(rules: Rules, steps: list[Step]) -> None:
    trio.run(_compare, rules, steps, False, clock=trio.testing.MockClock())


@given(all_rules, all_steps)
@settings(max_examples=6, deadline=None)
def test_one_read_decides_as_separate_reads_do_over_sqlite(rules: Rules, steps: list[Step]) -> None:
    trio.run(_compare, rules, steps, True, clock=trio.testing.MockClock())


@given(all_rules, steps_of(WORK, 25), st.lists(CLOSING, min_size=25, max_size=25))
@settings(max_examples=40, deadline=None)
def test_who_is_shut_out_after_that_read_gets_what_separate_reads_give_them(
    rules: Rules, steps: list[Step], meanwhile: list[Step]
) -> None:
    trio.run(_compare_while_staff_act, rules, steps, meanwhile, clock=trio.testing.MockClock())
