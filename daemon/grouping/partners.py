"""Simulated partners: agents of provider `mock` whose page is a coroutine of the task's author.

Such a coroutine is a page like any other to the group's code. After a restart it is run from its beginning:
it is sent again all that it was sent, and what it says again is known by its count.
"""

import logging
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

import attrs
import trio

from ...protocol.documents import canonical_json, content_digest
from ...protocol.ids import RANDOM_BYTES, new_wire_id
from ...protocol.names import LIVE_AGENT, AgentId, AgentStatus, WireId
from ...protocol.packets import Alive, MephistoBoundLiveUpdate
from ...protocol.streams import Confirmed
from ...storage.contract import Registration, Reserved
from ...storage.records import Agent, LiveUpdate, TaskRun, Unit
from ...storage.writes import AddSubmission
from ..blueprints.contract import Blueprint
from ..hooks.views import AssignmentView, RunView, UnitView
from ..house import House
from ..lifecycle import IllegalEvent, Submitted, TaskFailed
from ..live.agent import checked, plain
from ..live.errors import NothingReceived
from ..live.stage import Stage
from ..log_ids import ids_of
from ..task_runner import TaskRunner
from ..user_code import UserCode, UserCodeFailed
from .seats import FREE, SIMULATED, is_simulated

log = logging.getLogger(__name__)

PROVIDER = "mock"


class PartnerPage:
    """What stands for the router: hands over what the partner is sent, and confirms it."""

    name = "simulated partner"

    def __init__(self, stage: Stage, wire_id: WireId) -> None:
        self._stage = stage
        self._wire_id = wire_id
        self._said = 0
        self._in, self.inbox = trio.open_memory_channel[dict[str, Any]](math.inf)

    def open(self, inherited: Sequence[LiveUpdate]) -> None:
        """The page is there, and knows only what those were sent who sat there before."""
        for update in inherited:
            self._in.send_nowait(plain(update.update))
        self._stage.attendance.is_in_house(self._wire_id)
        self._stage.take(self, Alive(self._wire_id, seen=0))

    def say(self, update: dict[str, Any]) -> None:
        """Send an update; the same count after a restart is the same update."""
        self._said += 1
        name = {"update_id": f"simulated.{self._said}"}
        self._stage.take(self, MephistoBoundLiveUpdate(self._wire_id, 1, self._said, update | name))

    def stream_send(self, wire_id: WireId, number: int, update: Mapping[str, Any]) -> None:
        """Take an update for the partner."""
        self._in.send_nowait(plain(update))
        self._stage.take(self, Confirmed(wire_id, number))

    def stream_stored(self, packet: MephistoBoundLiveUpdate) -> None:
        """Nothing is kept here."""

    def forget(self, wire_id: WireId) -> None:
        """Nothing is kept here."""

    def forget_sent(self, wire_id: WireId) -> None:
        """Nothing is kept here."""


class SimulatedPartner:
    """What `simulated_partner(partner)` in task.py is given: a member of a group that no person is.

    What the function returns is submitted as its answer.
    """

    def __init__(self, page: PartnerPage, agent_id: AgentId, unit: UnitView) -> None:
        self._page = page
        self.number = agent_id
        """As `crowdctl agents` shows it."""
        self.unit = unit
        """What it works on."""

    async def receive(self, timeout_s: float | None = None) -> dict[str, Any]:
        """The next update that the group's code sends it. NothingReceived after `timeout_s`."""
        with trio.move_on_after(math.inf if timeout_s is None else timeout_s):
            return await self._page.inbox.receive()
        raise NothingReceived(f"nothing came for simulated partner {self.number} in time")

    def updates(self) -> AsyncIterator[dict[str, Any]]:
        """All of them, one by one; once its part is over, the function is cancelled."""
        return PartnerUpdates(self)

    async def send(self, data: Mapping[str, Any]) -> None:
        """Send an update to the group's code. ValueError as `LiveAgent.send`."""
        self._page.say(checked(data))
        await trio.lowlevel.checkpoint()


class PartnerUpdates(AsyncIterator[dict[str, Any]]):
    """A partner's updates, one after the other. No generator: code that leaves it has nothing to close."""

    def __init__(self, partner: SimulatedPartner) -> None:
        self._partner = partner

    async def __anext__(self) -> dict[str, Any]:
        return await self._partner.receive()


@attrs.frozen
class PartnerTools:
    """What partners are made and played with."""

    run: TaskRun
    view: RunView
    house: House
    runner: TaskRunner
    stage: Stage
    blueprint: Blueprint
    user_code: UserCode
    due_changed: Callable[[Agent], None]
    """An agent was made."""
    failed: Callable[[str, BaseException, AgentId | None], Awaitable[None]]


class Partners:
    """One per run whose task has a simulated partner."""

    def __init__(self, tools: PartnerTools) -> None:
        self._t = tools
        self._scopes: dict[AgentId, trio.CancelScope] = {}
        self._in, self._out = trio.open_memory_channel[tuple[Agent, trio.CancelScope]](math.inf)
        self._broken = False

    @property
    def can_be_had(self) -> bool:
        """Whether the task has any, and they have not failed."""
        return self._t.blueprint.play_partner() is not None and not self._broken

    async def fill(self, units: Sequence[Unit]) -> None:
        """Put one into each of these seats that is still free."""
        for unit in units:
            name = f"simulated partner {unit.unit_index + 1}"
            worker = await self._t.house.storage.register_worker(PROVIDER, name, {}, self._t.house.wall())
            wire_id = new_wire_id(self._t.run.key, self._t.house.rng.randbytes(RANDOM_BYTES))
            reserved = await self._t.house.storage.reserve(
                Registration(
                    self._t.run.id,
                    worker.id,
                    wire_id,
                    link=f"simulated {wire_id}",
                    after="",
                    path=(AgentStatus.ACCEPTED, AgentStatus.WAITING),
                    due_at=None,
                    provider_data={SIMULATED: True},
                    candidates=[unit.id],
                ),
                self._t.house.wall(),
            )
            if not isinstance(reserved, Reserved):
                log.warning("no simulated partner for unit %d: %s", unit.id, reserved.reason)
                self._broken |= reserved.reason == "candidates_gone" and await self._is_free(unit)
                continue
            log.info("a simulated partner takes a seat", extra=ids_of(reserved.agent))
            self._t.due_changed(reserved.agent)

    async def _is_free(self, unit: Unit) -> bool:
        """Whether somebody can still take it: else a worker was quicker, and nothing is wrong."""
        return (await self._t.house.storage.unit(unit.id)).status in FREE

    def changed(self, agent: Agent) -> None:
        """Another status of an agent was stored."""
        if not is_simulated(agent):
            return
        if agent.status is AgentStatus.IN_TASK and agent.id not in self._scopes:
            begins = self._scopes[agent.id] = trio.CancelScope()
            self._in.send_nowait((agent, begins))
        elif agent.status not in LIVE_AGENT and agent.status is not AgentStatus.PARTNER_DISCONNECT:
            scope = self._scopes.pop(agent.id, None)
            if scope is not None:
                scope.cancel(reason="its part is over")

    async def serve(self) -> None:
        """Play them, until cancelled."""
        async with trio.open_nursery() as nursery:
            async for agent, scope in self._out:
                nursery.start_soon(self._play, agent, scope)

    async def _play(self, agent: Agent, scope: trio.CancelScope) -> None:
        play = self._t.blueprint.play_partner()
        assert play is not None
        with scope:
            partner = await self._partner(agent)
            try:
                data = await self._t.user_code.run_async(play, partner, limit_s=math.inf)
                document = canonical_json(data)
            except (UserCodeFailed, TypeError, ValueError) as exc:
                await self._t.failed("playing a simulated partner", exc, agent.id)
                await self._happen(agent, TaskFailed())
                return
            answer = AddSubmission(agent.id, document, [], content_digest(data, []))
            await self._happen(agent, Submitted(answer))

    async def _partner(self, agent: Agent) -> SimulatedPartner:
        storage = self._t.house.storage
        unit, assignment = await storage.unit(agent.unit_id), await storage.assignment(agent.assignment_id)
        page = PartnerPage(self._t.stage, agent.wire_id)
        page.open((await self._t.stage.past(agent.id)).inherited)
        return SimulatedPartner(page, agent.id, UnitView(AssignmentView(self._t.view, assignment), unit))

    async def _happen(self, agent: Agent, event: Submitted | TaskFailed) -> None:
        try:
            await self._t.runner.happen(agent.id, event)
        except IllegalEvent as exc:
            log.info("it had moved on: %s", exc, extra=ids_of(agent))
