"""Random worlds through admission and storage: what workers get is what a naive model says, step by step.

The model is one list of free rows and a few sets; it knows nothing of facts, pages, rounds or transactions.
"""

import random
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import attrs
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdd.daemon.admission import Ask, decide, from_json
from crowdd.daemon.clock import simulated_wall
from crowdd.daemon.hooks import HookName, UnitView, WorkerView
from crowdd.daemon.house import House
from crowdd.daemon.lifecycle import TimeOver
from crowdd.daemon.pace import Pace
from crowdd.daemon.user_code import UserCode
from crowdd.protocol.names import LIVE_AGENT, Reason, UnitStatus
from crowdd.protocol.packets import AgentDetails
from crowdd.storage.opening import open_storage

from .desk import Desk, a_desk

STAFF = ("staff:ann", "because")
WORKERS = ("ann", "mary")  # of different length: the filter tells them apart by it
CAP = 2


@attrs.frozen
class Rules:
    """A run's config, as far as worlds differ."""

    units: int
    allowed: int
    most: int
    filters: bool
    asks_age: bool
    screens: bool

    def sections(self) -> dict[str, Any]:
        sections: dict[str, Any] = {"block_qualification": "banned"}
        if self.asks_age:
            age = {"name": "age", "comparator": "GreaterThanOrEqualTo", "value": 18}
            sections["qualifications"] = [age]
        if self.screens:
            sections["screening"] = {"qualification": "passed", "max_units": CAP, "data": "screening.jsonl"}
        return sections

    def fits(self, worker: str, row: int) -> bool:
        return not self.filters or (row + len(worker)) % 3 != 0


@attrs.frozen
class Step:
    """One thing that happens to one of the workers, by one of their two links."""

    kind: str
    worker: str
    link: int
    value: int = 0


@attrs.define
class Held:
    """What the model thinks of an agent: its row (-1: a screening), and who has it."""

    worker: str
    row: int
    wire_id: str
    live: bool = True


@attrs.define
class Model:
    """The naive truth."""

    rules: Rules
    free: list[int]
    agents: list[Held] = attrs.Factory(list[Held])
    last: dict[tuple[str, int], Held] = attrs.Factory(dict[tuple[str, int], Held])
    grants: dict[str, dict[str, int]] = attrs.Factory(lambda: {name: dict[str, int]() for name in WORKERS})
    blocked: set[str] = attrs.Factory(set[str])
    screenings: int = 0
    done: dict[str, int] = attrs.Factory(lambda: dict.fromkeys(WORKERS, 0))

    def admits(self, worker: str) -> Reason | int:
        """The row that the worker gets (-1: a screening), or why none."""
        has, rules = self.grants[worker], self.rules
        mine = [held for held in self.agents if held.worker == worker]
        holding = [held for held in mine if held.live]
        if worker in self.blocked or "banned" in has:
            return Reason.BLOCKED
        if rules.asks_age and has.get("age", 0) < 18:
            return Reason.NOT_QUALIFIED
        if rules.allowed and len(holding) >= rules.allowed:
            return Reason.TOO_MANY_CONCURRENT
        counted = self.done[worker] + sum(held.row >= 0 for held in holding)
        if rules.most and counted >= rules.most:
            return Reason.MAX_FOR_TASK
        if not self.free:
            return Reason.NO_AVAILABLE_UNITS
        known = {held.row for held in mine}
        fitting = [row for row in self.free if row not in known and rules.fits(worker, row)]
        if not fitting:
            return Reason.NO_MATCH
        if rules.screens and "passed" not in has:
            return -1 if self.screenings < CAP else Reason.NO_AVAILABLE_UNITS
        return fitting[0]

    def take(self, worker: str, link: int, row: int, wire_id: str) -> None:
        if row >= 0:
            self.free.remove(row)
        else:
            self.screenings += 1
        held = Held(worker, row, wire_id)
        self.agents.append(held)
        self.last[worker, link] = held

    def give_up(self, held: Held) -> None:
        held.live = False
        if held.row >= 0:
            self.free.append(held.row)
        else:
            self.screenings -= 1

    def finish(self, held: Held) -> None:
        held.live = False
        self.done[held.worker] += held.row >= 0


@attrs.define
class World:
    """The real admission desk beside the model."""

    desk: Desk
    model: Model

    async def do(self, step: Step) -> None:
        held = self.model.last.get((step.worker, step.link))
        match step.kind:
            case "ask":
                await self._ask(step, goes_on=True)
            case "reload":
                await self._ask(step, goes_on=False)
            case "submit" if held is not None and held.live:
                await self.desk.submit(_details(held), {})
                self.model.finish(held)
            case "leave" if held is not None and held.live:
                agent = await self.desk.stored(_details(held))
                await self.desk.runner.happen(agent.id, TimeOver())
                self.model.give_up(held)
            case "return" if held is not None and held.live:
                await self.desk.give_back(_details(held))
                self.model.give_up(held)
            case _:
                await self._staff(step)

    async def _ask(self, step: Step, goes_on: bool) -> None:
        last = self.model.last.get((step.worker, step.link))
        after = last.wire_id if last is not None and goes_on else ""
        told = await self.desk.register(step.worker, after, f"{step.worker} {step.link}")
        if last is not None and last.live:
            assert told.agent_id == last.wire_id, "who is at work gets what they have"
        elif last is not None and not goes_on:
            assert (told.finished, told.agent_id) == (True, last.wire_id), "an end is shown"
        else:
            await self._compare(step, told)

    async def _compare(self, step: Step, told: AgentDetails) -> None:
        expected = self.model.admits(step.worker)
        if isinstance(expected, Reason):
            assert (told.agent_id, told.reason) == (None, expected)
            return
        assert told.agent_id is not None, (told.reason, expected)
        agent = await self.desk.stored(told)
        assignment = await self.desk.house.storage.assignment(agent.assignment_id)
        assert assignment.row == expected
        self.model.take(step.worker, step.link, expected, told.agent_id)

    async def _staff(self, step: Step) -> None:
        storage, now = self.desk.house.storage, self.desk.house.wall()
        worker = await storage.register_worker("mock", f"{step.worker}_sandbox", {}, now)
        has = self.model.grants[step.worker]
        if step.kind == "block":
            blocked = step.value % 3 == 0
            await storage.set_blocked(worker.id, blocked, now, *STAFF)
            (self.model.blocked.add if blocked else self.model.blocked.discard)(step.worker)
        elif step.kind in ("age", "banned", "passed"):
            if step.kind == "age" or step.value % 3 == 0:
                await storage.grant(step.kind, worker.id, step.value, now, *STAFF)
                has[step.kind] = step.value
            elif step.kind in has:
                await storage.revoke(step.kind, worker.id, now, *STAFF)
                del has[step.kind]

    async def check_the_end(self) -> None:
        storage = self.desk.house.storage
        units = {unit.id: unit for unit in await storage.units(self.desk.run.id)}
        free = [unit for unit in units.values() if unit.status is UnitStatus.LAUNCHED]
        assert len(free) == len(self.model.free)
        for agent in await storage.agents(self.desk.run.id):
            holds = units[agent.unit_id].agent_id == agent.id
            assert holds or agent.status not in LIVE_AGENT
        for decision in await storage.decisions(run_id=self.desk.run.id):
            again = decide(from_json(decision.facts))
            assert not isinstance(again, Ask)
            assert getattr(again, "reason", None) == (Reason(decision.reason) if decision.reason else None)


def _details(held: Held) -> AgentDetails:
    """As far as the desk looks at them."""
    return AgentDetails("r", outcome=None, agent_id=held.wire_id)  # type: ignore[arg-type]


async def _live_through(rules: Rules, steps: list[Step], database: Path | None, folder: Path) -> None:
    async with open_storage(database) as storage:
        house = House(
            storage, simulated_wall, random.Random(1), UserCode(inline=True), folder, [b"s" * 32], Pace()
        )
        await storage.ensure_qualifications(dict.fromkeys(("age", "banned", "passed")), house.wall())
        (folder / "screening.jsonl").write_text('{"question": 1}\n{"question": 2}\n')
        desk = await a_desk(
            house,
            rules.units,
            _hooks(rules),
            rules.sections(),
            allowed_concurrent=rules.allowed,
            maximum_units_per_worker=rules.most,
        )
        world = World(desk, Model(rules, list(range(rules.units))))
        for step in steps:
            await world.do(step)
        await world.check_the_end()


def _hooks(rules: Rules) -> dict[HookName, Callable[..., Any]]:
    def can_do(worker: WorkerView, unit: UnitView) -> bool:
        return rules.fits(worker.name.removesuffix("_sandbox"), unit.data["n"])

    return {HookName.WORKER_CAN_DO_UNIT: can_do} if rules.filters else {}


@st.composite
def all_rules(draw: st.DrawFn) -> Rules:
    rarely = st.sampled_from([False, False, True])
    screens = draw(rarely)
    most = draw(st.sampled_from([0, 0, 2]))
    allowed = 1 if screens else draw(st.sampled_from([0, 1, 2]))
    units = draw(st.sampled_from([1, 1, 2, 3, 5]))
    return Rules(units, allowed, most, draw(rarely), draw(rarely), screens)


ASKS = ["ask"] * 5 + ["reload"]
KINDS = [
    *ASKS,
    "submit",
    "submit",
    "leave",
    "leave",
    "return",
    "return",
    "block",
    "age",
    "age",
    "banned",
    "passed",
]
all_steps = st.lists(
    st.builds(
        Step,
        st.sampled_from(KINDS),
        st.sampled_from(WORKERS),
        st.sampled_from([0, 0, 0, 1]),
        st.sampled_from([17, 18, 30, 31]),
    ),
    min_size=5,
    max_size=40,
)


@given(all_rules(), all_steps)
@settings(max_examples=120, deadline=None)
def test_workers_get_what_the_naive_model_says_in_memory(rules: Rules, steps: list[Step]) -> None:
    with TemporaryDirectory() as folder:
        trio.run(_live_through, rules, steps, None, Path(folder))


@given(all_rules(), all_steps)
@settings(max_examples=20, deadline=None)
def test_workers_get_what_the_naive_model_says_over_sqlite(rules: Rules, steps: list[Step]) -> None:
    with TemporaryDirectory() as folder:
        trio.run(_live_through, rules, steps, Path(folder) / "crowdd.db", Path(folder))
