"""The shell around one run's core: waits, queues and wakes; decides nothing. anyio only, no framework.

HTTP handlers `ask_for` something or await `ask`, a socket's door serves a `Mailbox`, the link's door awaits
`serve_link`.
"""

import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import Protocol

import anyio
import attrs

from ..protocol.errors import RemoteProtocolError
from ..protocol.handshake import Peer
from ..protocol.packets import LogError, Request
from .commands import (
    AnswerTicket,
    CloseLink,
    CloseSocket,
    Command,
    DropFiles,
    HttpAnswer,
    Load,
    Note,
    SetAside,
    SocketId,
    Spool,
    SpoolCommand,
    TellSocket,
    TicketId,
    Unspool,
    WakeLink,
)
from .mailbox import Mailbox
from .run import RouterRun
from .tickets import Caller

log = logging.getLogger(__name__)


class Wire(Protocol):
    """An open connection to the daemon: whole frames in order, either way."""

    async def serve(self, hear: Callable[[bytes], None], take: Callable[[], bytes | None]) -> None:
        """Let `hear` have each frame as it comes, send what `take` gives; return when the connection is lost.

        Neither waits, nor fails.
        """
        ...

    def wake(self) -> None:
        """`take` has something to give: ask it soon, so that what comes together shares a frame."""
        ...


Answered = Callable[[HttpAnswer], None]
"""Takes the answer to a request, once. It neither waits nor fails: it is called amid other work."""


@attrs.define(eq=False)
class _Waiting:
    """A task that sleeps until there is an answer."""

    done: anyio.Event = attrs.Factory(anyio.Event)
    answer: HttpAnswer | None = None

    def take(self, answer: HttpAnswer) -> None:
        self.answer = answer
        self.done.set()


@attrs.define(eq=False)
class _Link:
    daemon: Peer
    wire: Wire
    scope: anyio.CancelScope = attrs.Factory(anyio.CancelScope)
    words: str = "the connection was lost"


class Desk:
    """One run at work.

    `drop_files` removes uploads that nobody needs any more (at once, without waiting); `spool` does soon what
    the outbox wants of the disk, and then tells the run and lets this desk carry out what follows.
    """

    def __init__(
        self,
        run: RouterRun,
        drop_files: Callable[[Iterable[str]], None],
        spool: Callable[["Desk", SpoolCommand], None],
        clock: Callable[[], float] = anyio.current_time,
    ) -> None:
        self.run = run
        self.clock = clock
        """What is `now` to the run. A page is heard outside of all tasks, where anyio knows no time."""
        self._drop_files = drop_files
        self._spool = spool
        self._waiting: dict[TicketId, Answered] = {}
        self._mailboxes: dict[SocketId, Mailbox] = {}
        self._told: dict[SocketId, Mailbox] = {}
        """Those in which there is news that nobody knows of yet."""
        self._link: _Link | None = None

    # pages

    async def ask(self, request: Request, caller: Caller) -> HttpAnswer:
        """Ask the daemon for a page; always answers, within the time the request is held."""
        waiting = _Waiting()
        self.ask_for(request, caller, waiting.take)
        try:
            await waiting.done.wait()
        finally:
            self._waiting.pop(TicketId(request.request), None)
        assert waiting.answer is not None
        return waiting.answer

    def ask_for(self, request: Request, caller: Caller, answered: Answered) -> None:
        """The same without waiting: `answered` is called, perhaps before this returns."""
        ticket = TicketId(request.request)
        self._waiting[ticket] = answered
        try:
            self.carry_out(self.run.ask(request, caller, self.clock()))
        except BaseException:
            self._waiting.pop(ticket, None)
            raise

    def log_error(self, error: LogError, caller: Caller) -> HttpAnswer | None:
        """Pass a page's error report on; None: done."""
        answer, commands = self.run.log_error(error, caller, self.clock())
        self.carry_out(commands)
        return answer

    def page_uses(self, version: str) -> None:
        """A page names its version of mephisto-task."""
        self.carry_out(self.run.page_uses(version, self.clock()))

    def open_socket(self, address: str) -> tuple[SocketId, Mailbox] | None:
        """A page connects; None: refuse it."""
        socket = self.run.socket_opened(address, self.clock())
        if socket is None:
            return None
        mailbox = self._mailboxes[socket] = Mailbox()
        return socket, mailbox

    def hear(self, socket: SocketId, text: bytes) -> None:
        """A page said this."""
        mailbox = self._mailboxes.get(socket)
        waiting = 0 if mailbox is None else len(mailbox.packets)
        self.carry_out(self.run.socket_heard(socket, text, self.clock(), waiting))

    def close_socket(self, socket: SocketId) -> None:
        """A page's connection is gone."""
        self.run.socket_closed(socket, self.clock())
        self._mailboxes.pop(socket, None)

    # the daemon

    def refuses(self, daemon: Peer) -> str | None:
        """Why this (proved) daemon gets no link: one that came later holds it."""
        if self._link is not None and self._link.daemon.epoch > daemon.epoch:
            return "a daemon that started later holds the link of this run"
        return None

    async def serve_link(self, daemon: Peer, wire: Wire) -> str:
        """Serve a proved daemon until the link ends; returns why it did. An older link is ended first."""
        self.drop_link("a newer link of the daemon took its place")
        link = self._link = _Link(daemon, wire)
        self.carry_out(self.run.link_up(daemon, self.clock()))
        try:
            with link.scope:
                await wire.serve(partial(self._hear_link, link), partial(self._take_frame, link))
        finally:
            if self._link is link:
                self._lose_link()
        return link.words

    def drop_link(self, words: str) -> None:
        """End the present link, if there is one; it counts as lost from now on."""
        if self._link is not None:
            self._link.words = words
            self._link.scope.cancel()
            self._lose_link()

    def _lose_link(self) -> None:
        self._link = None
        self.run.link_lost(self.clock())

    def _hear_link(self, link: _Link, frame: bytes) -> None:
        if self._link is not link:
            return  # what came before it was ended has all been read
        try:
            commands = self.run.link_frame(frame, self.clock())
        except RemoteProtocolError as exc:
            self.drop_link(f"the daemon sent what is no frame: {exc}")
        else:
            self.carry_out(commands)

    def _take_frame(self, link: _Link) -> bytes | None:
        return self.run.take_frame() if self._link is link else None

    # what the core wants

    def tick(self) -> None:
        """Let the core do what is due."""
        self.carry_out(self.run.tick(self.clock()))

    def carry_out(self, commands: Iterable[Command]) -> None:
        """Do what the core decided, in order. Never waits."""
        # What there is most of comes first: each class is asked about in turn.
        for command in commands:
            match command:
                case TellSocket():
                    self._tell(command)
                case WakeLink():
                    if self._link is not None:
                        self._link.wire.wake()
                case AnswerTicket():
                    self._answer(command)
                case CloseSocket():
                    self._send_away(command)
                case DropFiles():
                    self._drop_files(command.digests)
                case CloseLink():
                    ids = {"label": self.run.label}
                    log.warning("link closed: %s", command.words, extra=ids)
                    self.drop_link(command.words)
                case Spool() | Load() | Unspool() | SetAside():
                    self._spool(self, command)
                case Note():
                    level = logging.ERROR if command.is_alarm else logging.INFO
                    log.log(level, "%s", command.words, extra={"label": self.run.label})
        if self._told:
            self._announce()

    def _announce(self) -> None:
        """Only now: what is told a page on one occasion goes out in one piece."""
        told, self._told = self._told, {}
        for mailbox in told.values():
            mailbox.on_news()

    def _answer(self, command: AnswerTicket) -> None:
        answered = self._waiting.pop(command.ticket, None)
        if answered is not None:
            answered(command.answer)

    def _tell(self, command: TellSocket) -> None:
        mailbox = self._mailboxes.get(command.socket)
        if mailbox is None or mailbox.closing is not None:
            return
        if mailbox.put(command.packet):
            self._told[command.socket] = mailbox
        else:
            mailbox.clear()
            self.carry_out(self.run.socket_stuck(command.socket, self.clock()))

    def _send_away(self, command: CloseSocket) -> None:
        mailbox = self._mailboxes.get(command.socket)
        if mailbox is not None:
            mailbox.close(command.code, command.words)
            self._told[command.socket] = mailbox
