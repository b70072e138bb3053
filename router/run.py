"""One task run as its router sees it. Pure: events go in, commands come out, `now` is an argument.

The shell (`desk`, or a simulated world) carries commands out in order, hands frames of `take_frame` to the
link while there are any, and calls `tick` a few times a second. What pages ask is judged in `asking`, what
their sockets say in `seats`.
"""

from collections.abc import Callable, Iterable

from ..protocol.errors import LinkFull, Unsendable
from ..protocol.handshake import Peer
from ..protocol.limits import LINK_SILENT_S
from ..protocol.link import Heard, LinkEnd, Role
from ..protocol.names import MEPHISTO_TASK_VERSION, AgentStatus, Reason, WireId
from ..protocol.packets import (
    AgentDetails,
    Answer,
    ClientBoundLiveUpdate,
    LogError,
    Request,
    RequestStatuses,
    ReturnStatuses,
    RollCall,
    Suspend,
    UpdateStatus,
)
from ..protocol.streams import Confirmed
from ..protocol.uploads import UploadRule
from .answers import refusal
from .asking import Asking
from .calm import Pulse
from .commands import CloseLink, CloseSocket, Command, HttpAnswer, Kept, SocketId, WakeLink
from .limits import LOG_ERRORS_PER_ADDRESS_PER_MINUTE_MAX
from .memory import Memory
from .outbox import HandedIn
from .quota import Quota
from .rates import Minute
from .seats import TOO_BUSY, Seats
from .tickets import Caller

_VERSION_WORDS = (
    f"The page uses mephisto-task {{}}, this router was made for {MEPHISTO_TASK_VERSION}; if something on it "
    "does not work, this may be why."
)


class RouterRun:
    """Everything the router decides for one run. Holds no truth: what it forgets, the daemon tells again."""

    def __init__(
        self,
        label: str,
        key: bytes | None,
        epoch: int,
        now: float,
        wall: Callable[[], float],
        quota: Quota | None = None,
        kept: Iterable[Kept] = (),
        uploads: UploadRule | None = None,
    ) -> None:
        """`epoch` is random per start (below 2**40); `wall` gives seconds since 1970, for labels only.

        `quota` is shared by the runs of a router; `kept` is what its outbox has on disk.
        """
        self.label = label
        self._memory = Memory(LinkEnd(Role.ROUTER, epoch), Pulse(now), wall, key, uploads)
        self._seats = Seats(self._memory)
        self._asking = Asking(self._memory, self._seats, quota or Quota(), epoch)
        self.outbox = self._asking.outbox
        self.outbox.take_up(kept)
        self._errors = Minute(LOG_ERRORS_PER_ADDRESS_PER_MINUTE_MAX)

    @property
    def key(self) -> bytes | None:
        """What wire ids are verified with; None until a daemon brought it."""
        return self._memory.key

    @property
    def uploads(self) -> UploadRule | None:
        """Which files may be handed in; None: any, as far as is known."""
        return self._memory.uploads

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
        """A daemon has proved itself on a new connection (key and uploads are already kept on disk).

        Whatever is unanswered goes out again, and whose pages are there; these are told what they missed.
        Frames of an earlier connection must not be given any more.
        """
        self._memory.pulse.heard(now)
        self._memory.key = daemon.key
        self._memory.uploads = daemon.uploads
        news: list[Command] = []
        for agent, status in daemon.statuses.items():
            if status in _STATUSES and self._memory.learn(WireId(agent), AgentStatus(status), now):
                news += self._seats.tell_known(WireId(agent))
        self._memory.presence.report_anew()
        self._memory.link.connection_made(now, daemon.epoch)
        return [*news, *self._say(self._seats.exchange.linked), *self.outbox.deliver(now)]

    def link_lost(self, now: float) -> None:
        """The connection is gone. Requests go on waiting, or are kept; pages stay calm for a while."""
        self._memory.link.connection_lost()
        self._asking.link_lost(now)
        self._memory.pulse.lost(now)

    def link_frame(self, frame: bytes, now: float) -> list[Command]:
        """The daemon sent this. RemoteProtocolError: close the connection."""
        self._memory.pulse.heard(now)
        commands: list[Command] = []
        for packet in self._memory.link.receive(frame, now):
            commands += self._from_daemon(packet, now)
        return [*commands, WakeLink()] if self._memory.link.queue_length else commands

    def take_frame(self) -> bytes | None:
        """The next frame for the daemon, or None when nothing waits."""
        return self._memory.link.take_frame()

    def _from_daemon(self, packet: Heard, now: float) -> list[Command]:
        match packet:
            case AgentDetails() | Answer():
                return self._asking.take_reply(packet, now)
            case UpdateStatus():
                return self._seats.tell_status(packet) if self._memory.update(packet, now) else []
            case ClientBoundLiveUpdate():
                return self._seats.exchange.tell(packet, now)
            case Confirmed():
                return self._seats.exchange.tell_stored(packet)
            case RollCall():
                return self._seats.exchange.call_roll(packet)
            case RequestStatuses():
                return self._report_presence(now)
            case Suspend():
                self._memory.pulse.announced(packet.for_s, now)
                return []
            case _:
                return []

    def _report_presence(self, now: float) -> list[Command]:
        report = self._memory.presence.report(now, self._is_watched)
        return self._say_presence(report, partial=False)

    def _report_changes(self, now: float) -> list[Command]:
        """Unasked, so that the daemon notices at once who is gone or back."""
        if not self.linked:
            return []
        changes = self._memory.presence.changes(now, self._is_watched)
        return self._say_presence(changes, partial=True) if changes else []

    def _is_watched(self, agent: WireId) -> bool:
        """Whether it matters where this agent is: one whose answer is kept may go."""
        return self._memory.agents.lives(agent) and not self.outbox.has_answer_of(agent)

    def _say_presence(self, presence: dict[str, str], partial: bool) -> list[Command]:
        statuses = self._memory.agents.statuses(presence)
        report = ReturnStatuses(presence, self.counters, statuses, partial, self.outbox.measure())
        return self._say(lambda: self._memory.link.send(report))

    def _say(self, say: Callable[[], object]) -> list[Command]:
        try:
            say()
        except LinkFull as exc:
            return [CloseLink(str(exc))]
        return [WakeLink()]

    # requests of pages

    def ask(self, request: Request, caller: Caller, now: float) -> list[Command]:
        """A page asks the daemon. Exactly one `AnswerTicket` for `request.request` follows, now or later."""
        return self._asking.ask(request, caller, now)

    def hold_files(self, digests: Iterable[str]) -> None:
        """These uploads are about to be named by a request: they must not be dropped now."""
        self._asking.hold_files(digests)

    def release_files(self, digests: Iterable[str], answered: bool) -> list[Command]:
        """Undo `hold_files`. Unless the request was `answered` the files stay: the daemon may want them."""
        return self._asking.release_files(digests, answered)

    def wants_file(self, digest: str) -> bool:
        """Whether an open request names this upload."""
        return self._asking.wants_file(digest)

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
        """A page said (by a beacon) that it goes; only the presence shown changes.

        Its own socket may be connected still; with more than that, another page of the agent is there.
        """
        if not self._memory.verifies(agent):
            return self._refuse_error(Reason.UNKNOWN_AGENT)[0]
        if self._seats.seats_of(agent) < 2:
            self._memory.presence.left(agent)
        return None

    def knows(self, agent: WireId) -> HttpAnswer | None:
        """None if this id is genuine, else the answer that its sender gets (SEC1, SEC2)."""
        if self._memory.key is None:
            return refusal(Reason.TRY_LATER)
        return None if self._memory.verifies(agent) else refusal(Reason.UNKNOWN_AGENT)

    def count_refusal(self, reason: str) -> None:
        """The shell refused a request before its daemon was asked."""
        self._memory.counters[f"refused_{reason}"] += 1

    def _refuse_error(self, reason: Reason) -> tuple[HttpAnswer, list[Command]]:
        self.count_refusal(reason.value)
        return refusal(reason), []

    # what is kept on disk

    def spooled(self, number: int, trouble: str | None, now: float) -> list[Command]:
        """`Spool` was carried out; or not, for this reason."""
        return self._asking.spooled(number, trouble, now)

    def loaded(self, number: int, packet: HandedIn, now: float) -> list[Command]:
        """`Load` was carried out."""
        return self.outbox.loaded(number, packet, now)

    def not_loaded(self, number: int, trouble: str | None, now: float) -> list[Command]:
        """`Load` failed for this reason; None: it is damaged, and was set aside."""
        if trouble is not None:
            return self.outbox.unread(number, trouble, now)
        return self._asking.damaged(number, now)

    def unspooled(self, number: int, now: float) -> list[Command]:
        """`Unspool` or `SetAside` was carried out, as far as it could be."""
        return self._asking.unspooled(number, now)

    # sockets of pages

    def socket_opened(self, address: str, now: float) -> SocketId | None:
        """A page connects; None: there are too many, refuse it."""
        return self._seats.open(address, now)

    def socket_heard(self, socket: SocketId, text: bytes, now: float, waiting: int = 0) -> list[Command]:
        """A page said this, while so many packets for it were not sent yet."""
        return self._seats.hear(socket, text, now, waiting)

    def socket_closed(self, socket: SocketId, now: float) -> None:
        """A page's connection is gone."""
        self._seats.close(socket, now)

    def socket_stuck(self, socket: SocketId, now: float) -> list[Command]:
        """A page takes nothing and its queue is full."""
        self._memory.counters["sockets_stuck"] += 1
        self._seats.close(socket, now)
        return [CloseSocket(socket, TOO_BUSY, "this page reads too slowly")]

    # time

    def tick(self, now: float) -> list[Command]:
        """Do what is due: held requests, silent sockets, changed presence, a silent link.

        The cost depends on what is due, not on how many pages are connected.
        """
        commands = [*self._asking.tick(now), *self._seats.close_silent(now), *self._report_changes(now)]
        for agent in self._memory.agents.take_finished(now):
            self._memory.forget_updates(agent)
        if self.linked and self._memory.link.silent_for(now) > LINK_SILENT_S:
            commands.append(CloseLink("nothing was heard of the daemon"))
        return commands

    def end(self, reason: Reason) -> list[Command]:
        """The router stops, or the run is taken off it: every held request and every page is told."""
        return [*self._asking.end(reason), *self._seats.close_all("the service is pausing")]


_STATUSES = frozenset(status.value for status in AgentStatus)
