"""Live updates on their way to pages: kept until the page has shown that it got them. Pure.

How many there can be is the sender's limit: the daemon stops when too many of an agent are unconfirmed.
"""

from collections import deque

from ..protocol.names import WireId
from ..protocol.packets import ClientBoundLiveUpdate


class Feeds:
    """Per agent the updates that its page may not have, in order."""

    def __init__(self) -> None:
        self._kept: dict[WireId, deque[ClientBoundLiveUpdate]] = {}
        self._told: dict[WireId, ClientBoundLiveUpdate] = {}

    def keep(self, update: ClientBoundLiveUpdate) -> None:
        """Hold an update until it is confirmed. A new epoch does away with what was held of the old one."""
        kept = self._kept.setdefault(update.subject, deque())
        if kept and kept[-1].epoch != update.epoch:
            kept.clear()
        kept.append(update)

    def owed(self, agent: WireId) -> list[ClientBoundLiveUpdate]:
        """What a page that has just connected is to be told (again: pages drop repeats)."""
        return list(self._kept.get(agent, ()))

    def told(self, update: ClientBoundLiveUpdate) -> None:
        """The update was sent to the agent's page."""
        self._told[update.subject] = update

    def confirmed(self, agent: WireId) -> ClientBoundLiveUpdate | None:
        """The page is there, so it has what it was told: the last update to confirm, if any is new."""
        told = self._told.pop(agent, None)
        if told is None:
            return None
        kept = self._kept.get(agent, deque())
        while kept and kept[0].epoch == told.epoch and kept[0].sequence <= told.sequence:
            kept.popleft()
        if not kept:
            self._kept.pop(agent, None)
        return told

    def forget(self, agent: WireId) -> None:
        """The agent is over."""
        self._kept.pop(agent, None)
        self._told.pop(agent, None)
