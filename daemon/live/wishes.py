"""What is to be done for who cannot wait: a task for each wish. A cancellation ends them a group at a time.

Ten thousand tasks that are cancelled at once are one turn of the loop of a second, in which nothing else is
heard of: no other run, no watchdog. So wishes are shielded, and when `serve` is cancelled only its task
`_end_by_groups` hears of it, which cancels one group after the other. Between two the loop has a turn for all
others; nobody waits until a group has ended: what a wish does with its cancellation holds up no other.
A wish that raises ends all others at once, as in any nursery.
"""

import math
from collections.abc import Awaitable, Callable

import trio

GROUP = 25  # wishes: cancelled, a piece of live work is some four steps of the loop, of 50 us or more each
_REASON = "the live work was told to end"

Wish = Callable[[], Awaitable[None]]


class Wishes:
    """One for each kind of wishes, so that those soon done leave no groups of one that takes long."""

    def __init__(self) -> None:
        self._said, self._heard = trio.open_memory_channel[Wish](math.inf)
        self._groups: dict[trio.CancelScope, None] = {}
        """Where wishes are under way; the last is the one that takes in others."""

    def add(self, wish: Wish) -> None:
        """It is begun soon, or once `serve` is."""
        self._said.send_nowait(wish)

    @property
    def waiting(self) -> int:
        """How many are not begun yet."""
        return self._said.statistics().current_buffer_used

    async def serve(self) -> None:
        """Begin wishes until cancelled. None is begun after that, those under way end a group at a time."""
        async with trio.open_nursery() as around, trio.open_nursery() as groups:
            groups.cancel_scope.shield = True
            around.start_soon(self._end_by_groups, groups.cancel_scope)
            groups.start_soon(self._fill, groups)

    async def _fill(self, groups: trio.Nursery) -> None:
        """Begin a group and then the task of the next one; return when all in this one have ended."""
        with trio.CancelScope() as scope:
            self._groups[scope] = None
            async with trio.open_nursery() as group:
                for _ in range(GROUP):
                    group.start_soon(await self._heard.receive())
                groups.start_soon(self._fill, groups)
        self._groups.pop(scope, None)

    async def _end_by_groups(self, everything: trio.CancelScope) -> None:
        """Once cancelled, cancel the group that takes in others, then those before it."""
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                while self._groups:
                    scope, _ = self._groups.popitem()
                    scope.cancel(reason=_REASON)
                    await trio.lowlevel.checkpoint()
            everything.cancel(reason=_REASON)
