"""One task run as its router sees it. Pure: events go in, commands come out, `now` is an argument.

The shell (`desk`, or a simulated world) carries commands out in order, hands frames of `take_frame` to the
link while there are any, and calls `tick` a few times a second. What sockets say is judged in `seats`.
"""

from collections.abc import Callable, Iterable

from ..protocol.errors import LinkFull, Unsendable
from ..protocol.handshake import Peer
from ..protocol.limits import LINK_SILENT_S, REGISTRATIONS_PER_ADDRESS_PER_MINUTE_MAX, RETRY_AFTER_S
from ..protocol.link import Heard, LinkEnd, Role
from ..protocol.names import MEPHISTO_TASK_VERSION, AgentStatus, Outcome, Reason, WireId
from ..protocol.packets import (
    AgentDetails,
    Answer,
    ClientBoundLiveUpdate,
    LogError,
    RegisterAgent,
    Reply,
    Request,
    RequestStatuses,
    ReturnStatuses,
    SubmitUnit,
    Suspend,
    UpdateStatus,
)
from .answers import answer_of, refusal, refuse_request
from .calm import Pulse
from .commands import (
    AnswerTicket,
    CloseLink,
    CloseSocket,
    Command,
    DropFiles,
    HttpAnswer,
    SocketId,
    TicketId,
    WakeLink,
)
from .limits import LOG_ERRORS_PER_ADDRESS_PER_MINUTE_MAX
from .memory import Memory
from .rates import Minute
from .seats import TOO_BUSY, Seats
from .tickets import Caller, Ticket, Tickets

_VERSION_WORDS = (
    f"The page uses mephisto-task {{}}, this router was made for {MEPHISTO_TASK_VERSION}; if something on it "
    "does not work, this may be why."
)


class RouterRun:
    """Everything the router decides for one run. Holds no truth: what it forgets, the daemon tells again."""

    def __init__(
        self, label: str, key: bytes | None, epoch: int, now: float, wall: Callable[[], float]
    ) -> None:
        """`epoch` is random per start (below 2**40); `wall` gives seconds since 1970, for labels only."""
        self.label = label
        self._memory = Memory(LinkEnd(Role.ROUTER, epoch), Pulse(now), wall, key)
        self._seats = Seats(self._memory)
        self._tickets = Tickets()
        self._ended: Reason | None = None
        self._registrations = Minute(REGISTRATIONS_PER_ADDRESS_PER_MINUTE_MAX)
        self._errors = Minute(LOG_ERRORS_PER_ADDRESS_PER_MINUTE_MAX)

    @property
    def key(self) -> bytes | None:
        """What wire ids are verified with; None until a daemon brought it."""
        return self._memory.key

    @property
    def linked(self) -> bool:
        """Whether a daemon is connected."""
        return self._memory.link.connected

    @property
    def counters(self) -> dict[str, int]:
        """What was counted since the start: refusals and bad input by name."""
        return dict(self._memory.counters + self._memory.link.counters)

    # the link

    def link_up(self, daemon: Peer, now: float) -> list[Command]:
        """A daemon has proved itself on a new connection (its key is already kept on disk).

        Whatever is unanswered goes out again. Frames of an earlier connection must not be given any more.
        """
        self._memory.pulse.heard(now)
        self._memory.key = daemon.key
        for agent, status in daemon.statuses.items():
            if status in _STATUSES:
                self._memory.agents.learn(WireId(agent), AgentStatus(status), now)
        self._memory.agents.report_anew()
        self._memory.link.connection_made(now, daemon.epoch)
        return [WakeLink()]

    def link_lost(self, now: float) -> None:
        """The connection is gone. Requests go on waiting; pages stay calm for a while."""
        self._memory.link.connection_lost()
        self._memory.pulse.lost(now)

    def link_frame(self, frame: bytes, now: float) -> list[Command]:
        """The daemon sent this. RemoteProtocolError: close the connection."""
        self._memory.pulse.heard(now)
        commands: list[Command] = []
        for packet in self._memory.link.receive(frame, now):
            commands += self._from_daemon(packet, now)
        return [*commands, WakeLink()]

    def take_frame(self) -> bytes | None:
        """The next frame for the daemon, or None when nothing waits."""
        return self._memory.link.take_frame()

    def _from_daemon(self, packet: Heard, now: float) -> list[Command]:
        match packet:
            case AgentDetails() | Answer():
                return self._take_reply(packet, now)
            case UpdateStatus():
                return self._seats.tell_status(packet) if self._memory.agents.update(packet, now) else []
            case ClientBoundLiveUpdate():
                return self._seats.tell_update(packet)
            case RequestStatuses():
                return self._report_statuses(now)
            case Suspend():
                self._memory.pulse.announced(packet.for_s, now)
                return []
            case _:
                return []

    def _report_statuses(self, now: float) -> list[Command]:
        try:
            presence = self._memory.agents.presence(now)
            statuses = self._memory.agents.statuses(presence)
            self._memory.link.send(ReturnStatuses(presence, self.counters, statuses))
        except LinkFull as exc:
            return [CloseLink(str(exc))]
        return []

    # requests of pages

    def ask(self, request: Request, caller: Caller, now: float) -> list[Command]:
        """A page asks the daemon. Exactly one `AnswerTicket` for `request.request` follows, now or later."""
        reason = self._refuses(request, caller, now)
        if reason is None:
            ticket = self._tickets.open(request, caller, now)
            reason = self._send(ticket, now)
            if reason is None:
                return [WakeLink()]
            self._tickets.close(ticket)
        self._memory.counters[f"refused_{reason.value}"] += 1
        answer = refuse_request(request, caller, self._memory.wall(), reason)
        return [AnswerTicket(TicketId(request.request), answer)]

    def hold_files(self, digests: Iterable[str]) -> None:
        """These uploads are about to be named by a request: they must not be dropped now."""
        self._tickets.hold_files(digests)

    def release_files(self, digests: Iterable[str], answered: bool) -> list[Command]:
        """Undo `hold_files`. Unless the request was `answered` the files stay: the daemon may want them."""
        unwanted = self._tickets.release_files(digests)
        return _drop(unwanted) if answered else []

    def wants_file(self, digest: str) -> bool:
        """Whether an open request names this upload."""
        return self._tickets.wants_file(digest)

    def log_error(
        self, error: LogError, caller: Caller, now: float
    ) -> tuple[HttpAnswer | None, list[Command]]:
        """A page reports an error; None as answer: the daemon is told (best effort)."""
        if error.subject and not self._memory.verifies(error.subject):
            return self._refuse_error(Reason.UNKNOWN_AGENT)
        if not self._errors.take(caller.address, now):
            return self._refuse_error(Reason.TOO_MANY_REQUESTS)
        try:
            told = self._memory.link.send(error)
        except Unsendable:
            return self._refuse_error(Reason.TOO_LARGE)
        except LinkFull:
            told = False
        if not told:
            return self._refuse_error(Reason.TRY_LATER)
        return None, [WakeLink()]

    def page_uses(self, version: str, now: float) -> list[Command]:
        """A page names its version of mephisto-task; the daemon hears of one that we were not made for."""
        if version == MEPHISTO_TASK_VERSION:
            return []
        self._memory.counters["version_mismatches"] += 1
        text = _VERSION_WORDS.format(version[:40])
        _, commands = self.log_error(
            LogError(WireId(""), {"error_type": "version-mismatch", "text": text}), Caller(""), now
        )
        return commands

    def page_left(self, agent: WireId) -> HttpAnswer | None:
        """A page said (by a beacon) that it goes; only the presence shown changes."""
        if not self._memory.verifies(agent):
            return self._refuse_error(Reason.UNKNOWN_AGENT)[0]
        self._memory.agents.left(agent)
        return None

    def knows(self, agent: WireId) -> HttpAnswer | None:
        """None if this id is genuine, else the answer that its sender gets (SEC1, SEC2)."""
        if self._memory.key is None:
            return refusal(Reason.TRY_LATER)
        return None if self._memory.verifies(agent) else refusal(Reason.UNKNOWN_AGENT)

    def _refuse_error(self, reason: Reason) -> tuple[HttpAnswer, list[Command]]:
        self._memory.counters[f"refused_{reason.value}"] += 1
        return refusal(reason), []

    def _refuses(self, request: Request, caller: Caller, now: float) -> Reason | None:
        if self._ended is not None:
            return self._ended
        if isinstance(request, RegisterAgent):
            if not self._registrations.take(caller.address, now):
                return Reason.TOO_MANY_REQUESTS
        elif self._memory.key is None:
            return Reason.TRY_LATER
        elif not self._memory.verifies(request.subject):
            return Reason.UNKNOWN_AGENT
        elif not self._tickets.room_for(request):
            return Reason.TOO_MANY_REQUESTS
        else:
            self._memory.agents.came(request.subject)
        return None

    def _send(self, ticket: Ticket, now: float) -> Reason | None:
        try:
            self._memory.link.send_request(ticket.request, now)
        except LinkFull:
            return Reason.TRY_LATER
        except Unsendable:
            return Reason.TOO_LARGE
        return None

    def _take_reply(self, reply: Reply, now: float) -> list[Command]:
        ticket = self._tickets.get(TicketId(reply.request))
        if ticket is None:
            return []
        self._learn(ticket.request, reply, now)
        if self._waits_on(ticket, reply, now):
            return []
        unnamed = self._tickets.close(ticket)
        answer = answer_of(ticket.request, reply, ticket.caller, self._memory.wall())
        return [AnswerTicket(ticket.id, answer), *_drop(unnamed)]

    def _learn(self, request: Request, reply: Reply, now: float) -> None:
        agent = reply.agent_id if isinstance(reply, AgentDetails) else getattr(request, "subject", None)
        if agent is None or reply.status is None:
            return
        self._memory.agents.learn(WireId(agent), reply.status, now)
        if isinstance(reply, AgentDetails):
            self._memory.agents.came(WireId(agent))

    def _waits_on(self, ticket: Ticket, reply: Reply, now: float) -> bool:
        """An unchanged page cannot submit again, so "later" makes us ask again on its behalf."""
        wait = RETRY_AFTER_S if reply.retry_after_s is None else max(1.0, reply.retry_after_s)
        if reply.outcome is not Outcome.TRY_LATER or ticket.caller.crowdd_client:
            return False
        if not isinstance(ticket.request, SubmitUnit) or now + wait >= ticket.until:
            return False
        self._tickets.ask_again_at(ticket, now + wait)
        return True

    # sockets of pages

    def socket_opened(self, address: str, now: float) -> SocketId | None:
        """A page connects; None: there are too many, refuse it."""
        return self._seats.open(address, now)

    def socket_heard(self, socket: SocketId, text: bytes, now: float) -> list[Command]:
        """A page said this."""
        return self._seats.hear(socket, text, now)

    def socket_closed(self, socket: SocketId) -> None:
        """A page's connection is gone."""
        self._seats.close(socket)

    def socket_stuck(self, socket: SocketId) -> list[Command]:
        """A page takes nothing and its queue is full."""
        self._memory.counters["sockets_stuck"] += 1
        self._seats.close(socket)
        return [CloseSocket(socket, TOO_BUSY, "this page reads too slowly")]

    # time

    def tick(self, now: float) -> list[Command]:
        """Do what is due: give up or repeat held requests, end silent sockets and a silent link."""
        commands: list[Command] = []
        for ticket in self._tickets.due(now):
            commands += self._give_up(ticket) if now >= ticket.until else self._ask_again(ticket, now)
        commands += self._seats.close_silent(now)
        for agent in self._memory.agents.forget_finished(now, self._seats.seated()):
            self._memory.feeds.forget(agent)
            self._memory.link.forget(agent)
        if self.linked and self._memory.link.silent_for(now) > LINK_SILENT_S:
            commands.append(CloseLink("nothing was heard of the daemon"))
        return commands

    def end(self, reason: Reason) -> list[Command]:
        """The router stops, or the run is taken off it: every held request and every page is told."""
        self._ended = reason
        commands: list[Command] = []
        for ticket in self._tickets.all():
            commands += self._give_up(ticket, reason)
        return [*commands, *self._seats.close_all("the service is pausing")]

    def _give_up(self, ticket: Ticket, reason: Reason = Reason.TRY_LATER) -> list[Command]:
        self._memory.counters["given_up"] += 1
        self._memory.link.withdraw(ticket.id)
        # Its files stay for a while: the daemon may be fetching them at this moment.
        self._tickets.close(ticket)
        answer = refuse_request(ticket.request, ticket.caller, self._memory.wall(), reason)
        return [AnswerTicket(ticket.id, answer)]

    def _ask_again(self, ticket: Ticket, now: float) -> list[Command]:
        if ticket.again_at is None or now < ticket.again_at:
            return []
        ticket.again_at = None
        if self._send(ticket, now) is not None:
            return self._give_up(ticket)
        return [WakeLink()]


_STATUSES = frozenset(status.value for status in AgentStatus)


def _drop(digests: frozenset[str]) -> list[Command]:
    return [DropFiles(digests)] if digests else []
