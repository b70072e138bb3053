"""Keeps the link to one router: connects, proves, pumps frames, reconnects. Knows no packet's meaning."""

import logging
import random
from collections.abc import Mapping
from contextlib import aclosing
from datetime import datetime
from pathlib import Path
from typing import Any

import attrs
import trio

from ..protocol.errors import LinkFull, LinkRefusal, RemoteProtocolError, Unsendable
from ..protocol.handshake import Handshake, Peer
from ..protocol.limits import HEARTBEAT_S, HELLO_S, LINK_SILENT_S
from ..protocol.link import LinkEnd, Role, Said
from ..protocol.names import WireId
from ..protocol.packets import MephistoBoundLiveUpdate, RequestStatuses, Suspend
from ..protocol.proof import NONCE_BYTES
from ..protocol.uploads import UploadRule
from ..storage.contract import Storage
from ..storage.records import TaskRun
from .causes import causes
from .channel import Channel, LinkLost, LinkRefused, Wire
from .client_io import ClientIO
from .clock import Wall
from .degraded import Degraded, Lack
from .last_words import last_words
from .link_writer import LinkWriter
from .parts import Page
from .router_outbox import RouterOutbox

log = logging.getLogger(__name__)

BACKOFF_S = (0.1, 5.0)  # first and longest pause between two tries
HEALTHY_S = 10.0  # a link that held so long starts again with the shortest pause


@attrs.frozen
class LinkDuties:
    """What every link of a run needs."""

    run: TaskRun
    page: Page
    storage: Storage
    io: ClientIO
    wall: Wall
    rng: random.Random
    degraded: Degraded
    uploads: UploadRule | None


@attrs.frozen
class RouterState:
    """How a router is: for status, watchers and metrics."""

    name: str
    url: str
    up: bool
    since: datetime
    addition: str
    outbox: Mapping[str, int] = attrs.Factory(dict[str, int])
    """What it keeps for the daemon: see `RouterOutbox.measure`."""


class RouterLink:
    """One per router of a run, alive as long as the run is held; connections come and go within it."""

    def __init__(self, channel: Channel, duties: LinkDuties) -> None:
        self.channel = channel
        self.name = channel.name
        self.outbox = RouterOutbox(duties.degraded, f"{duties.run.label}: {channel.name}", duties.run.id)
        self._duties = duties
        self._end = LinkEnd(Role.DAEMON, duties.storage.epoch)
        self._ids = {"run": duties.run.id, "router": channel.name}
        self._writer = LinkWriter(self._end)
        self._up = False
        self._turned = trio.Event()
        self._since = duties.wall()
        self._addition = "not connected yet"
        self._deployed = False
        self._told_ends = False

    @property
    def state(self) -> RouterState:
        """How it is now."""
        return RouterState(
            self.name, self.channel.url, self._up, self._since, self._addition, self.outbox.measure
        )

    async def until(self, up: bool) -> None:
        """Return once the router is reached, or is not any more."""
        while self._up is not up:
            await self._turned.wait()

    @property
    def queue_length(self) -> int:
        """How many packets wait to be sent."""
        return self._end.queue_length

    @property
    def strange(self) -> Mapping[str, int]:
        """What was strange in what came, by name."""
        return self._end.counters

    def send(self, packet: Said) -> None:
        """Queue a packet for the next frame; a router that reads too slowly loses its connection."""
        try:
            self._end.send(packet)
        except Unsendable as exc:
            log.error("a %s packet cannot cross: %s", packet.type.value, exc, extra=self._ids)
        except LinkFull:
            self._writer.is_too_slow()
        self._writer.said()

    def stream_send(self, wire_id: WireId, number: int, update: Mapping[str, Any]) -> None:
        """Send a live update; it comes back as `Confirmed` once a page has it. LinkFull, Unsendable."""
        self._end.stream_send(wire_id, dict(update), number, number=number)
        self._writer.said()

    def stream_stored(self, packet: MephistoBoundLiveUpdate) -> None:
        """Confirm a live update of a page, and all of its agent before it: they are stored."""
        self._end.stream_stored(packet)
        self._writer.said()

    def forget(self, wire_id: WireId) -> None:
        """The agent has ended: drop its streams."""
        self._end.forget(wire_id)

    def forget_sent(self, wire_id: WireId) -> None:
        """The agent's page is at another router: drop what was to be sent by this one."""
        self._end.forget_sent(wire_id)

    def gather(self) -> None:
        """What is said from now on goes when `flush` is called, in this turn of the loop."""
        self._writer.gather()

    def flush(self) -> None:
        """All that waits goes now, as far as the router takes it at once; the rest soon."""
        self._writer.flush()

    def suspend(self, for_s: float, stopping: bool) -> None:
        """Ask the router to keep pages calm for so long: the daemon goes away on purpose."""
        self.send(Suspend(for_s, stopping))

    async def drained(self) -> None:
        """Return once nothing waits to be sent, or at once when the router is away."""
        while self._up and not self._writer.is_idle:
            await self._writer.next_idle()

    async def fetch_file(self, sha256: str, into: Path) -> None:
        """Bring an uploaded file here. LinkLost, LinkRefused."""
        await self.channel.fetch_file(self._duties.run.label, sha256, into)

    async def undeploy(self, discard: bool) -> bool:
        """Take the run off the router; False: it is away, or keeps answers that are not to be discarded."""
        try:
            await self.channel.undeploy(self._duties.run.label, discard)
        except (LinkLost, LinkRefused) as exc:
            log.warning("the router could not be cleared of the run: %s", exc, extra=self._ids)
            return False
        return True

    async def serve(self) -> None:
        """Keep the link up until cancelled; pauses between tries grow, with jitter."""
        pause_s = BACKOFF_S[0]
        while True:
            began = trio.current_time()
            trouble = await self._try_once()
            self._note(False, trouble)
            if trio.current_time() - began > HEALTHY_S:
                pause_s = BACKOFF_S[0]
            await trio.sleep(pause_s * self._duties.rng.uniform(0.5, 1.0))
            pause_s = min(pause_s * 2, BACKOFF_S[1])

    async def _try_once(self) -> str:
        """Hold one connection until it is lost; returns why it was."""
        trouble = ""
        try:
            await self._connect()
        except* (LinkLost, LinkRefused, LinkRefusal, RemoteProtocolError) as lost:
            trouble = "; ".join(dict.fromkeys(str(cause) for cause in causes(lost)))
            self._deployed &= not lost.subgroup((LinkRefused, LinkRefusal))
        finally:
            if self._up:
                self._end.connection_lost()
            self._writer.connection_lost()
        return trouble

    async def _connect(self) -> None:
        if not self._deployed:
            page = self._duties.page
            await self.channel.put_bundle(self._duties.run.label, page.sha256, page.bundle)
            self._deployed = True
        async with self.channel.connect() as wire:
            await self._pump(wire, await self._shake_hands(wire))

    async def _shake_hands(self, wire: Wire) -> Peer:
        """Prove ourselves to the router and it to us. LinkRefusal, LinkLost."""
        duties = self._duties
        reserved = await duties.storage.reserved_agents(duties.run.id)
        onboarding = await duties.storage.live_onboarding_agents(duties.run.id)
        shake = Handshake(
            Role.DAEMON,
            self.channel.secrets,
            duties.run.label,
            duties.rng.randbytes(NONCE_BYTES),
            duties.storage.epoch,
            key=duties.run.key,
            statuses={
                **{agent.wire_id: agent.status.value for agent in reserved},
                **{agent.wire_id: agent.status.value for agent in onboarding},
            },
            uploads=duties.uploads,
        )
        try:
            with trio.fail_after(HELLO_S):
                return await _exchange(shake, wire)
        except trio.TooSlowError:
            raise LinkLost(f"no handshake within {HELLO_S:g} s") from None

    async def _pump(self, wire: Wire, peer: Peer) -> None:
        self._end.connection_made(trio.current_time(), peer.epoch)
        self._note(True, "")
        self.outbox.announced(peer.outbox)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._read, wire)
            nursery.start_soon(self._writer.serve, wire)
            nursery.start_soon(self._beat)
            nursery.start_soon(self._tell_ends)

    async def _read(self, wire: Wire) -> None:
        while True:
            frame = await wire.receive()
            self._duties.io.check(self)  # before anything in it counts as received: then it comes again
            for packet in self._end.receive(frame, trio.current_time()):
                self._duties.io.hand_in(self, packet)
            if self._end.queue_length:  # mostly nothing: what is said to it is said later
                self._writer.wake()

    async def _beat(self) -> None:
        while True:
            if self._end.silent_for(trio.current_time()) > LINK_SILENT_S:
                raise LinkLost(f"silent for {LINK_SILENT_S:g} s")
            self.send(RequestStatuses())
            await trio.sleep(HEARTBEAT_S)

    async def _tell_ends(self) -> None:
        """Tell of agents that ended in earlier lives of this daemon, once: the link repeats it by itself."""
        if self._told_ends:
            return
        async with aclosing(last_words(self._duties.run, self._duties.storage)) as words:
            async for some in words:
                for word in some:
                    self.send(word)
        self._told_ends = True

    def _note(self, up: bool, addition: str) -> None:
        turned = up != self._up
        self._note_degraded(up, addition)
        if turned:
            self._since = self._duties.wall()
        if (up, addition) != (self._up, self._addition):
            words = f": {addition}" if addition else ""
            log.info("router %s is %s%s", self.name, "up" if up else "away", words, extra=self._ids)
        self._up, self._addition = up, addition
        if turned:
            self._turned.set()
            self._turned = trio.Event()

    def _note_degraded(self, up: bool, addition: str) -> None:
        about = f"{self._duties.run.label}: {self.name}"
        if up:
            self._duties.degraded.end(Lack.ROUTER_AWAY, about, quiet=True)
        else:
            words = f"the router is away ({addition or 'the link was closed'}); it keeps what is submitted"
            self._duties.degraded.begin(Lack.ROUTER_AWAY, words, about, self._duties.run.id, quiet=True)


async def _exchange(shake: Handshake, wire: Wire) -> Peer:
    frames = shake.start()
    try:
        while shake.peer is None:
            for frame in frames:
                await wire.send(frame)
            frames = shake.receive(await wire.receive())
    except LinkRefusal as refusal:
        for frame in refusal.frames:
            await wire.send(frame)
        raise
    return shake.peer
