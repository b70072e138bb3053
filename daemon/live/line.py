"""The line between one live agent's page and its piece: what comes in once, what goes out in order."""

from collections import deque
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Protocol

import attrs

from ...protocol.names import AgentId, WireId
from ...protocol.packets import Alive, MephistoBoundLiveUpdate
from ...protocol.streams import Confirmed
from ...storage.records import LiveUpdate
from .calls import Calls, is_call
from .hearing import Hearing
from .outbound import Outbound, StreamLink
from .piece import Piece


class LiveLink(StreamLink, Protocol):
    """The way to and from one router."""

    def stream_stored(self, packet: MephistoBoundLiveUpdate) -> None:
        """Confirm an update of a page, and all of its agent before it."""
        ...


LivePacket = MephistoBoundLiveUpdate | Alive | Confirmed
"""What a link says of live work."""


@attrs.frozen
class Attached:
    """What a line leads to while its agent's piece is served."""

    piece: Piece
    hearing: Hearing
    calls: Calls | None
    """None: pages can call nothing."""


class Line:
    """One per live agent. Before its piece is opened, what comes is held; the router keeps it as well."""

    def __init__(
        self, agent_id: AgentId, wire_id: WireId, onboarding: bool, outbound: Outbound,
        wall: Callable[[], datetime],
    ) -> None:  # fmt: skip
        self.agent_id = agent_id
        self.wire_id = wire_id
        self.outbound = outbound
        self._onboarding = onboarding
        self._wall = wall
        self._attached: Attached | None = None
        self._held: deque[tuple[LiveLink, MephistoBoundLiveUpdate]] = deque()
        self.has_ended = False
        """Whether the agent's part is over, and only last words go to its page."""

    @property
    def piece(self) -> Piece | None:
        """What the agent works on, once that is served."""
        return None if self._attached is None else self._attached.piece

    def attach(self, attached: Attached) -> None:
        """The agent's piece is served from now on: it gets what was held."""
        self._attached = attached
        while self._held:
            self._pass_on(attached, *self._held.popleft())

    def detach(self) -> None:
        """The piece is over, and the agent is not: what comes is held for the next one."""
        self._attached = None

    def heard(self, link: LiveLink, packet: MephistoBoundLiveUpdate) -> None:
        """The agent's page sent this."""
        if self.has_ended:
            link.stream_stored(packet)
        elif self._attached is None:
            self._held.append((link, packet))
        else:
            self._pass_on(self._attached, link, packet)

    def end(self) -> None:
        """The agent's part is over: what no piece was given, and what comes, is confirmed and dropped."""
        self.has_ended = True
        self._attached = None
        while self._held:
            link, packet = self._held.popleft()
            link.stream_stored(packet)

    def _pass_on(self, to: Attached, link: LiveLink, packet: MephistoBoundLiveUpdate) -> None:
        stored = partial(link.stream_stored, packet)
        new = to.hearing.take(packet)
        if new is None:
            to.piece.heard_again(stored)
            return
        update = LiveUpdate(
            self._onboarding, self.agent_id, False, new.number, new.name,
            packet.page, packet.page_number, packet.update, self._wall(),
        )  # fmt: skip
        called = to.calls is not None and is_call(update.update)
        to.piece.heard(update, not called, stored)
        if called and to.calls is not None:
            to.calls.take(update)
