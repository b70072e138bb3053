"""Whose page is there: routers tell, and who is away for longer than the run's grace is lost. Holds no truth.

Time counts only while a router of the run is reached: nobody is lost by an outage of ours.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import trio

from ...protocol.names import WireId
from ..deadlines import Deadlines
from ..reached import one_reached, until_all_away
from ..router_link import RouterLink
from ..slices import by_slices

AGENTS_A_TURN = 1_000  # some 3 us each
Lost = Callable[[WireId], Awaitable[None]]


class Attendance:
    """The live agents of one run, by wire id. Who is new is away until the page says something."""

    def __init__(self, grace_s: float, lost: Lost, changed: Callable[[WireId, bool], None]) -> None:
        """`lost` is called when somebody's grace is over, `changed` whenever somebody comes or goes."""
        self._grace_s = grace_s
        self._lost = lost
        self._changed = changed
        self._deadlines: Deadlines[WireId] = Deadlines()
        self._present: dict[WireId, bool] = {}
        self._in_house: set[WireId] = set()
        self._sat: set[WireId] = set()
        """Those whose page held a connection, since they are expected."""

    def expect(self, wire_id: WireId) -> None:
        """An agent lives: its page is to come, if it is not there."""
        if wire_id not in self._present:
            self._present[wire_id] = False
            self._begin_grace(wire_id)

    def forget(self, wire_id: WireId) -> None:
        """The agent has ended."""
        self._present.pop(wire_id, None)
        self._in_house.discard(wire_id)
        self._sat.discard(wire_id)
        self._deadlines.forget(wire_id)

    def is_present(self, wire_id: WireId) -> bool:
        """Whether its page is there."""
        return self._present.get(wire_id, False)

    def is_in_house(self, wire_id: WireId) -> None:
        """Its page is a part of the daemon, of which no router knows: it is there until it is forgotten."""
        self._in_house.add(wire_id)
        self.came(wire_id)

    def came(self, wire_id: WireId) -> None:
        """Its page said something over a connection."""
        if wire_id in self._present:
            self._sat.add(wire_id)
        self._be_here(wire_id)

    def is_back(self, wire_id: WireId) -> None:
        """A router says that its page is there. Of one that never held a connection it says so as well, once
        that has asked something: that is no page to talk with."""
        if wire_id in self._sat:
            self._be_here(wire_id)

    def _be_here(self, wire_id: WireId) -> None:
        if self._present.get(wire_id) is False:
            self._present[wire_id] = True
            self._deadlines.forget(wire_id)
            self._changed(wire_id, True)

    def went(self, wire_id: WireId) -> None:
        """Its page is gone, or silent."""
        if self._present.get(wire_id) and wire_id not in self._in_house:
            self._present[wire_id] = False
            self._begin_grace(wire_id)
            self._changed(wire_id, False)

    async def watch(self, links: Sequence[RouterLink]) -> None:
        """Let time pass while a router is reached, until cancelled. After each outage grace begins anew."""
        while True:
            await one_reached(links)
            await self._begin_graces()
            await until_all_away(links, partial(self._deadlines.watch, self._lost))

    async def _begin_graces(self) -> None:
        """Of everybody who is away; a slice a turn of the loop."""

        def begin(wire_id: WireId) -> None:
            if self._present.get(wire_id) is False:
                self._begin_grace(wire_id)

        await by_slices([*self._present], AGENTS_A_TURN, begin)

    def _begin_grace(self, wire_id: WireId) -> None:
        self._deadlines.set(wire_id, trio.current_time() + self._grace_s)
