"""A daemon in small, right by inspection: what the checker's own tests break on purpose.

It has a store that outlives it, answers requests one by one, and can be crashed between any two steps.
It is no substitute for the daemon: no protocol, no clock, no configuration.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import attrs
import trio

from ..protocol.documents import canonical_json
from ..protocol.names import (
    LIVE_AGENT,
    AgentId,
    AgentStatus,
    AssignmentId,
    Reason,
    RunId,
    RunState,
    UnitId,
    UnitStatus,
    WireId,
    WorkerId,
)
from ..storage.records import Agent, Assignment, HistoryEntry, Metadata, Submission, TaskRun, Unit
from .facts import StoreFacts
from .history import LOST, TIMED_OUT, History, Operation, agent_key, answer_digest

RUN = RunId(1)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ANSWER_WITHIN_S = 5.0


@attrs.frozen
class Given:
    """Yes: the agent of a registration, or nothing for the rest."""

    wire_id: str = ""
    finished: bool = False


@attrs.frozen
class Denied:
    """No, and why."""

    reason: Reason


Reply = Given | Denied


class ModelStore:
    """What survives a crash. Every method is one transaction."""

    def __init__(self, assignments: int, units_per_assignment: int = 1) -> None:
        self.assignments = [
            Assignment(AssignmentId(number), RUN, number, "", {}, [{}] * units_per_assignment)
            for number in range(1, assignments + 1)
        ]
        self.units: dict[UnitId, Unit] = {}
        self.agents: dict[AgentId, Agent] = {}
        self.submissions: list[Submission] = []
        self.metadata: list[Metadata] = []
        self.history: list[HistoryEntry] = []
        for one in self.assignments:
            for index in range(units_per_assignment):
                self._add_unit(one.id, index)

    def note(self, kind: str, subject_id: int, before: str | None, after: str) -> None:
        """Append to the history of the store."""
        number = len(self.history) + 1
        self.history.append(HistoryEntry(number, NOW, "model", kind, subject_id, RUN, before, after, ""))

    def _add_unit(self, assignment_id: AssignmentId, index: int) -> None:
        unit_id = UnitId(len(self.units) + 1)
        status = UnitStatus.LAUNCHED
        self.units[unit_id] = Unit(unit_id, RUN, assignment_id, index, status, unit_id, None, None, 0)
        self.note("unit", unit_id, None, UnitStatus.CREATED.value)
        self.note("unit", unit_id, UnitStatus.CREATED.value, status.value)

    def free_unit(self, worker_id: WorkerId) -> Unit | None:
        """The first free unit of an assignment that the worker was never on."""
        worked = {agent.assignment_id for agent in self.agents.values() if agent.worker_id == worker_id}
        free = (unit for unit in self.units.values() if unit.status is UnitStatus.LAUNCHED)
        return next((unit for unit in free if unit.assignment_id not in worked), None)

    def add_agent(self, unit: Unit, worker_id: WorkerId, link: str, after: str) -> Agent:
        """Make the agent of a worker, and the unit its own."""
        agent_id = AgentId(len(self.agents) + 1)
        agent = Agent(
            agent_id, WireId(f"wire-{agent_id}"), RUN, unit.id, unit.assignment_id, worker_id,
            AgentStatus.IN_TASK, 1, None, link, after, None, {}, NOW, None,
        )  # fmt: skip
        self.agents[agent_id] = agent
        self.units[unit.id] = attrs.evolve(
            unit, status=UnitStatus.ASSIGNED, agent_id=agent_id, worker_id=worker_id
        )
        self.note("agent", agent_id, None, AgentStatus.IN_TASK.value)
        self.note("unit", unit.id, unit.status.value, UnitStatus.ASSIGNED.value)
        return agent

    def add_submission(self, agent: Agent, data: bytes) -> None:
        """Store an answer."""
        digest = answer_digest(data)
        self.submissions.append(Submission(agent.id, RUN, data, [], digest, False, NOW))

    def add_metadata(self, agent: Agent, data: Any) -> None:
        """Store what was told beside the answer, once."""
        digest = answer_digest(canonical_json(data))
        if (agent.id, digest) not in {(one.agent_id, one.digest) for one in self.metadata}:
            number = len(self.metadata) + 1
            self.metadata.append(Metadata(number, agent.id, "default", data, [], digest, NOW))

    def move_agent(self, agent: Agent, after: AgentStatus) -> None:
        """Give an agent another status."""
        self.agents[agent.id] = attrs.evolve(agent, status=after)
        self.note("agent", agent.id, agent.status.value, after.value)

    def move_unit(self, unit: Unit, after: UnitStatus) -> None:
        """Give a unit another status; one that becomes free names nobody."""
        free = after is UnitStatus.LAUNCHED
        self.units[unit.id] = attrs.evolve(
            unit,
            status=after,
            agent_id=None if free else unit.agent_id,
            worker_id=None if free else unit.worker_id,
        )
        self.note("unit", unit.id, unit.status.value, after.value)

    def facts(self) -> StoreFacts:
        """What `read_facts` would give for a real store."""
        run = TaskRun(
            RUN, 1, 1, "launch", "model", "static", "mock", "mock", False, {}, b"", RunState.RUNNING,
            None, len(self.assignments), True, NOW, None,
        )  # fmt: skip
        units, agents = list(self.units.values()), list(self.agents.values())
        submissions, metadata = self.submissions, self.metadata
        return StoreFacts(run, self.assignments, units, agents, submissions, metadata, [], self.history)


class Model:
    """One life of the daemon over a store. `await trio.lowlevel.checkpoint()` is where a crash may fall."""

    def __init__(self, store: ModelStore) -> None:
        self.store = store
        self.dead = trio.Event()

    def crash(self) -> None:
        """Die: whoever waits for an answer loses the connection, and memory is gone."""
        self.dead.set()

    async def register(self, worker_id: WorkerId, link: str, after: str) -> Reply:
        """Give the link its live agent, or a new one."""
        mine = [agent for agent in self.store.agents.values() if agent.link == link]
        if mine and (mine[-1].status in LIVE_AGENT or mine[-1].after == after):
            return self._registered(mine[-1])
        unit = self.store.free_unit(worker_id)
        if unit is None:
            return Denied(Reason.NO_AVAILABLE_UNITS)
        return self._registered(self.store.add_agent(unit, worker_id, link, after))

    def _registered(self, agent: Agent) -> Reply:
        return Given(agent.wire_id, finished=agent.status not in LIVE_AGENT)

    async def submit(self, wire_id: str, data: bytes) -> Reply:
        """Store the answer once and complete agent and unit with it."""
        agent = self.find(wire_id)
        stored = [one.data for one in self.store.submissions if one.agent_id == agent.id]
        if stored:
            return Given() if stored == [data] else Denied(Reason.ALREADY_SUBMITTED)
        if agent.status not in LIVE_AGENT:
            return Denied(Reason.RETURNED)
        self.store.add_submission(agent, data)
        self.store.move_agent(agent, AgentStatus.COMPLETED)
        self.store.move_unit(self.store.units[agent.unit_id], UnitStatus.COMPLETED)
        return Given()

    async def say(self, wire_id: str, data: Any) -> Reply:
        """Store metadata."""
        self.store.add_metadata(self.find(wire_id), data)
        return Given()

    async def give_back(self, wire_id: str) -> Reply:
        """Free the agent's unit."""
        agent = self.find(wire_id)
        if agent.status in LIVE_AGENT:
            self.store.move_agent(agent, AgentStatus.RETURNED)
            self.store.move_unit(self.store.units[agent.unit_id], UnitStatus.LAUNCHED)
        done = self.store.agents[agent.id].status is AgentStatus.RETURNED
        return Given() if done else Denied(Reason.ALREADY_SUBMITTED)

    def find(self, wire_id: str) -> Agent:
        """The agent of a wire id; KeyError when there is none."""
        return next(agent for agent in self.store.agents.values() if agent.wire_id == wire_id)


class ModelHouse:
    """Where the model of the moment lives; after a crash the next one opens the same store."""

    def __init__(self, store: ModelStore, make: Callable[[ModelStore], Model] = Model) -> None:
        self.store = store
        self.history = History(clock=trio.current_time)
        self._make = make
        self.model = make(store)

    def restart(self) -> None:
        """Crash the model and start the next."""
        self.model.crash()
        self.model = self._make(self.store)

    async def register(self, client: str, worker: int, link: str, after: str = "") -> Reply | None:
        """A page of `client` asks for work; None when the answer was lost."""
        call = self.history.invoke(client, Operation.REGISTER, link=link, after=agent_key(after))
        return await self._ask(call, lambda model: model.register(WorkerId(worker), link, after))

    async def submit(self, client: str, wire_id: str, data: bytes) -> Reply | None:
        """A page hands in an answer."""
        digest = answer_digest(data)
        call = self.history.invoke(client, Operation.SUBMIT, agent=agent_key(wire_id), digest=digest)
        return await self._ask(call, lambda model: model.submit(wire_id, data))

    async def give_back(self, client: str, wire_id: str) -> Reply | None:
        """A page gives its unit back."""
        call = self.history.invoke(client, Operation.RETURN, agent=agent_key(wire_id))
        return await self._ask(call, lambda model: model.give_back(wire_id))

    async def _ask(self, call: str, ask: Callable[[Model], Any]) -> Reply | None:
        model, reply = self.model, None
        with trio.move_on_after(ANSWER_WITHIN_S):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_cancel_when, model.dead, nursery.cancel_scope)
                reply = await ask(model)
                nursery.cancel_scope.cancel()
        self._note(call, reply, LOST if model.dead.is_set() else TIMED_OUT)
        return reply

    def _note(self, call: str, reply: Reply | None, why: str) -> None:
        match reply:
            case None:
                self.history.unknown(call, why)
            case Given():
                self.history.ok(call, agent_key(reply.wire_id), reply.finished)
            case Denied():
                self.history.refused(call, reply.reason.value)


async def _cancel_when(event: trio.Event, scope: trio.CancelScope) -> None:
    await event.wait()
    scope.cancel()
