"""Carries agents through their lives: reads, lets `lifecycle` decide, saves, then does the rest."""

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime

import attrs
import trio

from ..protocol.names import LIVE_AGENT, AgentId, AgentStatus, Reason, RunId, RunState, WireId
from ..storage.contract import Plan, Storage
from ..storage.errors import Duplicate, StaleWrite
from ..storage.records import Agent, TaskRun, Unit
from ..storage.writes import AddSubmission, Write
from . import lifecycle
from .clock import Wall
from .lifecycle import AgentEvent, Command, IllegalEvent, MarkDone, Refill, Save, Submitted, Tell
from .log_ids import ids_of

log = logging.getLogger(__name__)

Seat = tuple[Agent, Unit]
"""An agent and the unit that it has, or had."""
Answered = Callable[[AgentId], AddSubmission]
"""What an agent handed in."""
ROUNDS_MAX = 8  # a fact that changes under us more often than this is a bug, not bad luck


@attrs.frozen
class Doors:
    """What the commands of a decision lead to; each is called after the decision was saved."""

    tell: Callable[[Agent, Reason | None], None]
    """Push the agent's status to its page."""
    mark_done: Callable[[Agent], Awaitable[None]]
    """Tell the provider; its failures are its caller's to handle."""
    refill: Callable[[], None]
    """Wake the launcher."""
    due_changed: Callable[[Agent], None]
    """The agent's deadline is another now."""


class TaskRunner:
    """Lets things happen to the agents of one run."""

    def __init__(self, run: TaskRun, storage: Storage, wall: Wall, doors: Doors) -> None:
        self._storage = storage
        self._wall = wall
        self._doors = doors
        self.run_state = run.state
        self.returns: Callable[[Agent], bool] = _always
        """Whether a unit that this agent gives up returns to the pool, in a run that goes on."""
        self.run_id = run.id

    async def happen(self, agent_id: AgentId, event: AgentEvent) -> Agent:
        """Let `event` happen to the agent; returns the agent after it.

        IllegalEvent when it cannot happen (any more). Cancelled: it happened as a whole, or not at all.
        """
        return await self.decide(agent_id, lambda agent, unit: [event])

    async def decide(
        self,
        agent_id: AgentId,
        choose: Callable[[Agent, Unit], Sequence[AgentEvent]],
        also: Sequence[Write] = (),
        known: Seat | None = None,
    ) -> Agent:
        """Let the events that `choose` names for the present state happen, with `also` in one transaction.

        `choose` is called again with newer facts when they changed meanwhile; no events: nothing happens.
        `known`: agent and unit as they were just read; what has changed since makes the transaction stale.
        """
        for _ in range(ROUNDS_MAX):
            (agent, unit), known = known or await self._seat(agent_id), None
            commands = _steps(agent, unit, choose(agent, unit), self._returns(agent))
            if not commands:
                return agent
            try:
                return (await self.carry_out([Save(also), *commands]))[agent_id]
            except StaleWrite:
                continue
        raise StaleWrite(f"agent {agent_id} kept changing")

    async def submit(self, wire_id: WireId, answer: Answered) -> Agent | None:
        """Store the answer of a live agent of this run, decided upon in the transaction that stores it.

        None: nothing happened; it is not so simple, `decide` finds out. Cancelled: as for `carry_out`.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        submission = _Submission(self.run_id, answer)
        agents = await self._planned(wire_id, submission.plan)
        if agents:
            await self._follow(submission.commands, agents)
        return next(iter(agents.values()), None)

    async def _planned(self, wire_id: WireId, plan: Plan) -> Mapping[AgentId, Agent]:
        """Commit what is planned; returns who moved, nobody where that was refused. Shielded as `_saved`."""
        with trio.CancelScope(shield=True):
            try:
                return await self._storage.commit_for(wire_id, plan, self._wall())
            except (StaleWrite, Duplicate):
                return {}
        raise AssertionError("a scope that nobody has is not cancelled")

    async def _seat(self, agent_id: AgentId) -> Seat:
        agent = await self._storage.agent(agent_id)
        return agent, await self._storage.unit(agent.unit_id)

    async def carry_out(self, commands: Sequence[Command]) -> Mapping[AgentId, Agent]:
        """Save everything in one transaction, then do what follows, in order, and tell the provider last.

        Returns the agents that moved or were told, as they are stored now. Cancelled: nothing happened;
        or all of it, but that the provider may not be told.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        writes = _writes(commands)
        told = [command.agent_id for command in commands if isinstance(command, Tell)]
        agents = await self._saved(writes, told)
        await self._follow(commands, agents)
        return agents

    async def _follow(self, commands: Sequence[Command], agents: Mapping[AgentId, Agent]) -> None:
        for command in commands:
            self._follow_up(command, agents)
        for command in commands:
            if isinstance(command, MarkDone):
                await self._doors.mark_done(agents[command.agent_id])

    async def _saved(self, writes: Sequence[Write], told: Iterable[AgentId]) -> Mapping[AgentId, Agent]:
        """Commit; returns who moved or is to be told. Shielded: what is stored is followed up.

        Else the code of a group, whose keeper is cancelled when its router goes away, might never learn that
        the group began.
        """
        with trio.CancelScope(shield=True):
            agents = dict(await self._storage.commit(writes, self._wall()))
            for agent_id in told:
                if agent_id not in agents:  # who did not move is told again
                    agents[agent_id] = await self._storage.agent(agent_id)
            return agents
        raise AssertionError("a scope that nobody has is not cancelled")

    def _follow_up(self, command: Command, agents: Mapping[AgentId, Agent]) -> None:
        match command:
            case Tell():
                agent = agents[command.agent_id]
                log.info("the agent is %s", agent.status.value, extra=ids_of(agent))
                self._doors.tell(agent, command.reason)
                self._doors.due_changed(agent)
            case Refill():
                self._doors.refill()
            case Save() | MarkDone():
                pass

    async def time_passed(self, agent_id: AgentId, now: datetime) -> None:
        """The agent's deadline came: end it, or free the unit that a shutdown had kept for it.

        It was given more time meanwhile: the rest is waited for.
        """
        agent = await self._storage.agent(agent_id)
        unit = await self._storage.unit(agent.unit_id)
        if agent.due_at is None:
            return
        if agent.due_at > now:
            self._doors.due_changed(agent)
            return
        try:
            if lifecycle.may_rejoin(agent, unit):
                await self.carry_out(lifecycle.release(agent, unit, self._returns(agent)))
            elif lifecycle.TimeOver in lifecycle.AGENT_NEXT[agent.status]:
                await self.happen(agent_id, lifecycle.TimeOver())
        except (StaleWrite, IllegalEvent) as exc:
            log.info("it had moved on when its time was over: %s", exc, extra={"agent": agent_id})

    def _returns(self, agent: Agent) -> bool:
        return self.run_state is RunState.RUNNING and self.returns(agent)

    async def rejoin(self, agent_id: AgentId, first: AgentStatus, due_at: datetime | None) -> Agent:
        """A worker whom a shutdown disconnected is back: the agent works on, under the same wire id."""
        begin = lifecycle.Waited() if first is AgentStatus.WAITING else lifecycle.Started()

        def back(agent: Agent, unit: Unit) -> list[AgentEvent]:
            return [lifecycle.Accepted(due_at), begin] if lifecycle.may_rejoin(agent, unit) else []

        return await self.decide(agent_id, back)


@attrs.define(eq=False)
class _Submission:
    """Decides about an answer in the transaction that stores it; what it decided last was stored."""

    run_id: RunId
    answer: Answered
    commands: Sequence[Command] = ()

    def plan(self, agent: Agent, unit: Unit) -> Sequence[Write]:
        """What is written for a live agent of the run; for anybody else nothing."""
        self.commands = ()
        if agent.run_id != self.run_id or agent.status not in LIVE_AGENT:
            return ()
        try:
            # Where the unit goes does not depend on whether units that are given up return.
            self.commands = lifecycle.step(agent, unit, Submitted(self.answer(agent.id)), run_goes_on=True)
        except IllegalEvent:
            return ()
        return _writes(self.commands)


def _writes(commands: Sequence[Command]) -> list[Write]:
    return [write for command in commands if isinstance(command, Save) for write in command.writes]


def _always(agent: Agent) -> bool:
    return True


def _steps(agent: Agent, unit: Unit, events: Sequence[AgentEvent], goes_on: bool) -> list[Command]:
    """Several events of one agent as one list of commands; only the last status is told."""
    commands: list[Command] = []
    for event in events:
        commands = [c for c in commands if not isinstance(c, Tell)]
        commands += lifecycle.step(agent, unit, event, goes_on)
        due = lifecycle.due_after(agent, event)
        agent = attrs.evolve(agent, status=lifecycle.next_status(agent.status, event), due_at=due)
    return commands
