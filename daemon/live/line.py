"""The line between one live agent's page and its piece: what comes in once, what goes out in order."""

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Protocol

import attrs

from ...protocol.names import AgentId, WireId
from ...protocol.packets import Alive, MephistoBoundLiveUpdate
from ...protocol.streams import Confirmed
from ...storage.records import LiveUpdate
from .calls import Calls, is_call
from .hearing import HEARD_BYTES_MAX, HEARD_MAX, Hearing, New, TooMuch, weight
from .hold import Hold
from .outbound import Outbound, StreamLink
from .piece import Piece

log = logging.getLogger(__name__)


class LiveLink(StreamLink, Protocol):
    """The way to and from one router."""

    def stream_stored(self, packet: MephistoBoundLiveUpdate) -> None:
        """Confirm an update of a page, and all of its agent before it."""
        ...


LivePacket = MephistoBoundLiveUpdate | Alive | Confirmed
"""What a link says of live work."""


Said = tuple[LiveLink, MephistoBoundLiveUpdate]
"""What a page said, and the way back to it."""


@attrs.frozen
class Attached:
    """What a line leads to while its agent's piece is served."""

    piece: Piece
    hearing: Hearing
    calls: Calls | None
    """None: pages can call nothing."""


class Line:
    """One per live agent. Before its piece is opened, what comes is held; the router keeps it as well, until
    the cloakroom has stored it. How much, `hold` counts: a router that sends without end is cut off.

    Of an agent whose pages have said as much as is taken of one, nothing is stored any more, nor confirmed:
    its pages keep it, until the router takes nothing more of them, and tell their worker.
    """

    def __init__(
        self, agent_id: AgentId, wire_id: WireId, onboarding: bool, outbound: Outbound,
        wall: Callable[[], datetime], hold: Hold,
    ) -> None:  # fmt: skip
        self.agent_id = agent_id
        self.wire_id = wire_id
        self.outbound = outbound
        self._onboarding = onboarding
        self._wall = wall
        self._attached: Attached | None = None
        self._hold = hold
        self._held: list[tuple[LiveLink, bytes]] = []
        self._stored: list[LiveUpdate] = []
        self.stored_weight = 0
        """What that takes which was stored and given to no piece yet."""
        self._has_refused = False
        self.has_ended = False
        """Whether the agent's part is over, and only last words go to its page."""
        self._is_forgotten = False

    @property
    def piece(self) -> Piece | None:
        """What the agent works on, once that is served."""
        return None if self._attached is None else self._attached.piece

    def attach(self, attached: Attached) -> None:
        """The agent's piece is served from now on: it gets what was stored since it was read, or is held."""
        self._attached = attached
        for update in self._stored:
            if update.number > attached.hearing.number:
                attached.hearing.knows(update)
                self._give(attached, update)
        self._drop_stored()
        for link, packet in self.hand_over():
            self._pass_on(attached, link, packet)

    def detach(self) -> None:
        """The piece is over, and the agent is not: what comes is held for the next one."""
        self._attached = None

    def heard(self, link: LiveLink, packet: MephistoBoundLiveUpdate) -> None:
        """The agent's page sent this."""
        if self.has_ended:
            link.stream_stored(packet)
        elif self._attached is None:
            self._held.append((link, self._hold.keep(link, packet)))
        else:
            self._pass_on(self._attached, link, packet)

    def hand_over(self) -> Sequence[Said]:
        """What is held, to be stored by who asks."""
        held, self._held = self._held, []
        return [(link, self._hold.give_back(link, encoded)) for link, encoded in held]

    def put_back(self, said: Sequence[Said]) -> None:
        """What was handed over was not stored."""
        if self._is_forgotten:
            return
        self._held = [*((link, self._hold.keep(link, packet)) for link, packet in said), *self._held]
        if self.has_ended:
            self.end()

    def forget(self) -> None:
        """Nothing comes any more, and nothing asks for what is held: its router keeps that."""
        self._is_forgotten = True
        self.hand_over()

    def is_stored(self, updates: Iterable[LiveUpdate]) -> None:
        """These of what was handed over are stored, and were given to no piece yet."""
        if not self.has_ended:
            new = [*updates]
            self._stored += new
            self.stored_weight += sum(weight(update.update) for update in new)

    def end(self) -> None:
        """The agent's part is over: what no piece was given, and what comes, is confirmed and dropped."""
        self.has_ended = True
        self._attached = None
        self._drop_stored()
        for link, packet in self.hand_over():
            link.stream_stored(packet)

    def _drop_stored(self) -> None:
        self._stored.clear()
        self.stored_weight = 0

    def _pass_on(self, to: Attached, link: LiveLink, packet: MephistoBoundLiveUpdate) -> None:
        if self._has_refused:
            return  # to confirm any would confirm all before it
        stored = partial(link.stream_stored, packet)
        try:
            new = to.hearing.take(packet)
        except TooMuch:
            self._refuse()
            return
        if new is None:
            to.piece.heard_again(stored)
            return
        update = self.update_of(packet, new)
        called = to.calls is not None and is_call(update.update)
        to.piece.heard(update, not called, stored)
        if called and to.calls is not None:
            to.calls.take(update)

    def _refuse(self) -> None:
        self._has_refused = True
        ids = {"onboarding" if self._onboarding else "agent": self.agent_id}
        words = "its pages have said more than %d updates, or more than %d bytes: what they say is not taken"
        log.warning(words, HEARD_MAX, HEARD_BYTES_MAX, extra=ids)

    def _give(self, to: Attached, update: LiveUpdate) -> None:
        """What is stored already."""
        if to.calls is not None and is_call(update.update):
            to.calls.take(update)
        else:
            to.piece.deliver(update)

    def update_of(self, packet: MephistoBoundLiveUpdate, new: New) -> LiveUpdate:
        """What is stored of what the page said."""
        return LiveUpdate(
            self._onboarding, self.agent_id, False, new.number, new.name,
            packet.page, packet.page_number, packet.update, self._wall(),
        )  # fmt: skip
