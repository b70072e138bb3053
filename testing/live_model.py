"""Router and daemon of live work in small, right by inspection: what tests of the checker break on purpose.

Whatever one page says is stored and passed on to the others. It knows no time and no restarts; its
connections break.
"""

import math
import random
from collections import deque
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import attrs
import trio

from ..protocol.names import AgentId, WorkerId
from ..storage.records import Agent, LiveUpdate
from .doors import SocketLost
from .facts import StoreFacts
from .model import NOW, ModelStore
from .verdicts import UNREACHABLE, Answered

DELAY_S = 0.05  # one way


class LiveModel:
    """All pages are those of one group. `facts` is what its store holds."""

    def __init__(self, pages: int) -> None:
        self.store = ModelStore(assignments=1, units_per_assignment=pages)
        self.updates: list[LiveUpdate] = []
        self.sockets: dict[AgentId, _Wire] = {}
        for number, unit in enumerate(list(self.store.units.values())):
            self.store.add_agent(unit, WorkerId(number), f"link-{number}", "")

    @property
    def agents(self) -> list[Agent]:
        """The agents of the group."""
        return list(self.store.agents.values())

    def facts(self) -> StoreFacts:
        """What `read_facts` would give for a real store."""
        return attrs.evolve(self.store.facts(), updates=list(self.updates))

    def of(self, agent: AgentId, outgoing: bool) -> list[LiveUpdate]:
        """The updates of one agent and direction."""
        return [one for one in self.updates if (one.agent_id, one.outgoing) == (agent, outgoing)]

    def hear(self, agent: AgentId, packet: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """What a page says; yields what it is told."""
        data = packet.get("data", {})
        match packet["packet_type"]:
            case "alive":
                for update in self.of(agent, outgoing=True)[data.get("seen", 0) :]:
                    yield self.packet(update)
            case "mephisto_bound_live_update":
                page, number = packet.get("page", ""), packet.get("number", 0)
                if number == self.last(agent, page) + 1 or not page:
                    self.take(agent, page, number, data)
                if page:
                    yield self.told("ack", {"page": page, "number": self.last(agent, page)})
            case "heartbeat":
                yield self.told("heartbeat", {"last_mephisto_ping": 1000 * trio.current_time()})
            case _:
                pass

    def last(self, agent: AgentId, page: str) -> int:
        """How far a page's stream is stored."""
        return max((one.page_number for one in self.of(agent, False) if one.page == page), default=0)

    def take(self, agent: AgentId, page: str, number: int, data: Mapping[str, Any]) -> None:
        """Store an update and pass it on."""
        if data["update_id"] in {one.update_id for one in self.of(agent, outgoing=False)}:
            return
        self.add(agent, False, data["update_id"], page, number, _without_id(data))
        for other in self.agents:
            if other.id != agent:
                self.send(other.id, {"from": int(agent), **_without_id(data)})

    def send(self, agent: AgentId, data: Mapping[str, Any]) -> None:
        """Store an update for a page and tell it, if it is there."""
        number = len(self.of(agent, outgoing=True)) + 1
        update = self.add(agent, True, f"{agent}.{number}", "", 0, data)
        if (wire := self.sockets.get(agent)) is not None:
            wire.tell(self.packet(update))

    def add(
        self,
        agent: AgentId,
        outgoing: bool,
        update_id: str,
        page: str,
        page_number: int,
        data: Mapping[str, Any],
    ) -> LiveUpdate:
        """Append to the store."""
        number = len(self.of(agent, outgoing)) + 1
        update = LiveUpdate(False, agent, outgoing, number, update_id, page, page_number, dict(data), NOW)
        self.updates.append(update)
        return update

    def packet(self, update: LiveUpdate) -> dict[str, Any]:
        """An update on its way to a page."""
        data = {**update.update, "update_id": update.update_id}
        return {**self.told("client_bound_live_update", data), "number": update.number}

    def told(self, kind: str, data: Mapping[str, Any]) -> dict[str, Any]:
        """A packet for a page."""
        return {"packet_type": kind, "subject_id": "", "data": data}

    def past(self, agent: AgentId) -> dict[str, Any]:
        """What the answer to a registration says."""
        updates = self.of(agent, outgoing=True)
        past = [self.packet(update)["data"] for update in updates]
        return {"seen": len(updates), "init_task_data": {"past_live_updates": past}}


class ModelDoors:
    """The way of one page to the model: sockets only, of a random life. Carries in order until it breaks."""

    def __init__(self, model: LiveModel, agent: Agent, rng: random.Random, socket_s: float) -> None:
        self._model = model
        self._agent = agent
        self._rng = rng
        self.socket_s = socket_s
        self.link = agent.link

    def registration(self, after: str) -> dict[str, Any]:
        """Nobody registers here."""
        return {"after": after}

    async def post(
        self, path: str, body: Mapping[str, Any], within_s: float, files: Sequence[bytes] = ()
    ) -> Answered:
        """Nobody is asked here."""
        return UNREACHABLE

    @asynccontextmanager
    async def socket(self) -> AsyncGenerator["_Wire"]:
        """A connection; the agent's newest is the one that is told."""
        life_s = math.inf if math.isinf(self.socket_s) else self._rng.expovariate(1 / self.socket_s)
        wire = _Wire(self._model, self._agent.id, trio.current_time() + life_s)
        self._model.sockets[self._agent.id] = wire
        try:
            yield wire
        finally:
            wire.ends_at = -math.inf
            if self._model.sockets.get(self._agent.id) is wire:
                del self._model.sockets[self._agent.id]


@attrs.define(eq=False)
class _Wire:
    """One connection. What is said arrives at once, what is told after a moment: if it is still there."""

    _model: LiveModel
    _agent: AgentId
    ends_at: float
    _is_known: bool = False
    _under_way: deque[tuple[float, Mapping[str, Any]]] = attrs.Factory(deque[tuple[float, Mapping[str, Any]]])
    _news: trio.Event = attrs.Factory(trio.Event)

    def tell(self, packet: Mapping[str, Any]) -> None:
        """Towards the page."""
        self._under_way.append((trio.current_time() + DELAY_S, packet))
        self._news.set()

    async def send(self, packet: Mapping[str, Any]) -> None:
        """SocketLost; what is said to a connection that just broke is lost without a word."""
        await trio.lowlevel.checkpoint()
        if trio.current_time() > self.ends_at + DELAY_S:
            raise SocketLost("while sending")
        if trio.current_time() <= self.ends_at:
            self._hear(packet)

    def _hear(self, packet: Mapping[str, Any]) -> None:
        if not self._is_known and packet["packet_type"] != "alive":  # unchanged pages may say it last
            self._hear({"packet_type": "alive"})
        self._is_known = True
        for told in self._model.hear(self._agent, packet):
            self.tell(told)

    async def receive(self) -> Mapping[str, Any]:
        """SocketLost."""
        with trio.move_on_at(self.ends_at + DELAY_S):
            while not self._under_way:
                self._news = trio.Event()
                await self._news.wait()
            await trio.sleep_until(self._under_way[0][0])
            at, packet = self._under_way.popleft()
            if at <= self.ends_at:
                return packet
        raise SocketLost("while receiving")


def _without_id(data: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key != "update_id"}
