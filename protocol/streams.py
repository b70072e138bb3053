"""One agent's live updates in one direction: the sending and the receiving side. Pure bookkeeping."""

from collections import deque
from collections.abc import Sequence
from typing import cast

import attrs

from .codec import pack_read, read_again, restamp
from .limits import STREAM_WINDOW, STREAM_WINDOWS_BYTES_MAX
from .names import WireId
from .packets import StreamUpdate
from .values import frozen

_ONE_BYTES = 256  # what an update takes besides, however small it is
RESTARTS_BITS = 22
EPOCH_MAX = 2**40  # so that a stream's epoch fits the signed 64 bits of any database


Tag = int | tuple[str, int]
"""What the owner of a stream knows an update by: its number, or the stream of a page and the number there."""


@frozen
class Confirmed:
    """The other side has confirmed everything sent up to the update of this tag. Never crosses the wire."""

    subject: WireId = attrs.field(repr=False)
    tag: Tag


def stream_epoch(end_epoch: int, restarts: int) -> int:
    """The epoch of a stream: whose it is (the epoch of its sender's start) and which try of it."""
    return end_epoch << RESTARTS_BITS | restarts


def end_epoch(epoch: int) -> int:
    """The epoch of the sender's start that a stream's epoch belongs to."""
    return epoch >> RESTARTS_BITS


class OutStream:
    """Keeps every update, encoded, until the other side has confirmed it."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch
        self.acked = 0
        self.acked_by: int | None = None
        """The peer's epoch that confirmed last: a later one may have forgotten."""
        self.queued = False
        self.held_bytes = 0
        """What the unconfirmed updates occupy."""
        self._unacked: deque[tuple[bytes, Tag | None]] = deque()
        self._cursor = 0

    @property
    def unacked(self) -> int:
        """How many updates are kept."""
        return len(self._unacked)

    @property
    def next_sequence(self) -> int:
        """The sequence of the update that `add` takes next."""
        return self.acked + len(self._unacked) + 1

    @property
    def more(self) -> bool:
        """True if something was not sent on this connection."""
        return self._cursor < len(self._unacked)

    def add(self, encoded: bytes, tag: Tag | None = None) -> None:
        """Keep an update that carries `epoch` and `next_sequence`."""
        self._unacked.append((encoded, tag))
        self.held_bytes += len(encoded)

    def pull(self) -> bytes | None:
        """The next update to send, or None."""
        at = self._cursor
        if at >= len(self._unacked):
            return None
        self._cursor = at + 1
        return self._unacked[at][0]

    def ack(self, sequence: int) -> Sequence[Tag]:
        """Forget everything up to `sequence`, which must have been sent; the newest tag (of each page)."""
        tags: list[Tag] = []
        self._cursor = max(0, self._cursor - max(0, sequence - self.acked))
        while self.acked < sequence:
            encoded, tag = self._unacked.popleft()
            self.held_bytes -= len(encoded)
            if tag is not None:
                tags.append(tag)
            self.acked += 1
        return newest(tags) if len(tags) > 1 else tags

    def rewind(self) -> None:
        """Send everything unconfirmed again."""
        self._cursor = 0

    def restart(self, epoch: int) -> None:
        """Begin anew for a peer that has lost its place: what is unconfirmed becomes 1, 2, ... of `epoch`."""
        self._unacked = deque(
            (restamp(encoded, epoch, sequence), tag)
            for sequence, (encoded, tag) in enumerate(self._unacked, 1)
        )
        self.held_bytes = sum(len(encoded) for encoded, _ in self._unacked)
        self.epoch, self.acked, self._cursor = epoch, 0, 0


def newest(tags: list[Tag]) -> tuple[Tag, ...]:
    """The highest number of each page: a page that went back sends lower ones again after higher ones."""
    highest: dict[str | None, int] = {}
    for tag in tags:
        page, number = tag if isinstance(tag, tuple) else (None, tag)
        if number >= highest.get(page, number):
            highest[page] = number
    return tuple([number if page is None else (page, number) for page, number in highest.items()])


@frozen
class Received:
    """What became of one update: the ones now in order, and what to tell the sender."""

    ready: list[StreamUpdate] = attrs.Factory(list[StreamUpdate])
    ack_again: bool = False
    ask: bool = False
    duplicate: bool = False


class Windows:
    """How much later updates take, of all streams of one end: held as bytes, for objects may take more."""

    def __init__(self) -> None:
        self._bytes = 0

    def keep(self, update: StreamUpdate | None) -> bytes | None:
        """As what it is to be held; None: there is no room for it."""
        packed = b"" if update is None else pack_read(update)
        if self._bytes + len(packed) + _ONE_BYTES > STREAM_WINDOWS_BYTES_MAX:
            return None
        self._bytes += len(packed) + _ONE_BYTES
        return packed

    def drop(self, packed: bytes) -> None:
        """It is held no more."""
        self._bytes -= len(packed) + _ONE_BYTES

    def give_back(self, packed: bytes) -> StreamUpdate | None:
        """The same, and what it is."""
        self.drop(packed)
        return cast(StreamUpdate, read_again(packed)) if packed else None


class InStream:
    """Gives each update once and in order; holds a window of later ones while an earlier one is missing.

    What is not held comes again after the missing one.
    """

    def __init__(self, epoch: int, windows: Windows, sequence: int = 0) -> None:
        self.epoch = epoch
        self.delivered = sequence
        self.acked = sequence
        self.asked = False
        self._windows = windows
        self._held: dict[int, bytes] = {}

    def close(self) -> None:
        """Hold nothing any more."""
        for packed in self._held.values():
            self._windows.drop(packed)
        self._held.clear()

    def pass_on(self, sequence: int) -> bool:
        """True: this is the next update, and nothing waits behind it; it counts as delivered."""
        if sequence != self.delivered + 1 or self._held:
            return False
        self.delivered = sequence
        self.asked = False
        return True

    def receive(self, sequence: int, update: StreamUpdate | None) -> Received:
        """Take an update; None stands for one that could not be read: its place is passed over."""
        if sequence <= self.delivered:
            return Received(duplicate=True, ack_again=sequence <= self.acked)
        if sequence > self.delivered + 1:
            self._hold(sequence, update)
            ask, self.asked = not self.asked, True
            return Received(ask=ask)
        return Received(self._deliver(update))

    def _hold(self, sequence: int, update: StreamUpdate | None) -> None:
        if sequence <= self.delivered + STREAM_WINDOW and sequence not in self._held:
            packed = self._windows.keep(update)
            if packed is not None:
                self._held[sequence] = packed

    def _deliver(self, update: StreamUpdate | None) -> list[StreamUpdate]:
        ready = self._passed(update)
        while self.delivered + 1 in self._held:
            ready += self._passed(self._windows.give_back(self._held.pop(self.delivered + 1)))
        self.asked = bool(self._held)
        return ready

    def _passed(self, update: StreamUpdate | None) -> list[StreamUpdate]:
        """The place of the next one is passed."""
        self.delivered += 1
        if update is not None:
            return [update]
        if self.acked == self.delivered - 1:
            self.acked = self.delivered
        return []

    def store(self, sequence: int) -> None:
        """Everything up to `sequence` is safe."""
        self.acked = max(self.acked, min(sequence, self.delivered))
