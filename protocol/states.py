"""The statuses of agents as they cross the link: the newest version wins, on both sides."""

from functools import partial

from .limits import STATES_MAX
from .names import WireId
from .newest import Newest
from .outgoing import Outgoing
from .packets import UpdateStatus


class StateTable:
    """Remembers what was told last and heard last of each agent; of too many, the longest unchanged go."""

    def __init__(self, outgoing: Outgoing) -> None:
        self._outgoing = outgoing
        self._told: Newest[WireId, tuple[int, bytes]] = Newest(STATES_MAX)
        self._queued: set[WireId] = set()
        self._heard: Newest[WireId, int] = Newest(STATES_MAX)

    def connection_made(self, peer_is_new: bool) -> None:
        """Tell every status again. Versions of a peer that started anew start anew."""
        if peer_is_new:
            self._heard.clear()
        self._queued.clear()
        for subject in self._told:
            self._queue(subject)

    def tell(self, packet: UpdateStatus, encoded: bytes) -> None:
        """Queue a status in place of an older one that waits; an older version changes nothing."""
        subject = packet.subject
        if subject in self._told and self._told[subject][0] >= packet.version:
            return
        self._told.note(subject, (packet.version, encoded))
        self._queue(subject)

    def hear(self, packet: UpdateStatus) -> bool:
        """True if this is news."""
        if self._heard.get(packet.subject, -1) >= packet.version:
            return False
        self._heard.note(packet.subject, packet.version)
        return True

    def _queue(self, subject: WireId) -> None:
        if subject not in self._queued:
            self._queued.add(subject)
            self._outgoing.put(partial(self._pull, subject))

    def _pull(self, subject: WireId) -> bytes | None:
        self._queued.discard(subject)
        return self._told[subject][1] if subject in self._told else None
