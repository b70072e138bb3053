"""Requests of pages on their way to the daemon: checked, then held, or answered from memory. Pure."""

from collections.abc import Iterable

from ..protocol.errors import LinkFull, Unsendable
from ..protocol.limits import REGISTRATIONS_PER_ADDRESS_PER_MINUTE_MAX, RETRY_AFTER_S
from ..protocol.names import Outcome, Reason, WireId
from ..protocol.packets import AgentDetails, RegisterAgent, Reply, Request, SubmitUnit
from .answers import answer_of, refuse_request
from .commands import AnswerTicket, Command, DropFiles, HttpAnswer, TicketId, WakeLink
from .endings import answer_for_ended, details_for_ended
from .memory import Memory
from .rates import Minute
from .registrations import Registrations
from .seats import Seats
from .tickets import Caller, Ticket, Tickets


class Asking:
    """The requests of one run. Each gets exactly one `AnswerTicket`, now or later."""

    def __init__(self, memory: Memory, seats: Seats) -> None:
        self._memory = memory
        self._seats = seats
        self._tickets = Tickets()
        self._registrations = Registrations()
        self._rate = Minute(REGISTRATIONS_PER_ADDRESS_PER_MINUTE_MAX)
        self._ended: Reason | None = None

    def ask(self, request: Request, caller: Caller, now: float) -> list[Command]:
        """A page asks the daemon."""
        reason = self._refuses(request, caller, now)
        if reason is not None:
            return [self._refuse(request, caller, reason)]
        known = None if self._memory.link.connected else self._remembered(request, caller)
        if known is not None:
            self._memory.counters["answered_from_memory"] += 1
            return [AnswerTicket(TicketId(request.request), known)]
        ticket = self._tickets.open(request, caller, now)
        reason = self._send(ticket, now)
        if reason is not None:
            self._tickets.close(ticket)
            return [self._refuse(request, caller, reason)]
        return [WakeLink()]

    def take_reply(self, reply: Reply, now: float) -> list[Command]:
        """The daemon has answered."""
        ticket = self._tickets.get(TicketId(reply.request))
        if ticket is None:
            return []
        commands = self._learn(ticket.request, reply, now)
        if self._waits_on(ticket, reply, now):
            return commands
        unnamed = self._tickets.close(ticket)
        answer = answer_of(ticket.request, reply, ticket.caller, self._memory.wall())
        return [*commands, AnswerTicket(ticket.id, answer), *_drop(unnamed)]

    def tick(self, now: float) -> list[Command]:
        """Give up or repeat held requests whose time has come."""
        commands: list[Command] = []
        for ticket in self._tickets.due(now):
            commands += self._give_up(ticket) if now >= ticket.until else self._ask_again(ticket, now)
        return commands

    def end(self, reason: Reason) -> list[Command]:
        """Answer everybody who waits, and nobody waits from now on.

        What was handed in may have been stored, with its answer on the way: of that nothing definite is said.
        """
        self._ended = reason
        commands: list[Command] = []
        for ticket in self._tickets.all():
            asks_for_work = isinstance(ticket.request, RegisterAgent)
            commands += self._give_up(ticket, reason if asks_for_work else Reason.TRY_LATER)
        return commands

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

    def _refuse(self, request: Request, caller: Caller, reason: Reason) -> AnswerTicket:
        self._memory.counters[f"refused_{reason.value}"] += 1
        answer = refuse_request(request, caller, self._memory.wall(), reason)
        return AnswerTicket(TicketId(request.request), answer)

    def _refuses(self, request: Request, caller: Caller, now: float) -> Reason | None:
        if self._ended is not None:
            return self._ended
        if isinstance(request, RegisterAgent):
            if not self._rate.take(caller.address, now):
                return Reason.TOO_MANY_REQUESTS
        elif self._memory.key is None:
            return Reason.TRY_LATER
        elif not self._memory.verifies(request.subject):
            return Reason.UNKNOWN_AGENT
        elif not self._tickets.room_for(request):
            return Reason.TOO_MANY_REQUESTS
        else:
            self._memory.presence.came(request.subject, now)
        return None

    def _remembered(self, request: Request, caller: Caller) -> HttpAnswer | None:
        if not isinstance(request, RegisterAgent):
            return answer_for_ended(request, self._memory.agents.get(request.subject))
        agent = self._registrations.agent_of(request.provider_data)
        if agent is None:
            return None
        known = self._memory.agents.get(agent)
        return details_for_ended(request, caller, agent, known, self._memory.wall())

    def _send(self, ticket: Ticket, now: float) -> Reason | None:
        try:
            self._memory.link.send_request(ticket.request, now)
        except LinkFull:
            return Reason.TRY_LATER
        except Unsendable:
            return Reason.TOO_LARGE
        return None

    def _learn(self, request: Request, reply: Reply, now: float) -> list[Command]:
        """What the answer says of its agent: the status, and what the page has of its live updates."""
        if not isinstance(reply, AgentDetails):
            if reply.status is not None and not isinstance(request, RegisterAgent):
                self._memory.learn(request.subject, reply.status, now)
            return []
        if reply.agent_id is None:
            return []
        return self._learn_agent(WireId(reply.agent_id), request, reply, now)

    def _learn_agent(self, agent: WireId, request: Request, reply: AgentDetails, now: float) -> list[Command]:
        if isinstance(request, RegisterAgent):
            self._registrations.answered(request.provider_data, agent)
        if reply.status is not None:
            self._memory.learn(agent, reply.status, now)
            self._memory.presence.came(agent, now)
        return self._seats.exchange.confirm(agent, reply.seen)

    def _waits_on(self, ticket: Ticket, reply: Reply, now: float) -> bool:
        """An unchanged page cannot submit again, so "later" makes us ask again on its behalf."""
        wait = RETRY_AFTER_S if reply.retry_after_s is None else max(1.0, reply.retry_after_s)
        if reply.outcome is not Outcome.TRY_LATER or ticket.caller.crowdd_client:
            return False
        if not isinstance(ticket.request, SubmitUnit) or now + wait >= ticket.until:
            return False
        self._tickets.ask_again_at(ticket, now + wait)
        return True

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


def _drop(digests: frozenset[str]) -> list[Command]:
    return [DropFiles(digests)] if digests else []
