"""What is on its way to an agent's page: taken from storage in order, given to the link as that has room.

Everything sent is stored under a number first. A page says how far it has got (`seen`) whenever it comes, so
a restart on either side only means to go on from there.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

import trio

from ...protocol.errors import LinkFull, Unsendable
from ...protocol.names import AgentId, WireId
from ...storage.records import LiveUpdate

READ_MAX = 64  # updates read from storage at once

Read = Callable[[int, int], Awaitable[Sequence[LiveUpdate]]]
"""The updates after a number, so many at most, in order."""


class StreamLink(Protocol):
    """The way to one router."""

    name: str

    def stream_send(self, wire_id: WireId, number: int, update: Mapping[str, Any]) -> None:
        """Give an update to the link. LinkFull: not now, wait for a `Confirmed`. Unsendable: never."""
        ...

    def forget(self, wire_id: WireId) -> None:
        """The agent has ended, or its page is elsewhere: drop its streams."""
        ...


class Outbound:
    """One per live agent. Updates go out as they are stored; `pump` sends what could not go then."""

    def __init__(self, agent_id: AgentId, wire_id: WireId, read: Read) -> None:
        self.agent_id = agent_id
        self._wire_id = wire_id
        self._read = read
        self._link: StreamLink | None = None
        self._next = 1
        self._confirmed = 0
        self._lock = trio.Lock()
        self._progress = trio.Event()

    def alive(self, link: StreamLink, seen: int | None) -> int | None:
        """A page came at this router and has everything up to `seen`; None: whatever pages had before. What
        must be sent again begins after the number returned; None: nothing."""
        seen = self._confirmed if seen is None else seen
        if link is not self._link:
            if self._link is not None:
                self._link.forget(self._wire_id)
            self._link, self._next, self._confirmed = link, seen + 1, seen
            self._went_on()
            return None
        return seen if seen < self._confirmed else None

    def confirmed(self, number: int) -> None:
        """The page has everything up to this number."""
        self._confirmed = max(self._confirmed, number)
        self._went_on()

    def stored(self, update: LiveUpdate) -> bool:
        """An update was stored. True: it is on its way, or goes once a page comes; False: call `pump`."""
        if self._link is None:
            return True
        if update.number != self._next or not _given(self._link, self._wire_id, update):
            return False
        self._next += 1
        return True

    def close(self) -> None:
        """The agent has ended: nothing more goes to it."""
        if self._link is not None:
            self._link.forget(self._wire_id)
            self._link = None
            self._went_on()

    async def pump(self) -> None:
        """Give the link all that is stored and that it has room for; nothing while no page ever came."""
        async with self._lock:
            while self._link is not None:
                updates = await self._read(self._next - 1, READ_MAX)
                if not updates or not self._give(self._link, updates):
                    return

    async def delivered(self) -> None:
        """Return once the page has everything that is stored, or nothing goes to it any more."""
        while self._link is not None:
            progress = self._progress
            await self.pump()
            if self._confirmed >= self._next - 1:
                return
            await progress.wait()

    async def send_again(self, after: int) -> None:
        """Give the link once more what was confirmed by another page, but not by the one that came now."""
        async with self._lock:
            link, until = self._link, self._confirmed
            while link is not None and after < until:
                updates = [update for update in await self._read(after, READ_MAX) if update.number <= until]
                if not updates or not all(_given(link, self._wire_id, update) for update in updates):
                    return
                after = updates[-1].number

    def _went_on(self) -> None:
        self._progress.set()
        self._progress = trio.Event()

    def _give(self, link: StreamLink, updates: Sequence[LiveUpdate]) -> bool:
        for update in updates:
            if link is not self._link or update.number != self._next:
                return True  # the page went to another router meanwhile: look again from there
            if not _given(link, self._wire_id, update):
                return False
            self._next += 1
        return True


def _given(link: StreamLink, wire_id: WireId, update: LiveUpdate) -> bool:
    try:
        link.stream_send(wire_id, update.number, {**update.update, "update_id": update.update_id})
    except LinkFull:
        return False
    except Unsendable:
        return True  # `send` refuses what can never cross; an older store may hold such
    return True
