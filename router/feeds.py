"""Live updates on their way to pages: kept until a page of the agent has shown that it has them. Pure.

How many there can be is the sender's limit: the daemon stops when too many of an agent are unconfirmed. A
page that has less than was confirmed (a second tab) says so when it comes, and the daemon sends those again.
"""

from collections import deque

from ..protocol.names import WireId
from ..protocol.packets import ClientBoundLiveUpdate


class Feeds:
    """Per agent the updates that its page may not have, in the order in which they came."""

    def __init__(self) -> None:
        self._kept: dict[WireId, deque[ClientBoundLiveUpdate]] = {}
        self._seen: dict[WireId, int] = {}

    def keep(self, update: ClientBoundLiveUpdate) -> ClientBoundLiveUpdate | None:
        """Hold an update until it is confirmed. A new epoch does away with what was held of the old one.

        Returns what is to be confirmed to the daemon at once, as pages have it already. Of a page that says
        nothing the daemon may know more than we, who may be new: it leaves out nothing that is missing there,
        so what comes before its first update is there.
        """
        if update.subject not in self._seen:
            self._seen[update.subject] = number_of(update) - 1
        kept = self._kept.get(update.subject)
        if kept is None:
            kept = self._kept[update.subject] = deque()
        elif kept and kept[-1].epoch != update.epoch:
            kept.clear()
        kept.append(update)
        return self._settle(update.subject)

    def owed(self, agent: WireId, seen: int) -> list[ClientBoundLiveUpdate]:
        """What a page that has everything up to `seen` is to be told now."""
        return [update for update in self._kept.get(agent, ()) if number_of(update) > seen]

    def seen(self, agent: WireId) -> int:
        """Up to which number a page of this agent has shown to have everything."""
        return self._seen.get(agent, 0)

    def confirm(self, agent: WireId, seen: int) -> ClientBoundLiveUpdate | None:
        """A page of the agent has everything up to this number; the last update to confirm, if any is new."""
        if seen > self._seen.get(agent, 0):
            self._seen[agent] = seen
        return self._settle(agent)

    def forget(self, agent: WireId) -> None:
        """The agent is over."""
        self._kept.pop(agent, None)
        self._seen.pop(agent, None)

    def _settle(self, agent: WireId) -> ClientBoundLiveUpdate | None:
        kept, seen = self._kept.get(agent), self.seen(agent)
        last = None
        while kept and number_of(kept[0]) <= seen:
            last = kept.popleft()
        if not kept:
            self._kept.pop(agent, None)
        return last


def number_of(update: ClientBoundLiveUpdate) -> int:
    """The daemon's number of an update; one that has none goes by its place."""
    return update.number or update.sequence
