"""All live updates of one end of the link: every agent's stream, both directions."""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any

from .codec import encode_packet
from .errors import LinkFull, RemoteProtocolError
from .limits import STREAM_UNACKED_BYTES_MAX, STREAM_UNACKED_MAX, STREAMS_MAX
from .names import WireId
from .outgoing import Outgoing
from .packets import Ack, ClientBoundLiveUpdate, MephistoBoundLiveUpdate, StreamUpdate
from .streams import Confirmed, InStream, OutStream, Tag, Windows, end_epoch, stream_epoch


class StreamTable:
    """Opens streams as they are used, queues what they want to say, and sorts what comes in."""

    def __init__(
        self,
        sends: type[ClientBoundLiveUpdate] | type[MephistoBoundLiveUpdate],
        epoch: int,
        outgoing: Outgoing,
        counters: Counter[str],
    ) -> None:
        self.held_bytes = 0
        self._sends = sends
        self._epoch = epoch
        self._restarts = 0
        self._peer_epoch: int | None = None
        self._outgoing = outgoing
        self._counters = counters
        self._out: dict[WireId, OutStream] = {}
        self._in: dict[WireId, InStream] = {}
        self._windows = Windows()
        self._acks_due: dict[WireId, bool] = {}

    def connection_made(self, peer_epoch: int) -> None:
        """Send all that is unconfirmed again; a new peer's streams are new ones."""
        self._peer_epoch = peer_epoch
        self._acks_due.clear()
        for wire_id, stream in list(self._in.items()):
            stream.asked = False
            if end_epoch(stream.epoch) != peer_epoch:
                self._forget_received(wire_id)
        for out in self._out.values():
            out.queued = False
            out.rewind()
            self._queue(out)

    def send(
        self, wire_id: WireId, update: dict[str, Any], tag: Tag | None, place: dict[str, Any]
    ) -> StreamUpdate:
        """Keep the next update of an agent's stream and queue it. LinkFull, Unsendable: nothing was taken."""
        stream = self._out.get(wire_id)
        if stream is None:
            stream = OutStream(stream_epoch(self._epoch, self._restarts))
        if stream.unacked >= STREAM_UNACKED_MAX:
            raise LinkFull(f"{STREAM_UNACKED_MAX} unconfirmed updates of one agent")
        if wire_id not in self._out and len(self._out) >= STREAMS_MAX:
            raise LinkFull(f"{STREAMS_MAX} agents with live updates")
        packet = self._sends(wire_id, stream.epoch, stream.next_sequence, update, **place)
        encoded = encode_packet(packet)
        if stream.unacked and stream.held_bytes + len(encoded) > STREAM_UNACKED_BYTES_MAX:
            raise LinkFull(f"{STREAM_UNACKED_BYTES_MAX} unconfirmed bytes of one agent")
        stream.add(encoded, tag)
        self.held_bytes += len(encoded)
        self._out[wire_id] = stream
        self._queue(stream)
        return packet

    def forget(self, wire_id: WireId) -> None:
        """Drop both streams of an agent whose work has ended, confirmed or not."""
        self.forget_sent(wire_id)
        self._forget_received(wire_id)
        self._acks_due.pop(wire_id, None)

    def _forget_received(self, wire_id: WireId) -> None:
        stream = self._in.pop(wire_id, None)
        if stream is not None:
            stream.close()

    def forget_sent(self, wire_id: WireId) -> None:
        """Drop what goes to an agent; what comes from it keeps its place, as the other side goes on there."""
        stream = self._out.pop(wire_id, None)
        if stream is not None:
            self.held_bytes -= stream.held_bytes
            self._restarts += 1  # should the agent come back, its stream is another one

    def resume(self, wire_id: WireId, epoch: int, sequence: int) -> None:
        """Know from storage that everything up to here was received and is safe."""
        self._forget_received(wire_id)
        self._in[wire_id] = InStream(epoch, self._windows, sequence)

    def stored(self, wire_id: WireId, epoch: int, sequence: int) -> None:
        """Confirm everything up to here: it is safe."""
        stream = self._in.get(wire_id)
        if stream is not None and stream.epoch == epoch:
            stream.store(sequence)
            self._ack(wire_id)

    def receive(self, update: StreamUpdate) -> Sequence[StreamUpdate]:
        """Sort in one update; those whose turn has come.

        RemoteProtocolError: more of the agent is unconfirmed than any end sends, by its own limit.
        """
        return self._receive(update.subject, update.epoch, update.sequence, update)

    def receive_unread(self, wire_id: WireId, epoch: int, sequence: int) -> Sequence[StreamUpdate]:
        """The same of one that could not be read: its place is passed over."""
        return self._receive(wire_id, epoch, sequence, None)

    def _receive(
        self, wire_id: WireId, epoch: int, sequence: int, update: StreamUpdate | None
    ) -> Sequence[StreamUpdate]:
        stream = self._in_stream(wire_id, epoch)
        if stream is None or sequence < 1:
            self._counters["stale_updates"] += 1
            return ()
        if sequence > stream.delivered >= stream.acked + STREAM_UNACKED_MAX:
            raise RemoteProtocolError(
                "stream", f"more than {STREAM_UNACKED_MAX} unconfirmed updates of one agent"
            )
        if update is not None and stream.pass_on(sequence):
            return (update,)
        return self._sort_in(stream, wire_id, sequence, update)

    def _sort_in(
        self, stream: InStream, wire_id: WireId, sequence: int, update: StreamUpdate | None
    ) -> Sequence[StreamUpdate]:
        received = stream.receive(sequence, update)
        if received.duplicate:
            self._counters["duplicate_updates"] += 1
        if received.ask:
            self._counters["gaps"] += 1
        if received.ask or received.ack_again:
            self._ack(wire_id, received.ask)
        return received.ready

    def _in_stream(self, wire_id: WireId, epoch: int) -> InStream | None:
        if end_epoch(epoch) != self._peer_epoch:
            return None
        stream = self._in.get(wire_id)
        if stream is None and len(self._in) >= STREAMS_MAX:
            return None
        if stream is None or stream.epoch < epoch:
            self._forget_received(wire_id)
            stream = self._in[wire_id] = InStream(epoch, self._windows)
        return stream if stream.epoch == epoch else None

    def _ack(self, wire_id: WireId, resend: bool = False) -> None:
        if wire_id not in self._acks_due:
            self._outgoing.put(partial(self._pull_ack, wire_id))
        self._acks_due[wire_id] = resend or self._acks_due.get(wire_id, False)

    def _pull_ack(self, wire_id: WireId) -> bytes | None:
        resend = self._acks_due.pop(wire_id, None)
        stream = self._in.get(wire_id)
        if resend is None or stream is None:
            return None
        return encode_packet(Ack(wire_id, stream.epoch, stream.acked, resend))

    def take_ack(self, ack: Ack) -> Sequence[Confirmed]:
        """The other side confirms, or asks for what follows; or it has lost its place: begin anew for it.

        Returns what is confirmed now.
        """
        stream = self._out.get(ack.subject)
        if stream is None or ack.epoch != stream.epoch or ack.sequence >= stream.next_sequence:
            self._counters["stale_acks"] += 1
        elif ack.sequence < stream.acked:
            self._take_low_ack(ack, stream)
        else:
            return [Confirmed(ack.subject, tag) for tag in self._settle(ack, stream)]
        return ()

    def _settle(self, ack: Ack, stream: OutStream) -> Sequence[Tag]:
        self.held_bytes -= stream.held_bytes
        tags = stream.ack(ack.sequence)
        self.held_bytes += stream.held_bytes
        stream.acked_by = self._peer_epoch
        if ack.resend:
            stream.rewind()
        self._queue(stream)
        return tags

    def _take_low_ack(self, ack: Ack, stream: OutStream) -> None:
        # Only a peer that started anew can know less than was confirmed; else this ack is merely old.
        if not ack.resend or stream.acked_by == self._peer_epoch:
            self._counters["stale_acks"] += 1
            return
        self._counters["stream_restarts"] += 1
        self._restarts += 1
        self.held_bytes -= stream.held_bytes
        stream.restart(stream_epoch(self._epoch, self._restarts))
        self.held_bytes += stream.held_bytes
        self._queue(stream)

    def _queue(self, stream: OutStream) -> None:
        if stream.more and not stream.queued:
            stream.queued = True
            self._outgoing.put(stream.pull, partial(self._sent, stream))

    def _sent(self, stream: OutStream) -> None:
        stream.queued = False
        self._queue(stream)
