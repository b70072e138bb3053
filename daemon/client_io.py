"""Packets in and out of one run: which handler a packet goes to, and who hears what. Knows no transport."""

import logging
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any, Protocol

import attrs
import trio

from ..protocol.limits import REQUESTS_OPEN_MAX, RETRY_AFTER_S
from ..protocol.link import Heard, Said
from ..protocol.names import ONBOARDING_PREFIX, SENTENCES, Outcome, Reason, WireId
from ..protocol.packets import (
    AgentDetails,
    Answer,
    LogError,
    MephistoBoundLiveUpdate,
    Packet,
    RegisterAgent,
    Reply,
    Request,
    ReturnStatuses,
    ReturnUnit,
    SubmitMetadata,
    SubmitOnboarding,
    SubmitUnit,
    UpdateStatus,
)
from ..storage.contract import Storage
from ..storage.errors import LeaseLost, NotFound, StorageFailed, StorageFull
from ..storage.records import Agent, OnboardingAgent, TaskRun
from ..supervision.tasks import NoThread
from .channel import LinkLost, LinkRefused
from .clock import Wall
from .lifecycle.onboarding import shown_status
from .lifecycle.sync import PRESENT
from .live.doors import LiveDoor
from .live.line import LiveLink, LivePacket
from .metrics.families import RunMetrics, response_of, timed
from .router_outbox import RouterOutbox
from .status_sync import Life, StatusSync, SyncDoors

log = logging.getLogger(__name__)

HANDLED_AT_ONCE_MAX = 512  # beyond, packets wait in the inbox, which is bounded and says "try later"
COUNTERS_MAX = 200  # of one router; ours has some forty
COUNT_MAX = 2**53  # exact wherever it is shown
_COUNTER = re.compile(r"[a-z0-9_]{1,64}")
ERROR_REPORTS_MAX = 10_000  # of one run; a broken page must not fill the disk


class Link(LiveLink, Protocol):
    """The way back to one router."""

    outbox: RouterOutbox

    def send(self, packet: Said) -> None:
        """Queue a packet: for the next frame or, where its class says so, the next connection."""
        ...


@attrs.frozen
class Handlers:
    """Who answers which request."""

    register: Callable[[RegisterAgent], Awaitable[AgentDetails]]
    submit_onboarding: Callable[[SubmitOnboarding], Awaitable[AgentDetails]]
    submit_unit: Callable[[SubmitUnit, Link], Awaitable[Answer]]
    submit_metadata: Callable[[SubmitMetadata, Link], Awaitable[Answer]]
    return_unit: Callable[[ReturnUnit], Awaitable[Answer]]
    failed: Callable[[str, Exception], Awaitable[None]]
    """Hears what was being done when a plug-in, or we, broke at a request."""
    gone: Callable[[Agent], Awaitable[None]] | None = None
    """Hears whose page was closed for good; None: in this run nobody loses a unit by that."""


class ClientIO:
    """One per run. The links' readers hand packets in and never wait; answers go to the link they came by."""

    def __init__(
        self, run: TaskRun, storage: Storage, wall: Wall, handlers: Handlers, metrics: RunMetrics
    ) -> None:
        self._run = run
        self._metrics = metrics
        self._storage = storage
        self._wall = wall
        self._handlers = handlers
        self._inbox_in, self._inbox = trio.open_memory_channel[tuple[Link, Packet, float]](REQUESTS_OPEN_MAX)
        self._texts: dict[str, str] = dict(run.config.get("texts", {}))
        self._open: dict[int, tuple[Link, Request]] = {}
        self._store_lost = False
        self._live: LiveDoor | None = None
        self._sync = StatusSync(run.id, SyncDoors(self._agents, handlers.gone))
        self.links: list[Link] = []
        self.counters: Counter[str] = Counter()
        """What was handled, refused and failed since the run was taken up, by name."""
        self.router_counters: dict[str, dict[str, int]] = {}
        """The same of each router, as it told last."""

    def carry_live(self, live: LiveDoor) -> None:
        """Packets of live work go there, in the order in which they came."""
        self._live = live

    def check(self, link: Link) -> None:
        """Asked before a frame of a link is read. RemoteProtocolError: it sends far more than routers do."""
        if self._live is not None:
            self._live.check(link)

    def hand_in(self, link: Link, packet: Heard) -> None:
        """Take a packet from a link's reader; a request that finds the inbox full is told to try later."""
        if isinstance(packet, LivePacket):
            self._hand_live(link, packet)
            return
        if not self._put(link, packet) and isinstance(packet, Request):
            link.send(try_later(packet))

    def _put(self, link: Link, packet: Packet) -> bool:
        if self._store_lost:
            return False
        try:
            self._inbox_in.send_nowait((link, packet, trio.current_time()))
        except trio.WouldBlock:
            return False
        return True

    def tell_all_later(self) -> None:
        """The store is lost: every request, open or to come, is answered "try later", and nothing else."""
        self._store_lost = True
        for link, packet in self._open.values():
            link.send(try_later(packet))
        self._open.clear()
        with suppress(trio.WouldBlock):
            while True:
                link, waiting, _ = self._inbox.receive_nowait()
                if isinstance(waiting, Request):
                    link.send(try_later(waiting))

    def _hand_live(self, link: Link, packet: LivePacket) -> None:
        if self._live is not None:
            self._live.take(link, packet)
        elif isinstance(packet, MephistoBoundLiveUpdate):
            self.counters["unexpected"] += 1
            link.stream_stored(packet)  # a page that sends some to a static task need not repeat them

    async def serve(self) -> None:
        """Handle packets until cancelled, each in a task of its own, so many at a time.

        A request outlives the connection it came by: what was begun is carried through. Cancelled: each
        transaction is whole or has not begun; who was not answered asks again.
        """
        places = trio.Semaphore(HANDLED_AT_ONCE_MAX)
        async with trio.open_nursery() as nursery:
            while True:
                came = await self._inbox.receive()
                with suppress(trio.WouldBlock):
                    while True:  # all that came together, in one turn of the loop
                        await _take(places)
                        nursery.start_soon(self._time, *came, places)
                        came = self._inbox.receive_nowait()

    async def _time(self, link: Link, packet: Packet, came_at: float, places: trio.Semaphore) -> None:
        kind = packet.type.value
        try:
            with timed(self._metrics.handling[kind]):
                await self._handle(link, packet)
        finally:
            places.release()
        self._metrics.answering[kind].observe(trio.current_time() - came_at)

    async def _handle(self, link: Link, packet: Packet) -> None:
        match packet:
            case RegisterAgent() | SubmitOnboarding() | SubmitUnit() | SubmitMetadata() | ReturnUnit():
                await self._answer_once(packet, link)
            case LogError():
                await self._note_error(packet)
            case ReturnStatuses():
                await self._note_presence(link, packet)
            case _:
                self.counters["unexpected"] += 1

    async def _answer_once(self, packet: Request, link: Link) -> None:
        self._open[id(packet)] = (link, packet)
        reply = await self._answer(packet, link)
        if self._open.pop(id(packet), None) is not None:
            link.send(reply)
        if isinstance(packet, SubmitUnit) and reply.outcome is not Outcome.TRY_LATER:
            link.outbox.delivered(packet.subject)

    async def _answer(self, packet: Request, link: Link) -> Reply:
        self.counters[packet.type.value] += 1
        try:
            reply = await self._dispatch(packet, link)
        except (LeaseLost, StorageFailed):
            raise
        except (LinkLost, LinkRefused, NoThread) as lost:  # of files; who is told to come again does
            log.info("%s is to come again: %s", packet.type.value, lost, extra={"run": self._run.id})
            return try_later(packet)
        except Exception as exc:
            # One request's trouble is not its neighbours': it is told to try later, the operator sees why.
            log.exception("%s failed", packet.type.value, extra={"run": self._run.id})
            self.counters["failures"] += 1
            await self._handlers.failed(f"answering {packet.type.value}", exc)
            return try_later(packet)
        said = "done" if reply.reason is None else reply.reason.value
        log.debug("%s: %s", packet.type.value, said, extra={"run": self._run.id})
        if reply.reason is not None:
            self.counters[f"refused_{reply.reason.value}"] += 1
            if isinstance(reply, AgentDetails):
                self._metrics.responses[response_of(reply.reason)].inc()
        return reply

    async def _dispatch(self, packet: Request, link: Link) -> Reply:
        match packet:
            case RegisterAgent():
                return await self._handlers.register(packet)
            case SubmitOnboarding():
                return await self._handlers.submit_onboarding(packet)
            case SubmitUnit():
                return await self._handlers.submit_unit(packet, link)
            case SubmitMetadata():
                return await self._handlers.submit_metadata(packet, link)
            case ReturnUnit():
                return await self._handlers.return_unit(packet)

    async def _note_error(self, packet: LogError) -> None:
        self.counters["errors_reported"] += 1
        if self.counters["errors_reported"] > ERROR_REPORTS_MAX:
            return
        agent = await self._agent(packet.subject)
        if agent is None and packet.subject:
            return
        source = "router" if agent is None else "page"
        agent_id = agent.id if isinstance(agent, Agent) else None
        try:
            await self._storage.add_error(self._run.id, agent_id, source, packet.error, self._wall())
        except StorageFull:
            self.counters["errors_dropped"] += 1

    async def _note_presence(self, link: Link, packet: ReturnStatuses) -> None:
        """Correct what the router shows otherwise: it may have changed while the link was lost."""
        self.router_counters[link.name] = _believable(packet.counters)
        if not packet.partial:
            link.outbox.reported(packet.outbox)
        if self._live is not None:
            self._live.hear_presence(packet.presence, PRESENT)
        for agent in await self._sync.hear(link.name, packet):
            link.send(self._update(agent, None))

    async def _agent(self, wire_id: WireId) -> Life | None:
        """The agent of this run whom a router means."""
        try:
            agent: Life
            if wire_id.startswith(ONBOARDING_PREFIX):
                agent = await self._storage.onboarding_by_wire_id(wire_id)
            else:
                agent = await self._storage.agent_by_wire_id(wire_id)
        except NotFound:
            return None
        return agent if agent.run_id == self._run.id else None

    async def _agents(self, wire_ids: Collection[WireId]) -> list[Life]:
        """The agents of this run whom a router means."""
        onboarded = [name for name in wire_ids if name.startswith(ONBOARDING_PREFIX)]
        lives: list[Life] = [life for name in onboarded if (life := await self._agent(name))]
        others = [name for name in wire_ids if not name.startswith(ONBOARDING_PREFIX)]
        found = await self._storage.agents_among(others) if others else []
        return lives + [agent for agent in found if agent.run_id == self._run.id]

    @property
    def inbox_length(self) -> int:
        """How many packets wait for their handler."""
        return self._inbox.statistics().current_buffer_used

    def totals(self) -> dict[str, int]:
        """All counters, those of routers with `router_` before their names."""
        totals = Counter(self.counters)
        for counters in self.router_counters.values():
            totals.update({f"router_{name}": count for name, count in counters.items()})
        return dict(sorted(totals.items()))

    def tell(self, agent: Life, reason: Reason | None) -> None:
        """Push an agent's status to every router: which one its page uses now, the routers know."""
        for link in self.links:
            link.send(self._update(agent, reason))

    def _update(self, agent: Life, reason: Reason | None) -> UpdateStatus:
        text = None if reason is None else self._texts.get(reason.value, SENTENCES[reason])
        status = shown_status(agent) if isinstance(agent, OnboardingAgent) else agent.status
        return UpdateStatus(agent.wire_id, agent.version, status, reason, text)


async def _take(places: trio.Semaphore) -> None:
    """A place, at once if there is one."""
    try:
        places.acquire_nowait()
    except trio.WouldBlock:
        await places.acquire()


def _believable(counters: Mapping[str, int]) -> dict[str, int]:
    """What a router says that it counted, as far as ours count: it may have been taken over."""
    named = ((name, count) for name, count in counters.items() if _COUNTER.fullmatch(name))
    return {name: min(max(count, 0), COUNT_MAX) for name, count in islice(named, COUNTERS_MAX)}


def try_later(packet: Request) -> Reply:
    """ "Not now": the answer that is always true when nothing was decided."""
    common: dict[str, Any] = {
        "request": packet.request,
        "outcome": Outcome.TRY_LATER,
        "reason": Reason.TRY_LATER,
        "retry_after_s": float(RETRY_AFTER_S),
    }
    if isinstance(packet, RegisterAgent | SubmitOnboarding):
        return AgentDetails(failure_reason=SENTENCES[Reason.TRY_LATER], **common)
    return Answer(text=SENTENCES[Reason.TRY_LATER], **common)
