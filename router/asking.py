"""Requests of pages on their way to the daemon: checked, then held, or answered from memory. Pure.

What becomes of things handed in that the daemon does not answer is `keeping`'s business.
"""

from collections.abc import Iterable

from ..protocol.errors import LinkFull, Unsendable
from ..protocol.limits import REGISTRATIONS_PER_ADDRESS_PER_MINUTE_MAX, RETRY_AFTER_S
from ..protocol.names import Outcome, Reason, WireId
from ..protocol.packets import AgentDetails, Answer, RegisterAgent, Reply, Request, SubmitUnit
from .answers import answer_of, refuse_request
from .commands import AnswerTicket, Command, DropFiles, HttpAnswer, TicketId, WakeLink
from .endings import answer_for_ended, details_for_ended
from .keeping import Keeping
from .memory import Memory
from .outbox import Outbox
from .quota import Quota
from .rates import Minute
from .registrations import Registrations
from .seats import Seats
from .tickets import Caller, Ticket, Tickets


class Asking:
    """The requests of one run. Each gets exactly one `AnswerTicket`, now or later."""

    def __init__(self, memory: Memory, seats: Seats, quota: Quota, epoch: int) -> None:
        self._memory = memory
        self._seats = seats
        self._tickets = Tickets()
        self.outbox = Outbox(memory, self._tickets, quota, epoch)
        self._keeping = Keeping(memory, self._tickets, self.outbox)
        self._registrations = Registrations()
        self._rate = Minute(REGISTRATIONS_PER_ADDRESS_PER_MINUTE_MAX)
        self._ended: Reason | None = None

    def ask(self, request: Request, caller: Caller, now: float) -> list[Command]:
        """A page asks the daemon."""
        reason = self._refuses(request, caller, now)
        if reason is not None:
            return [self._refuse(request, caller, reason)]
        known = self._keeping.known(request, caller)
        if known is None and not self._memory.link.connected:
            known = self._remembered(request, caller)
        if known is not None:
            self._memory.counters["answered_from_memory"] += 1
            return [AnswerTicket(TicketId(request.request), known)]
        ticket = self._tickets.open(request, caller, now)
        ticket.waits_for = self._comes_after(request)
        if ticket.waits_for is not None:
            return []
        reason = self._send(ticket, now)
        if reason is not None:
            self._tickets.close(ticket)
            return [self._refuse(request, caller, reason)]
        return [*self._keeping.opened(ticket, now), WakeLink()]

    def _comes_after(self, request: Request) -> WireId | None:
        """Whose answer the daemon must have before it is asked this: then it can give the next unit."""
        if not isinstance(request, RegisterAgent) or not len(self.outbox):
            return None
        theirs = [request.provider_data.get("after"), self._registrations.agent_of(request.provider_data)]
        agents = [WireId(one) for one in theirs if isinstance(one, str)]
        return next((agent for agent in agents if self.outbox.has_answer_of(agent)), None)

    def take_reply(self, reply: Reply, now: float) -> list[Command]:
        """The daemon has answered."""
        number = self.outbox.number_of(reply.request)
        if number is not None:
            return self._take_delivered(number, reply, now)
        ticket = self._tickets.get(TicketId(reply.request))
        if ticket is None:
            return []
        commands = self._learn(ticket.request, reply, now)
        answer = answer_of(ticket.request, reply, ticket.caller, self._memory.wall())
        if self._keeping.takes(ticket, reply, answer) or self._waits_on(ticket, reply, now):
            return commands
        unnamed = self._tickets.close(ticket)
        return [*commands, AnswerTicket(ticket.id, answer), *_drop(unnamed)]

    def _take_delivered(self, number: int, reply: Reply, now: float) -> list[Command]:
        """The daemon's word on something that was kept."""
        agent = self.outbox.agent_of(number)
        if isinstance(reply, Answer) and reply.status is not None:
            self._memory.learn(agent, reply.status, now)
        return [*self.outbox.answered(number, reply, now), *self._ask_who_waited(agent, now)]

    def _ask_who_waited(self, agent: WireId, now: float) -> list[Command]:
        """Ask the daemon what had to wait until it has this agent's answer."""
        if self.outbox.has_answer_of(agent):
            return []
        commands: list[Command] = []
        for ticket in [one for one in self._tickets.all() if one.waits_for == agent]:
            ticket.waits_for = None
            commands += [WakeLink()] if self._send(ticket, now) is None else self._give_up(ticket)
        return commands

    def tick(self, now: float) -> list[Command]:
        """Keep, give up or repeat held requests whose time has come; deliver what was kept."""
        commands: list[Command] = []
        for ticket in self._tickets.due(now):
            if now >= ticket.until:
                commands += self._give_up(ticket)
            else:
                commands += [*self._keeping.look(ticket, now), *self._ask_again(ticket, now)]
        return [*commands, *self.outbox.deliver(now)]

    def link_lost(self, now: float) -> None:
        """Nobody will answer what waits for the daemon soon."""
        self._keeping.link_lost(now)

    # what the disk says

    def spooled(self, number: int, trouble: str | None, now: float) -> list[Command]:
        """What was to be kept is on disk, or is not for this reason."""
        agent = self.outbox.agent_of(number)
        return [*self._keeping.spooled(number, trouble, now), *self._ask_who_waited(agent, now)]

    def damaged(self, number: int, now: float) -> list[Command]:
        """What was kept was found damaged, and set aside."""
        agent = self.outbox.agent_of(number)
        return [*self.outbox.damaged(number, now), *self._ask_who_waited(agent, now)]

    def unspooled(self, number: int, now: float) -> list[Command]:
        """What was kept is off the disk."""
        agent = self.outbox.agent_of(number)
        return [*self._keeping.unspooled(number, now), *self._ask_who_waited(agent, now)]

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
        ticket.again_at = now + wait
        self._tickets.look_at(ticket, ticket.again_at)
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
