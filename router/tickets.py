"""HTTP requests of pages that wait for the daemon: whose, since when, until when. Pure."""

import heapq
from collections.abc import Iterable

import attrs

from ..protocol.limits import REQUEST_HOLD_S, REQUESTS_OPEN_MAX, SUBMIT_HOLD_S
from ..protocol.names import WireId
from ..protocol.packets import RegisterAgent, Request, SubmitMetadata, SubmitOnboarding, SubmitUnit
from ..protocol.values import frozen
from .commands import HttpAnswer, TicketId
from .limits import TICKETS_PER_AGENT_MAX

STALE_MAX = 1_024  # closed ones that may be among the dues, and as many as are open: a minute's come and go


@frozen
class Caller:
    """Who sent a request: its address, and whether its page knows refusals (header X-Crowdd-Client)."""

    address: str
    crowdd_client: bool = False


@attrs.define(eq=False)
class Ticket:
    """One held request."""

    request: Request
    caller: Caller
    until: float
    again_at: float | None = None
    """When the daemon, which said "later", is to be asked once more."""
    relay_until: float | None = None
    """When to stop waiting for the daemon, and keep what was handed in."""
    kept_as: int | None = None
    """Under which number it is being kept."""
    waits_for: WireId | None = None
    """The agent whose answer the daemon must have before it is asked this."""
    refusal: HttpAnswer | None = None
    """What the daemon said, while what it refused is removed from the disk."""

    @property
    def id(self) -> TicketId:
        """The request's own id."""
        return TicketId(self.request.request)

    def digests(self) -> frozenset[str]:
        """The uploads this request names."""
        if isinstance(self.request, SubmitUnit | SubmitMetadata):
            return frozenset([note.sha256 for note in self.request.files])
        return frozenset()


class Tickets:
    """All held requests of a run, at most as many as the limits say."""

    def __init__(self) -> None:
        self._open: dict[TicketId, Ticket] = {}
        self._dues: list[tuple[float, TicketId]] = []
        self._stale = 0
        """How many were closed since the dues were cleared of them."""
        self._per_agent: dict[WireId, dict[TicketId, Ticket]] = {}
        self._files: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._open)

    def room_for(self, request: Request) -> bool:
        """Whether one more may wait."""
        agent = _subject(request)
        many = 0 if agent is None else len(self._per_agent.get(agent, ()))
        return len(self._open) < REQUESTS_OPEN_MAX and many < TICKETS_PER_AGENT_MAX

    def open(self, request: Request, caller: Caller, now: float) -> Ticket:
        """Hold a request from now on."""
        ticket = Ticket(request, caller, now + _hold_s(request))
        self._open[ticket.id] = ticket
        heapq.heappush(self._dues, (ticket.until, ticket.id))
        agent = _subject(request)
        if agent is not None:
            self._per_agent.setdefault(agent, {})[ticket.id] = ticket
        self.hold_files(ticket.digests())
        return ticket

    def get(self, ticket: TicketId) -> Ticket | None:
        """The held request of this id."""
        return self._open.get(ticket)

    def close(self, ticket: Ticket) -> frozenset[str]:
        """The request is answered; returns the uploads that no other held request names."""
        if self._open.pop(ticket.id, None) is None:
            return frozenset()
        self._clear()
        agent = _subject(ticket.request)
        if agent is not None:
            del self._per_agent[agent][ticket.id]
            if not self._per_agent[agent]:
                del self._per_agent[agent]
        return self.release_files(ticket.digests())

    def _clear(self) -> None:
        """Drop the dues of what is closed once there is much of it: nearly all close long before."""
        self._stale += 1
        if self._stale > STALE_MAX + len(self._open):
            self._dues = [due for due in self._dues if due[1] in self._open]
            heapq.heapify(self._dues)
            self._stale = 0

    def look_at(self, ticket: Ticket, at: float) -> None:
        """Come back to this request then, too."""
        heapq.heappush(self._dues, (at, ticket.id))

    def due(self, now: float) -> list[Ticket]:
        """The requests whose time has come: to be asked again, kept or given up."""
        due: dict[TicketId, Ticket] = {}
        while self._dues and self._dues[0][0] <= now:
            _, name = heapq.heappop(self._dues)
            ticket = self._open.get(name)
            if ticket is not None:
                due[name] = ticket
        return list(due.values())

    def all(self) -> list[Ticket]:
        """Every held request."""
        return list(self._open.values())

    def of(self, agent: WireId) -> list[Ticket]:
        """The held requests of one agent."""
        return list(self._per_agent.get(agent, {}).values())

    def hold_files(self, digests: Iterable[str]) -> None:
        """These uploads are wanted, whatever becomes of the requests that name them."""
        for digest in digests:
            self._files[digest] = self._files.get(digest, 0) + 1

    def release_files(self, digests: Iterable[str]) -> frozenset[str]:
        """Undo one `hold_files`; returns those that nothing wants any more."""
        return frozenset([digest for digest in digests if self._release(digest)])

    def wants_file(self, digest: str) -> bool:
        """Whether something open names this upload."""
        return digest in self._files

    def _release(self, digest: str) -> bool:
        self._files[digest] -= 1
        if self._files[digest]:
            return False
        del self._files[digest]
        return True


def _subject(request: Request) -> WireId | None:
    return None if isinstance(request, RegisterAgent) else request.subject


def _hold_s(request: Request) -> float:
    return REQUEST_HOLD_S if isinstance(request, RegisterAgent | SubmitOnboarding) else SUBMIT_HOLD_S
