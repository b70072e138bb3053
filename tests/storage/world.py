"""A store with people and work in it: what the tests of storage begin from."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import attrs

from crowdd.protocol.names import AgentStatus, PieceKind, RunState, UnitId, UnitStatus, WireId
from crowdd.storage.admission import NewDecision, NewOnboarding, NewSpecial, OnboardingBegun, WorkerFacts
from crowdd.storage.contract import NewAssignment, NewRun, NotReserved, Registration, Reserved, Storage
from crowdd.storage.records import (
    GOLD_UNIT_INDEX,
    SCREENING_UNIT_INDEX,
    Agent,
    OnboardingAgent,
    TaskRun,
    Unit,
    Worker,
)
from crowdd.storage.writes import AddSubmission, MoveAgent, MoveRun, MoveUnit, Write

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
LATER = NOW + timedelta(minutes=10)
SCREENING = NewSpecial(SCREENING_UNIT_INDEX, {"n": "known"}, "digest-known", cap=3, pay_cents=5)
GOLD = attrs.evolve(SCREENING, unit_index=GOLD_UNIT_INDEX)
AT_WORK = (AgentStatus.ACCEPTED, AgentStatus.IN_TASK)


def new_run(label: str = "digits", **changes: Any) -> NewRun:
    """A launch of the task `digits`."""
    new = NewRun(
        task_name="digits",
        requester_name="lab",
        launch_id=f"launch-{label}",
        label=label,
        blueprint="static",
        provider="mock",
        architect="local",
        sandbox=True,
        config={"task": {"title": "Digits"}, "limits": [1, 2.5, None]},
        key=b"\x00\xffkey",
    )
    return attrs.evolve(new, **changes)


def rows(first: int, number: int, units: int = 1) -> list[NewAssignment]:
    """Rows `first` and following, each for so many units."""
    return [
        NewAssignment(row, f"digest-{row}", {"n": row}, [{"part": index} for index in range(units)], 25)
        for row in range(first, first + number)
    ]


class World:
    """Shorthands over a store."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self._numbers = count(1)

    async def run(
        self,
        label: str = "digits",
        assignments: int = 1,
        units: int = 1,
        new_rows: Sequence[NewAssignment] = (),
        **changes: Any,
    ) -> TaskRun:
        """A running run whose units are all free."""
        run = await self.storage.create_run(new_run(label, **changes), NOW, "staff:ada")
        await self.storage.add_assignments(run.id, new_rows or rows(0, assignments, units), True, NOW)
        await self.storage.launch_units(run.id, 10_000, NOW)
        await self.move_run(run, RunState.RUNNING)
        return await self.storage.run(run.id)

    async def move_run(self, run: TaskRun, after: RunState) -> None:
        """Move a run from where it is."""
        present = await self.storage.run(run.id)
        await self.commit(MoveRun(run.id, present.state, after, "daemon", "test"))

    async def worker(self, name: str = "ann") -> Worker:
        """The worker of this name."""
        return await self.storage.register_worker("mock", name, {"name": name}, NOW)

    def registration(self, run: TaskRun, worker: Worker, **changes: Any) -> Registration:
        """A registration by a link that nobody had before."""
        number = next(self._numbers)
        registration = Registration(
            run.id, worker.id, WireId(f"wire-{number}"), f"link-{number}", "", AT_WORK, None
        )
        return attrs.evolve(registration, **changes)

    async def ask(self, run: TaskRun, worker: Worker, **changes: Any) -> Reserved | NotReserved:
        """What the worker gets."""
        return await self.storage.reserve(self.registration(run, worker, **changes), NOW)

    def decision(self, run: TaskRun, worker: Worker, **changes: Any) -> NewDecision:
        """A decision about the worker."""
        decision = NewDecision(run.id, worker.id, "admission", "admitted", None, {"free_units": 1})
        return attrs.evolve(decision, **changes)

    def newcomer(self, run: TaskRun, worker: Worker, **changes: Any) -> NewOnboarding:
        """Somebody to be onboarded, by a link that nobody had before."""
        number = next(self._numbers)
        wire_id = WireId(f"onboarding_{number}")
        new = NewOnboarding(run.id, worker.id, wire_id, f"link-{number}", "", None)
        return attrs.evolve(new, **changes)

    async def begin_onboarding(self, run: TaskRun, worker: Worker, **changes: Any) -> OnboardingAgent:
        """The onboarding agent that the worker must get."""
        begun = await self.storage.begin_onboarding(self.newcomer(run, worker, **changes), NOW)
        assert isinstance(begun, OnboardingBegun), begun
        return begun.agent

    async def take_special(self, run: TaskRun, worker: Worker, **changes: Any) -> Reserved:
        """The special unit that the worker must get."""
        return await self.take(run, worker, special=attrs.evolve(SCREENING, **changes))

    async def facts(self, run: TaskRun, worker: Worker) -> WorkerFacts:
        """What storage knows about the worker."""
        return await self.storage.worker_facts(run.id, worker.id)

    async def candidates(self, run: TaskRun, worker: Worker) -> list[UnitId]:
        """All units that the worker may get, in order."""
        return [each.unit.id for each in await self.storage.candidates(run.id, worker.id, limit=1000)]

    async def take(self, run: TaskRun, worker: Worker, **changes: Any) -> Reserved:
        """The unit that the worker must get."""
        given = await self.ask(run, worker, **changes)
        assert isinstance(given, Reserved), given
        return given

    async def refused(self, run: TaskRun, worker: Worker, **changes: Any) -> NotReserved:
        """Why the worker must get nothing."""
        given = await self.ask(run, worker, **changes)
        assert isinstance(given, NotReserved), given
        return given

    async def at_work(self, label: str = "digits", name: str = "ann", **changes: Any) -> Agent:
        """An agent at work on the only unit of a run of its own."""
        run = await self.run(label)
        return (await self.take(run, await self.worker(name), **changes)).agent

    async def commit(self, *writes: Write) -> None:
        """One transaction."""
        await self.storage.commit(writes, LATER)

    async def finish(self, agent: Agent) -> None:
        """The agent submits, and all that belongs to it."""
        await self.commit(*submits(agent))

    async def give_back(self, agent: Agent, after: UnitStatus = UnitStatus.LAUNCHED) -> None:
        """The agent returns its unit."""
        await self.commit(
            moves(agent, AgentStatus.RETURNED),
            MoveUnit(agent.unit_id, UnitStatus.ASSIGNED, after, "worker", "returned", agent.id, release=True),
        )

    async def free(self, run: TaskRun) -> list[Unit]:
        """The free units in the order in which they are given."""
        units = await self.storage.units(run.id, frozenset({UnitStatus.LAUNCHED}))
        return sorted(units, key=lambda unit: unit.position)

    async def story(self, kind: str, subject_id: int) -> list[tuple[str | None, str]]:
        """The states that something went through."""
        entries = await self.storage.history(kind, subject_id)
        return [(entry.before, entry.after) for entry in entries]

    async def everything(self) -> list[object]:
        """All there is, to compare before and after."""
        storage = self.storage
        found: list[object] = [
            await storage.requesters(),
            await storage.projects(),
            await storage.tasks(),
            await storage.workers(),
            await storage.qualifications(),
            await storage.grants(),
            await storage.history(limit=100_000),
            await storage.decisions(limit=100_000),
            await storage.audit(limit=100_000),
        ]
        for run in await storage.runs():
            found += [run, await storage.counts(run.id), await storage.assignments(run.id)]
            found += [await storage.units(run.id), await storage.errors(run.id)]
            found += [await storage.late_answers(run.id), await storage.late_count(run.id)]
            found += [await storage.onboarding_agents(run.id), await storage.added_rows(run.id)]
            found += [] if run.deleting else await storage.export(run.id)
            for agent in await storage.agents(run.id):
                found += [agent, await storage.metadata(agent.id), await storage.reviews(agent.id)]
            found += [await storage.owed(run.id), *await self._live(run)]
        return found

    async def _live(self, run: TaskRun) -> list[object]:
        """All that pages and user code of live work said."""
        storage = self.storage
        agents = [(False, agent.id) for agent in await storage.agents(run.id)]
        onboarding = [(True, agent.id) for agent in await storage.onboarding_agents(run.id)]
        pieces: list[tuple[PieceKind, int]] = [(PieceKind.ONBOARDING, agent_id) for _, agent_id in onboarding]
        pieces += [(PieceKind.UNIT, unit.id) for unit in await storage.units(run.id)]
        pieces += [(PieceKind.ASSIGNMENT, each.id) for each in await storage.assignments(run.id)]
        streams = [(*agent, outgoing) for agent in (*agents, *onboarding) for outgoing in (False, True)]
        return [
            *[update for stream in streams for update in await storage.live_updates(*stream)],
            *[entry for piece in pieces for entry in await storage.journal(*piece)],
        ]


def moves(agent: Agent, after: AgentStatus, **changes: Any) -> MoveAgent:
    """The agent goes on from where this record has it."""
    return attrs.evolve(MoveAgent(agent.id, agent.status, after, "worker", "test"), **changes)


def submits(agent: Agent, data: bytes = b'{"answer":7}') -> Sequence[Write]:
    """What belongs to a submission."""
    return (
        AddSubmission(agent.id, data, [], "digest"),
        moves(agent, AgentStatus.COMPLETED),
        MoveUnit(agent.unit_id, UnitStatus.ASSIGNED, UnitStatus.COMPLETED, "worker", "submitted", agent.id),
    )
