"""When a page is told "Submitted!" for the daemon: what was handed in goes to disk if nobody answers. Pure.

The daemon is asked first. If it is away, or says nothing for `RELAY_S`, the `outbox` writes, and all who
handed in the same are answered once that is on disk. An answer of the daemon that comes while it is being
written counts; before a page is refused, what it wrote is removed again, so that no later start can take it
for submitted.
"""

from ..protocol.names import SUBMITTED_AGENT, Outcome, Reason
from ..protocol.packets import Reply, Request, ReturnUnit, SubmitUnit
from .answers import done, refuse_request
from .commands import AnswerTicket, Command, HttpAnswer
from .endings import answer_for_ended
from .limits import KEEP_AGAIN_S, RELAY_S
from .memory import Memory
from .outbox import HandedIn, Outbox, Standing
from .tickets import Caller, Ticket, Tickets


class Keeping:
    """Of one run: which held requests wait for the outbox, and what they are answered."""

    def __init__(self, memory: Memory, tickets: Tickets, outbox: Outbox) -> None:
        self._memory = memory
        self._tickets = tickets
        self._outbox = outbox
        self._waiting: dict[int, list[Ticket]] = {}
        """Who waits for what is being written, or removed."""

    def known(self, request: Request, caller: Caller) -> HttpAnswer | None:
        """What is certain of this request from what is kept; None: the daemon is asked."""
        wall = self._memory.wall()
        if isinstance(request, ReturnUnit) and self._outbox.has_answer_of(request.subject):
            return refuse_request(request, caller, wall, Reason.ALREADY_SUBMITTED)
        if not isinstance(request, HandedIn):
            return None
        match self._outbox.standing(request):
            case Standing.SAFE:
                return HttpAnswer(200, done(request))
            case Standing.OTHER:
                return refuse_request(request, caller, wall, Reason.ALREADY_SUBMITTED)
            case Standing.UNCLEAR:
                return refuse_request(request, caller, wall, Reason.TRY_LATER)
            case Standing.NEW:
                return None

    def opened(self, ticket: Ticket, now: float) -> list[Command]:
        """This was just sent to the daemon, or would be if it were there."""
        if not isinstance(ticket.request, HandedIn):
            return []
        number = self._outbox.number_for(ticket.request)
        if number is not None:  # it is being written: `known` answers what is kept already
            self._wait_for(number, ticket)
            return []
        if not self._memory.link.connected:
            return self._keep(ticket, now)
        ticket.relay_until = now + RELAY_S
        self._tickets.look_at(ticket, ticket.relay_until)
        return []

    def link_lost(self, now: float) -> None:
        """Nobody will answer soon: the next tick keeps what waits."""
        for ticket in self._tickets.all():
            if ticket.relay_until is not None:
                ticket.relay_until = now
                self._tickets.look_at(ticket, now)

    def look(self, ticket: Ticket, now: float) -> list[Command]:
        """Keep what the daemon had its time for."""
        if ticket.relay_until is None or now < ticket.relay_until:
            return []
        return self._keep(ticket, now)

    def _keep(self, ticket: Ticket, now: float) -> list[Command]:
        ticket.relay_until = None
        request = ticket.request
        assert isinstance(request, HandedIn)
        certain = answer_for_ended(request, self._memory.agents.get(request.subject))
        if certain is not None:
            self._memory.counters["answered_from_memory"] += 1
            return self._answer(ticket, certain)
        if self._may_be_stored(request) or self._outbox.standing(request) is not Standing.NEW:
            return []  # held on: only the daemon knows whether it has this answer, or another
        number, commands = self._outbox.keep(request)
        if number is None:
            return [*commands, *self._without_disk(ticket)]
        for copy in self._copies_of(request, number):
            self._wait_for(number, copy)
        return commands

    def _copies_of(self, request: HandedIn, number: int) -> list[Ticket]:
        """A page that sends the same twice is told the same twice, whichever of them the daemon answers."""
        return [
            each
            for each in self._tickets.of(request.subject)
            if isinstance(each.request, HandedIn)
            and each.kept_as is None
            and self._outbox.number_for(each.request) == number
        ]

    def _wait_for(self, number: int, ticket: Ticket) -> None:
        ticket.relay_until, ticket.kept_as = None, number
        self._waiting.setdefault(number, []).append(ticket)

    def _may_be_stored(self, request: Request) -> bool:
        """The daemon had an answer of this agent, perhaps this one: what is on disk could be another."""
        known = self._memory.agents.get(request.subject) if isinstance(request, SubmitUnit) else None
        return known is not None and known.status in SUBMITTED_AGENT

    def _without_disk(self, ticket: Ticket) -> list[Command]:
        """It cannot be kept. Unchanged pages cannot come again: they wait on for the daemon."""
        if self._memory.link.connected or not ticket.caller.crowdd_client:
            return []
        return self._answer(ticket, self._refused(ticket, Reason.TRY_LATER))

    def takes(self, ticket: Ticket, reply: Reply, answer: HttpAnswer) -> bool:
        """Whether the page is not told this reply now: what is being written decides, or goes first."""
        number = ticket.kept_as
        if number is None or not self._outbox.is_being_written(number):
            return False
        if reply.outcome is Outcome.TRY_LATER:
            return True
        self._outbox.not_needed(number)
        if reply.outcome is Outcome.REFUSED:
            ticket.refusal = answer
        return reply.outcome is Outcome.REFUSED

    def spooled(self, number: int, trouble: str | None, now: float) -> list[Command]:
        """It is on disk, or it is not: say so to who waits for it."""
        was_needed = self._outbox.is_being_written(number)
        commands = self._outbox.spooled(number, trouble, now)
        if trouble is None and not was_needed:
            return commands  # it is being removed
        waiting = self._take_waiting(number)
        if trouble is None:
            answers = [self._answer(ticket, HttpAnswer(200, done(ticket.request))) for ticket in waiting]
        else:
            answers = [self._not_kept(ticket, now) for ticket in waiting]
        return [command for answer in answers for command in answer] + commands

    def _not_kept(self, ticket: Ticket, now: float) -> list[Command]:
        """Who waits on for the daemon does so for the disk, too: its trouble may be over sooner."""
        answer = self._say_refusal(ticket)
        if not answer:
            ticket.relay_until = now + KEEP_AGAIN_S
            self._tickets.look_at(ticket, ticket.relay_until)
        return answer

    def unspooled(self, number: int, now: float) -> list[Command]:
        """It is off the disk: who was refused may be told so now."""
        answers = [self._not_kept(ticket, now) for ticket in self._take_waiting(number)]
        return [command for answer in answers for command in answer] + self._outbox.unspooled(number)

    def _say_refusal(self, ticket: Ticket) -> list[Command]:
        return self._without_disk(ticket) if ticket.refusal is None else self._answer(ticket, ticket.refusal)

    def _take_waiting(self, number: int) -> list[Ticket]:
        waiting = self._waiting.pop(number, [])
        for ticket in waiting:
            ticket.kept_as = None
        return [ticket for ticket in waiting if self._tickets.get(ticket.id) is ticket]

    def _answer(self, ticket: Ticket, answer: HttpAnswer) -> list[Command]:
        """Answer for the daemon. Uploads that nothing holds stay for a while: it may be fetching them."""
        self._memory.link.withdraw(ticket.id)
        self._tickets.close(ticket)
        return [AnswerTicket(ticket.id, answer)]

    def _refused(self, ticket: Ticket, reason: Reason) -> HttpAnswer:
        return refuse_request(ticket.request, ticket.caller, self._memory.wall(), reason)
