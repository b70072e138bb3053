"""What the pure core wants done; the shell carries it out in this order, nothing else."""

from collections.abc import Mapping
from typing import Any, NewType

import attrs

TicketId = NewType("TicketId", str)
"""Names one HTTP request that waits for its answer; also the `r` of its packet on the link."""
SocketId = NewType("SocketId", int)


@attrs.frozen
class HttpAnswer:
    """Status and JSON body for a page; `retry_after_s` becomes a header."""

    status: int
    body: Mapping[str, Any] = attrs.field(repr=False)
    retry_after_s: int | None = None


@attrs.frozen
class AnswerTicket:
    """Let this HTTP request end with this answer."""

    ticket: TicketId
    answer: HttpAnswer


@attrs.frozen
class TellSocket:
    """Send this packet to a page; a page too slow to take it loses its socket."""

    socket: SocketId
    packet: Mapping[str, Any] = attrs.field(repr=False)


@attrs.frozen
class CloseSocket:
    """End a page's socket."""

    socket: SocketId
    code: int
    words: str


@attrs.frozen
class DropFiles:
    """No open request names these uploads any more."""

    digests: frozenset[str]


@attrs.frozen
class WakeLink:
    """`RouterRun.take_frame` has something to give."""


@attrs.frozen
class CloseLink:
    """End the connection to the daemon, which will come back."""

    words: str


Command = AnswerTicket | TellSocket | CloseSocket | DropFiles | WakeLink | CloseLink
