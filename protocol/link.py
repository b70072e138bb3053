"""One end of the router link, after the handshake: what to send again, what to drop, what to pass on. Pure.

Its owner carries frames: it gives every received frame to `receive`, sends every frame of `take_frame`, and
says when connections begin and end. Frames of an earlier connection must not be given once a new one is made.
The end outlives connections; a restarted process makes a new end with a new epoch.

- A request is kept and sent again on every connection until its reply has come; that reply is given out once.
- A live update is kept until the other side has confirmed it; it is given out once, in its stream's order.
- Of the statuses of an agent only the newest counts; all are told again on every connection.
- Everything else is said once, if there is a connection.
"""

import enum
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from .codec import BadPacket, Decoded, UnknownPacket, decode_frame, decode_packet, encode_packet
from .errors import LinkFull, RemoteProtocolError
from .limits import LINK_HELD_BYTES_MAX, LINK_QUEUE_BYTES_MAX, REQUESTS_OPEN_MAX
from .names import Outcome, Reason, WireId
from .outgoing import Outgoing
from .packets import (
    Ack,
    AgentDetails,
    Alive,
    Answer,
    ClientBoundLiveUpdate,
    LogError,
    MephistoBoundLiveUpdate,
    Packet,
    Part,
    RegisterAgent,
    Reply,
    Request,
    RequestStatuses,
    ReturnStatuses,
    ReturnUnit,
    RollCall,
    StreamUpdate,
    SubmitMetadata,
    SubmitOnboarding,
    SubmitUnit,
    Suspend,
    UpdateStatus,
)
from .parts import Assembler
from .states import StateTable
from .stream_table import StreamTable
from .streams import EPOCH_MAX, Confirmed, Tag


class Role(enum.Enum):
    """Which end this is. A packet that is not the other side's to say is dropped and counted."""

    DAEMON = "daemon"
    ROUTER = "router"


_REQUESTS = (RegisterAgent, SubmitOnboarding, SubmitUnit, SubmitMetadata, ReturnUnit)
_REPLIES = (AgentDetails, Answer)
_EITHER = (*_REPLIES, Ack, Part)
_HEARS: dict[Role, tuple[type[Any], ...]] = {
    Role.DAEMON: (*_EITHER, *_REQUESTS, MephistoBoundLiveUpdate, ReturnStatuses, Alive, LogError),
    Role.ROUTER: (*_EITHER, ClientBoundLiveUpdate, UpdateStatus, RequestStatuses, RollCall, Suspend),
}
_SENDS: dict[Role, type[ClientBoundLiveUpdate] | type[MephistoBoundLiveUpdate]] = {
    Role.DAEMON: ClientBoundLiveUpdate,
    Role.ROUTER: MephistoBoundLiveUpdate,
}
_STREAM_NAMES = {cls.type.value for cls in (ClientBoundLiveUpdate, MephistoBoundLiveUpdate)}
_REPLY_NAMES = {cls.type.value for cls in _REPLIES}
Said = Reply | UpdateStatus | RequestStatuses | ReturnStatuses | Alive | RollCall | LogError | Suspend
"""What `send` takes; requests and live updates have methods of their own."""
Heard = Packet | Confirmed
"""What `receive` gives: what the other side said, and what it has confirmed of our live updates."""


class LinkEnd:
    """The daemon's or the router's end of one run's link. `epoch` is new at every start (below 2**40)."""

    def __init__(self, role: Role, epoch: int) -> None:
        if not 0 < epoch < EPOCH_MAX:
            raise ValueError("an epoch is above 0 and below 2**40")
        self.connected = False
        self.counters: Counter[str] = Counter()
        """What was strange so far, by name: unknown_packets, bad_packets, late_replies, gaps, ..."""
        self._outgoing = Outgoing()
        self._assembler = Assembler()
        self._streams = StreamTable(_SENDS[role], epoch, self._outgoing, self.counters)
        self._peer_epoch: int | None = None
        self._heard_at = 0.0
        self._requests: dict[str, tuple[bytes, float]] = {}
        self._request_bytes = 0
        self._queued_bytes = 0
        self._states = StateTable(self._outgoing)
        self._takes = self._takers(role)

    def _takers(self, role: Role) -> dict[type[Any], Callable[[Any], Sequence[Heard]]]:
        """What takes each class of packets that the other side may say, and what cannot be read."""
        ours: dict[type[Any], Callable[[Any], Sequence[Heard]]] = {
            UnknownPacket: self._take_unknown,
            BadPacket: self._take_bad,
            Part: self._take_part,
            AgentDetails: self._take_reply,
            Answer: self._take_reply,
            ClientBoundLiveUpdate: self._streams.receive,
            MephistoBoundLiveUpdate: self._streams.receive,
            Ack: self._streams.take_ack,
            UpdateStatus: self._take_status,
        }
        return {cls: ours.get(cls, _as_it_is) for cls in (UnknownPacket, BadPacket, *_HEARS[role])}

    # connections

    def connection_made(self, now: float, peer_epoch: int) -> None:
        """The handshake is done: queue again every request, status and update that may not have arrived."""
        self._outgoing.clear()
        self._assembler = Assembler()
        self._queued_bytes = 0
        self._heard_at = now
        self.connected = True
        for request in self._requests:
            self._outgoing.put(partial(self._pull_request, request))
        self._states.connection_made(peer_epoch != self._peer_epoch)
        self._peer_epoch = peer_epoch
        self._streams.connection_made(peer_epoch)

    def connection_lost(self) -> None:
        """Drop what was only meant for that connection."""
        self.connected = False
        self._outgoing.clear()

    def silent_for(self, now: float) -> float:
        """Seconds since the last frame came, or since the connection was made."""
        return now - self._heard_at

    # what goes out

    def send(self, packet: Said) -> bool:
        """Say something; False if nobody listens and it was dropped (a status is kept for later).

        A reply that is dropped is no loss: its request comes again. LinkFull: the peer reads too slowly,
        close the connection. Unsendable: this packet can never cross.
        """
        encoded = encode_packet(packet)
        if isinstance(packet, UpdateStatus):
            self._states.tell(packet, encoded)
            return self.connected
        if not self.connected:
            return False
        if self._queued_bytes + len(encoded) > LINK_QUEUE_BYTES_MAX:
            raise LinkFull("the peer reads too slowly")
        self._queued_bytes += len(encoded)
        self._outgoing.put(partial(self._pull_said, encoded))
        return True

    def _pull_said(self, encoded: bytes) -> bytes:
        self._queued_bytes -= len(encoded)
        return encoded

    @property
    def queue_length(self) -> int:
        """How many packets wait to go out."""
        return len(self._outgoing)

    def send_request(self, packet: Request, now: float) -> None:
        """Ask until answered; `receive` gives the reply of this `request` once. LinkFull, Unsendable."""
        if packet.request in self._requests:
            raise ValueError("this request is already open")
        if len(self._requests) >= REQUESTS_OPEN_MAX:
            raise LinkFull(f"{REQUESTS_OPEN_MAX} open requests")
        encoded = encode_packet(packet)
        self._check_held(len(encoded))
        self._requests[packet.request] = (encoded, now)
        self._request_bytes += len(encoded)
        self._outgoing.put(partial(self._pull_request, packet.request))

    def _check_held(self, more: int) -> None:
        if self._request_bytes + self._streams.held_bytes + more > LINK_HELD_BYTES_MAX:
            raise LinkFull(f"{LINK_HELD_BYTES_MAX} bytes unanswered")

    def _pull_request(self, request: str) -> bytes | None:
        return self._requests.get(request, (None, 0.0))[0]

    def withdraw(self, request: str) -> bool:
        """Stop asking: nobody waits. A reply that still comes is dropped. False if it was not open."""
        encoded, _ = self._requests.pop(request, (None, 0.0))
        if encoded is None:
            return False
        self._request_bytes -= len(encoded)
        return True

    def open_requests(self) -> int:
        """How many requests wait for their reply."""
        return len(self._requests)

    def waited(self, now: float) -> float:
        """How long the oldest open request has been waiting."""
        return max((now - since for _, since in self._requests.values()), default=0.0)

    def stream_send(
        self, wire_id: WireId, update: dict[str, Any], tag: Tag | None = None, **place: int | str
    ) -> StreamUpdate:
        """Send a live update, in order and exactly once; the packet with its place. LinkFull, Unsendable.

        `place` are the packet's own fields: `number` of the daemon's, `page` and `page_number` of the
        router's. Once the other side has confirmed it, `receive` gives a `Confirmed` with its `tag`, or
        with a later one (of the same page).
        """
        self._check_held(0)
        if self._streams.held_bytes > LINK_HELD_BYTES_MAX // 2:
            raise LinkFull(f"{LINK_HELD_BYTES_MAX // 2} bytes unconfirmed")
        return self._streams.send(wire_id, update, tag, place)

    def stream_stored(self, packet: StreamUpdate) -> None:
        """Confirm a received update, and all before it: it is safe now, and need not come again."""
        self._streams.stored(packet.subject, packet.epoch, packet.sequence)

    def stream_resume(self, wire_id: WireId, epoch: int, sequence: int) -> None:
        """Tell, before the first connection, what storage says was received of an agent's stream."""
        self._streams.resume(wire_id, epoch, sequence)

    def forget(self, wire_id: WireId) -> None:
        """Drop both streams of an agent that has ended. Its last status is still told."""
        self._streams.forget(wire_id)

    def forget_sent(self, wire_id: WireId) -> None:
        """Drop what was to be sent to an agent that is reached elsewhere; it may still be heard of here."""
        self._streams.forget_sent(wire_id)

    def take_frame(self) -> bytes | None:
        """The next frame to send, or None if nothing waits (or there is no connection)."""
        return self._outgoing.take_frame() if self.connected else None

    # what comes in

    def receive(self, frame: bytes, now: float) -> list[Heard]:
        """Take a frame; what of it is for the owner, in order.

        RemoteProtocolError only if it is no frame at all, or sends more live updates than wait for their
        confirmation at any honest end: close the connection. One bad packet is counted, answered if it was a
        request, and hurts no other.
        """
        self._heard_at = now
        given: list[Heard] = []
        for decoded in decode_frame(frame):
            given += self._take(decoded)
        return given

    def _take(self, decoded: Decoded) -> Sequence[Heard]:
        take = self._takes.get(type(decoded))
        if take is None:
            self.counters["unexpected_packets"] += 1
            return ()
        return take(decoded)

    def _take_part(self, part: Part) -> Sequence[Heard]:
        try:
            whole = self._assembler.add(part)
            decoded = None if whole is None else decode_packet(whole)
        except RemoteProtocolError:
            self.counters["bad_parts"] += 1
            return []
        if isinstance(decoded, Part):
            self.counters["bad_parts"] += 1
            return []
        return [] if decoded is None else self._take(decoded)

    def _take_reply(self, reply: Reply) -> Sequence[Heard]:
        if self.withdraw(reply.request):
            return [reply]
        self.counters["late_replies"] += 1
        return []

    def _take_status(self, update: UpdateStatus) -> Sequence[Heard]:
        if self._states.hear(update):
            return [update]
        self.counters["stale_statuses"] += 1
        return []

    def _take_unknown(self, packet: UnknownPacket) -> Sequence[Heard]:
        self.counters["unknown_packets"] += 1
        if packet.request is not None:
            self._refuse(packet.request, "a packet of a type that is not known here")
        return []

    def _take_bad(self, packet: BadPacket) -> Sequence[Heard]:
        self.counters["bad_packets"] += 1
        if packet.type in _REPLY_NAMES and packet.request is not None:
            text = "the answer could not be read"
            return self._take_reply(Answer(packet.request, Outcome.TRY_LATER, Reason.TRY_LATER, text))
        if packet.type in _STREAM_NAMES and packet.subject and packet.epoch and packet.sequence:
            return self._streams.receive_unread(WireId(packet.subject), packet.epoch, packet.sequence)
        if packet.request is not None:
            self._refuse(packet.request, f"{packet.path}: {packet.why}")
        return []

    def _refuse(self, request: str, text: str) -> None:
        try:
            self.send(Answer(request, Outcome.REFUSED, Reason.BAD_REQUEST, text))
        except LinkFull:
            self.counters["refusals_dropped"] += 1


def _as_it_is(packet: Packet) -> Sequence[Heard]:
    return (packet,)
