"""How much of what pages said is held, of each router, until the piece that it is for is there.

It is held as bytes, which take what is counted: as objects some documents take seventy times as much.
"""

from collections import Counter

from ...protocol.codec import pack_read, read_again
from ...protocol.errors import RemoteProtocolError
from ...protocol.limits import LINK_HELD_BYTES_MAX
from ...protocol.packets import MephistoBoundLiveUpdate
from .outbound import StreamLink

HOLD_BYTES_MAX = (
    LINK_HELD_BYTES_MAX  # a router stops at half of it unconfirmed; it may have been started anew
)
ONE_BYTES = 256  # what one update takes besides, however small it is


class Hold:
    """One per stage. Refuses no update, for the link counts on it that each is dealt with: `check` is asked
    before a frame is read, and cuts off a router that is beyond what routers send until there is room."""

    def __init__(self) -> None:
        self.full: set[str] = set()
        """The routers of which nothing more can be held. Written here alone."""
        self._bytes: Counter[str] = Counter()

    def check(self, link: StreamLink) -> None:
        """RemoteProtocolError: so much of this router is held that none in its right mind sends more."""
        if link.name in self.full:
            raise RemoteProtocolError("live updates", f"more than {HOLD_BYTES_MAX} bytes of them unconfirmed")

    def keep(self, link: StreamLink, packet: MephistoBoundLiveUpdate) -> bytes:
        """Count an update that is held; as what it is to be held."""
        encoded = pack_read(packet)
        self._bytes[link.name] += len(encoded) + ONE_BYTES
        if self._bytes[link.name] > HOLD_BYTES_MAX:
            self.full.add(link.name)
        return encoded

    def give_back(self, link: StreamLink, encoded: bytes) -> MephistoBoundLiveUpdate:
        """An update is held no more."""
        self._bytes[link.name] -= len(encoded) + ONE_BYTES
        if self._bytes[link.name] <= HOLD_BYTES_MAX:
            self.full.discard(link.name)
        packet = read_again(encoded)
        assert isinstance(packet, MephistoBoundLiveUpdate), "it was read before"
        return packet
