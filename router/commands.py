"""What the pure core wants done; the shell carries it out in this order, nothing else."""

from collections.abc import Mapping
from typing import Any, NewType

import attrs

from ..protocol.names import WireId
from ..protocol.values import frozen

TicketId = NewType("TicketId", str)
"""Names one HTTP request that waits for its answer; also the `r` of its packet on the link."""
SocketId = NewType("SocketId", int)


@frozen
class HttpAnswer:
    """Status and JSON body for a page; `retry_after_s` becomes a header."""

    status: int
    body: Mapping[str, Any] = attrs.field(repr=False)
    retry_after_s: int | None = None


@frozen
class AnswerTicket:
    """Let this HTTP request end with this answer."""

    ticket: TicketId
    answer: HttpAnswer


@frozen
class TellSocket:
    """Send this packet to a page; a page too slow to take it loses its socket."""

    socket: SocketId
    packet: Mapping[str, Any] = attrs.field(repr=False)


@frozen
class CloseSocket:
    """End a page's socket."""

    socket: SocketId
    code: int
    words: str


@frozen
class DropFiles:
    """No open request names these uploads any more."""

    digests: frozenset[str]


@frozen
class WakeLink:
    """`RouterRun.take_frame` has something to give."""


@frozen
class CloseLink:
    """End the connection to the daemon, which will come back."""

    words: str


@frozen
class Kept:
    """What the router keeps on disk of one thing that was handed in, until the daemon has it."""

    number: int
    """Names it within its run; the order in which things were handed in."""
    agent: WireId = attrs.field(repr=False)
    is_answer: bool
    """Whether it is the final answer, and not something told beside it."""
    digest: str
    """Of what it says: the same again is the same."""
    files: tuple[str, ...]
    """The uploads that belong to it, by sha256."""
    size: int
    """In bytes, with its uploads."""


@frozen
class Spool:
    """Put this on disk, durably, then call `RouterRun.spooled`."""

    kept: Kept
    packet: bytes = attrs.field(repr=False)


@frozen
class Load:
    """Read it back, then call `RouterRun.loaded`; what is damaged is set aside."""

    kept: Kept


@frozen
class Unspool:
    """The daemon has it, or nobody was told that it is kept: remove it, then call `RouterRun.unspooled`."""

    kept: Kept


@frozen
class SetAside:
    """The daemon cannot take it: move it to where staff find it."""

    kept: Kept
    why: str


@frozen
class Note:
    """Write this into the log: something that whoever runs the router should know."""

    words: str
    is_alarm: bool = True


SpoolCommand = Spool | Load | Unspool | SetAside
Command = AnswerTicket | TellSocket | CloseSocket | DropFiles | WakeLink | CloseLink | SpoolCommand | Note
