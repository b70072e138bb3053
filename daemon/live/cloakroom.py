"""Takes in what pages say while their pieces are being opened after a start: stored and confirmed at once.

A piece is opened by reading its past, and its code is run against its journal: with hundreds of them that
takes a while, and whoever said something waits to hear that it is safe. For that nothing of the past is
needed but what of it is new, which storage tells by name. Once the piece is there it gets what was stored.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial

import trio

from ...protocol.names import AgentId
from ...storage.contract import Heard, Storage
from ...storage.errors import LeaseLost, StorageFailed
from ...storage.records import LiveUpdate
from ..causes import causes
from ..full_disk import with_space
from .hearing import Hearing, TooMuch, names_around
from .line import Line, Said

log = logging.getLogger(__name__)

Taken = dict[Line, Sequence[Said]]


class Cloakroom:
    """One per stage. Writes for a line until that leaves it, once its agent's piece is there."""

    def __init__(self, storage: Storage, onboarding: bool, wall: Callable[[], datetime]) -> None:
        self._storage = storage
        self._onboarding = onboarding
        self._wall = wall
        self._lines: set[Line] = set()
        self._full: dict[Line, None] = {}
        """Those that hold something."""
        self._taken: Taken = {}
        self._woken, self._through = trio.Event(), trio.Event()

    def serves(self, line: Line) -> None:
        """From now on, what the line holds is stored here."""
        self._lines.add(line)

    def came(self, line: Line) -> None:
        """The line holds something new."""
        if line in self._lines:
            self._full[line] = None
            self._woken.set()

    async def leave(self, line: Line) -> None:
        """Return once nothing of the line is under way; what it holds from now on is not touched."""
        self._lines.discard(line)
        self._full.pop(line, None)
        while line in self._taken:
            await self._through.wait()

    async def serve(self) -> None:
        """Store what comes until cancelled; what comes meanwhile is stored together."""
        while True:
            await self._woken.wait()
            self._woken = trio.Event()
            self._taken = {line: line.hand_over() for line in self._full}
            self._full.clear()
            await self._store(self._taken)
            self._taken = {}
            self._through.set()
            self._through = trio.Event()

    async def _store(self, taken: Taken) -> None:
        """Save, then confirm. What cannot be stored with the others is left for its own piece to store."""
        try:
            updates = await self._new(taken)
            if updates:
                await with_space("what pages said", partial(self._storage.add_live, updates, []))
        except Exception as exc:
            if any(isinstance(cause, LeaseLost | StorageFailed) for cause in causes(exc)):
                raise
            log.exception("what pages said is stored once their pieces are open")
            for line, said in taken.items():
                self._leave_to_piece(line, said)
            return
        _give_back(taken, updates)

    def _leave_to_piece(self, line: Line, said: Sequence[Said]) -> None:
        self._lines.discard(line)
        self._full.pop(line, None)
        line.put_back(said)

    async def _new(self, taken: Taken) -> Sequence[LiveUpdate]:
        names = {line.agent_id: _names(said) for line, said in taken.items()}
        heard = await self._storage.heard(self._onboarding, names)
        new: list[LiveUpdate] = []
        for line, said in [*taken.items()]:
            try:
                new += [*self._of(line, said, heard[line.agent_id])]
            except TooMuch:  # its piece knows what is to be confirmed of it
                self._leave_to_piece(line, taken.pop(line))
        return new

    def _of(self, line: Line, said: Sequence[Said], heard: Heard) -> Iterable[LiveUpdate]:
        hearing = Hearing.after(heard.number, heard.names, line.stored_weight)
        for _, packet in said:
            new = hearing.take(packet)
            if new is not None:
                yield line.update_of(packet, new)


def _names(said: Sequence[Said]) -> set[str]:
    return {name for _, packet in said for name in names_around(packet)}


def _give_back(taken: Taken, updates: Sequence[LiveUpdate]) -> None:
    of: dict[AgentId, list[LiveUpdate]] = {}
    for update in updates:
        of.setdefault(update.agent_id, []).append(update)
    for line, said in taken.items():
        line.is_stored(of.get(line.agent_id, ()))
        for link, packet in said:
            link.stream_stored(packet)
