"""What is on its way to an agent's page: taken from storage in order, given to the link as that has room.

Everything sent is stored under a number first. A page says how far it has got (`seen`) whenever it comes, so
a restart on either side only means to go on from there.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

import trio

from ...protocol.browser import NUMBER_MAX
from ...protocol.errors import LinkFull, Unsendable
from ...protocol.names import AgentId, WireId
from ...storage.records import LiveUpdate

READ_MAX = 64  # updates read from storage at once
ROOM_AGAIN_S = 1.0  # a link that others have filled is tried again so soon

Read = Callable[[int, int], Awaitable[Sequence[LiveUpdate]]]
"""The updates after a number, so many at most, in order."""


class StreamLink(Protocol):
    """The way to one router."""

    name: str

    def stream_send(self, wire_id: WireId, number: int, update: Mapping[str, Any]) -> None:
        """Give an update to the link. LinkFull: not now, wait for a `Confirmed`. Unsendable: never."""
        ...

    def forget(self, wire_id: WireId) -> None:
        """The agent has ended: drop its streams."""
        ...

    def forget_sent(self, wire_id: WireId) -> None:
        """Its page is elsewhere: drop what was to be sent; other pages of it may still speak here."""
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
        self._again: tuple[int, int] | None = None
        """After which number, and up to which, all goes once more: a page came that has less than another."""
        self._on_its_way = False
        """Whether something was given to the link since it last confirmed anything: then it will again."""
        self._waits_for_room = False
        self._is_behind = True
        """Whether something may be stored that was not given to the link: then storage is worth reading."""
        self._lock = trio.Lock()
        self._progress: trio.Event | None = None
        """There while somebody waits: set at the next confirmation, or when nothing goes to it any more."""

    def alive(self, link: StreamLink, seen: int | None) -> None:
        """A page came at this router and has everything up to `seen`; None: whatever pages had before.
        `pump` gives it the rest."""
        # No page says other numbers; a router that was taken over may, and storage has none for them.
        seen = self._confirmed if seen is None else min(max(seen, 0), NUMBER_MAX)
        if link is not self._link:
            if self._link is not None:
                self._link.forget_sent(self._wire_id)
            self._link, self._next, self._confirmed, self._again = link, seen + 1, seen, None
            self._on_its_way, self._is_behind = False, True
            self._went_on()
        elif seen < self._confirmed:
            after, until = self._again or (seen, 0)
            self._again, self._is_behind = (min(after, seen), max(until, self._confirmed)), True

    def confirmed(self, number: int) -> None:
        """The page has everything up to this number."""
        self._confirmed = max(self._confirmed, number)
        self._on_its_way = False
        self._went_on()

    @property
    def is_behind(self) -> bool:
        """Whether something may be stored that was not given to the link: then `pump` is worth a call."""
        return self._is_behind

    def stored(self, update: LiveUpdate) -> bool:
        """An update was stored. True: it is on its way, or goes once a page comes; False: call `pump`."""
        if self._link is None:
            return True
        if update.number != self._next or not self._given(self._link, update):
            self._is_behind = True
            return False
        self._next += 1
        return True

    def close(self) -> None:
        """The agent has ended: nothing more goes to it."""
        if self._link is not None:
            self._link.forget(self._wire_id)
            self._link = self._again = None
            self._went_on()

    async def pump(self) -> None:
        """Give the link all that is stored, as it has room; nothing while no page ever came.

        Returns early where a later confirmation of this agent's makes room.
        """
        if self._waits_for_room or self._lock.statistics().tasks_waiting:
            return  # who waits does the same
        while not await self._pumped() and not self._on_its_way:
            # Others have filled the link; nothing of this agent's is on its way that would tell of room.
            self._waits_for_room = True
            try:
                await trio.sleep(ROOM_AGAIN_S)
            finally:
                self._waits_for_room = False

    async def _pumped(self) -> bool:
        """Whether all that is stored was given; False: the link is full."""
        async with self._lock:
            while (link := self._link) is not None and self._is_behind:
                if self._again is not None:
                    if not await self._repeat(link, *self._again):
                        return False
                    continue
                self._is_behind = False  # until something is stored meanwhile that cannot go at once
                updates = await self._read(self._next - 1, READ_MAX)
                self._is_behind |= bool(updates)
                if updates and not self._give(link, updates):
                    return False
        return True

    async def delivered(self) -> None:
        """Return once the page has everything that is stored, or nothing goes to it any more."""
        while self._link is not None:
            self._progress = progress = self._progress or trio.Event()
            await self._pumped()
            if self._confirmed >= self._next - 1:
                return
            await progress.wait()

    async def _repeat(self, link: StreamLink, after: int, until: int) -> bool:
        """Give the link once more what another page has confirmed. False: it has no room for it all now."""
        updates = [update for update in await self._read(after, READ_MAX) if update.number <= until]
        for update in updates:
            if self._again != (after, until):
                return True  # a page came meanwhile: look again from there
            if not self._given(link, update):
                return False
            after = update.number
            self._again = after, until
        if self._again == (after, until) and (not updates or after >= until):
            self._again = None
        return True

    def _went_on(self) -> None:
        if self._progress is not None:
            self._progress.set()
            self._progress = None

    def _give(self, link: StreamLink, updates: Sequence[LiveUpdate]) -> bool:
        for update in updates:
            if link is not self._link or update.number != self._next:
                return True  # the page went to another router meanwhile, or for good: look again from there
            if not self._given(link, update):
                return False
            self._next += 1
        return True

    def _given(self, link: StreamLink, update: LiveUpdate) -> bool:
        try:
            link.stream_send(self._wire_id, update.number, {**update.update, "update_id": update.update_id})
        except LinkFull:
            return False
        except Unsendable:
            return True  # `send` refuses what can never cross; an older store may hold such
        self._on_its_way = True
        return True
