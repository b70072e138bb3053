"""What comes of agents that are not at work: they may be about to be, and then nothing of it may be lost.

So many agents are kept, and of each router so much as `Hold` lets it: one that sends more is cut off.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from functools import partial

from ...protocol.limits import SOCKETS_MAX
from ...protocol.names import Reason, WireId
from ...protocol.packets import Alive, MephistoBoundLiveUpdate
from ...protocol.streams import Confirmed
from ...storage.errors import NotFound
from ...storage.records import Agent, OnboardingAgent
from .cast import was_shut_down
from .hold import Hold
from .line import LiveLink, LivePacket
from .lines import Lines
from .stage_tools import StageTools
from .wishes import Wishes

STRANGERS_MAX = 1000  # agents of whom something came before we know them; after that it is dropped
REMINDED_MAX = SOCKETS_MAX  # pages that wait to be told; others are at their next heartbeat

Kept = tuple[LiveLink, Alive | bytes]
"""By which way it came, and what: an update as `Hold` keeps it."""


class Strangers:
    """One per stage. Keeps what came until the agent has a line, or storage says that it never will."""

    def __init__(
        self, tools: StageTools, lines: Lines, wishes: Wishes, hold: Hold, counters: Counter[str]
    ) -> None:
        self._cast = tools.cast
        self._tell = tools.tell
        self._lines = lines.by_wire_id
        self._wishes = wishes
        self._hold = hold
        self._counters = counters
        self._reminded: set[WireId] = set()
        """Whose page is about to be told what its agent is: once for many heartbeats that come meanwhile."""
        self._kept: dict[WireId, list[Kept]] = {}

    def came(self, link: LiveLink, packet: LivePacket) -> None:
        """A packet of one who has no line."""
        if isinstance(packet, Confirmed):
            return
        if isinstance(packet, Alive):
            self._is_to_remind(packet.subject)
        known = self._kept.get(packet.subject)
        if known is not None:
            if isinstance(packet, Alive):  # the newest is what counts; a page may come again and again
                known[:] = [one for one in known if one[0] is not link or not isinstance(one[1], Alive)]
            known.append(self._as_kept(link, packet))
        elif len(self._kept) < STRANGERS_MAX:
            self._kept[packet.subject] = [self._as_kept(link, packet)]
            self._wishes.add(partial(self._who_is, packet.subject))
        else:
            self._counters["strangers_dropped"] += 1

    def _is_to_remind(self, wire_id: WireId) -> None:
        if wire_id not in self._reminded and len(self._reminded) < REMINDED_MAX:
            self._reminded.add(wire_id)
            self._wishes.add(partial(self._remind, wire_id))

    def introduced(self, wire_id: WireId) -> Iterator[tuple[LiveLink, Alive | MephistoBoundLiveUpdate]]:
        """All that came of one who is no stranger any more, in order."""
        for link, kept in self._kept.pop(wire_id, ()):
            yield link, kept if isinstance(kept, Alive) else self._hold.give_back(link, kept)

    def are_late(self, wire_id: WireId) -> None:
        """The agent's part is over for good: what came of it is confirmed and dropped."""
        for link, packet in self.introduced(wire_id):
            if isinstance(packet, MephistoBoundLiveUpdate):
                self._counters["late_live_updates"] += 1
                link.stream_stored(packet)

    def _as_kept(self, link: LiveLink, packet: Alive | MephistoBoundLiveUpdate) -> Kept:
        return link, packet if isinstance(packet, Alive) else self._hold.keep(link, packet)

    async def _remind(self, wire_id: WireId) -> None:
        """A page shows an agent that is not at work: its router may have been restarted, and not know it."""
        self._reminded.discard(wire_id)
        with suppress(NotFound):
            player = await self._cast.player_of(wire_id)
            assert isinstance(player, Agent | OnboardingAgent)
            if self._cast.how_left(player) is not None and wire_id not in self._lines:
                self._tell(player, Reason.SHUTDOWN if was_shut_down(player) else None)

    async def _who_is(self, wire_id: WireId) -> None:
        try:
            player = await self._cast.player_of(wire_id)
        except NotFound:
            player = None
        if player is None or (self._cast.how_left(player) is not None and not was_shut_down(player)):
            self.are_late(wire_id)
