"""What comes of agents that are not at work: they may be about to be, and then nothing of it may be lost."""

from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from functools import partial

from ...protocol.names import Reason, WireId
from ...protocol.packets import Alive, MephistoBoundLiveUpdate
from ...protocol.streams import Confirmed
from ...storage.errors import NotFound
from ...storage.records import Agent, OnboardingAgent
from .cast import was_shut_down
from .line import LiveLink, LivePacket
from .lines import Lines
from .stage_tools import StageTools
from .wishes import Wishes

STRANGERS_MAX = 1000  # agents of whom something came before we know them; after that it is dropped

Kept = tuple[LiveLink, LivePacket]


class Strangers:
    """One per stage. Keeps what came until the agent has a line, or storage says that it never will."""

    def __init__(self, tools: StageTools, lines: Lines, wishes: Wishes, counters: Counter[str]) -> None:
        self._cast = tools.cast
        self._tell = tools.tell
        self._lines = lines.by_wire_id
        self._wishes = wishes
        self._counters = counters
        self._kept: dict[WireId, list[Kept]] = {}

    def came(self, link: LiveLink, packet: LivePacket) -> None:
        """A packet of one who has no line."""
        if isinstance(packet, Confirmed):
            return
        if isinstance(packet, Alive):
            self._wishes.add(partial(self._remind, packet.subject))
        known = self._kept.get(packet.subject)
        if known is not None:
            if isinstance(packet, Alive):  # the newest is what counts; a page may come again and again
                known[:] = [one for one in known if one[0] is not link or not isinstance(one[1], Alive)]
            known.append((link, packet))
        elif len(self._kept) < STRANGERS_MAX:
            self._kept[packet.subject] = [(link, packet)]
            self._wishes.add(partial(self._who_is, packet.subject))
        else:
            self._counters["strangers_dropped"] += 1

    def introduced(self, wire_id: WireId) -> Iterable[Kept]:
        """All that came of one who is no stranger any more, in order."""
        return self._kept.pop(wire_id, ())

    def are_late(self, wire_id: WireId) -> None:
        """The agent's part is over for good: what came of it is confirmed and dropped."""
        for link, packet in self._kept.pop(wire_id, ()):
            if isinstance(packet, MephistoBoundLiveUpdate):
                self._counters["late_live_updates"] += 1
                link.stream_stored(packet)

    async def _remind(self, wire_id: WireId) -> None:
        """A page shows an agent that is not at work: its router may have been restarted, and not know it."""
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
