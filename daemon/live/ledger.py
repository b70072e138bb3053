"""What a piece of live work has heard, said and decided: turns waits of user code into journal entries. Pure.

Its owner asks for the `next` wait that gets something, and lets user code run on with it. What came, what was
given and what code sends gathers in one turn, which is handed over to be stored whole. So whatever user code
was given is in the journal, in the one order in which it happened, before or with all that follows from it.
"""

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs

from ...protocol.names import AgentId, PieceKind
from ...storage.records import JournalEntry, LiveUpdate
from .waits import (
    AllOver,
    Ended,
    Execute,
    Got,
    How,
    Left,
    Nothing,
    Outcome,
    Seat,
    Sent,
    Value,
    Wait,
    What,
)

TURN_ROWS_MAX = 256  # user code is given nothing more before so much is stored


@attrs.frozen
class PieceKey:
    """Which piece: a unit, an assignment or an onboarding, and its number."""

    kind: PieceKind
    id: int


@attrs.define(eq=False)
class Turn:
    """What is to be stored at once, and what follows from it then."""

    updates: list[LiveUpdate] = attrs.Factory(list[LiveUpdate])
    entries: list[JournalEntry] = attrs.Factory(list[JournalEntry])
    confirm: list[Callable[[], None]] = attrs.Factory(list[Callable[[], None]])
    """Called once it is stored: what came in is safe."""

    @property
    def rows(self) -> int:
        """How many rows it writes."""
        return len(self.updates) + len(self.entries)


class Ledger:
    """One per piece. Updates come in by `heard`, once each and in their agent's order."""

    def __init__(self, key: PieceKey, wall: Callable[[], datetime]) -> None:
        self.key = key
        self.seats: Sequence[Seat] = ()
        self.ended: AgentId | None = None
        self.position = 0
        """Of the newest entry."""
        self.stored = 0
        """Of the newest entry that is in storage."""
        self.next_deadline = math.inf
        """When the first wait is over, if nothing comes. Written here alone; read often."""
        self._wall = wall
        self._turn = Turn()
        self._waits: list[Wait] = []
        self._mail: dict[AgentId, deque[LiveUpdate]] = {}
        # Lists, though they are queues: most are empty or short, and an empty deque takes 0.7 KiB.
        self._arrivals: list[AgentId] = []
        self._numbers: dict[AgentId, int] = {}
        self._notes: list[tuple[What, AgentId | None, Any]] = []
        self._left: dict[AgentId, How] = {}

    @property
    def onboarding(self) -> bool:
        """Whether its agents are onboarding agents."""
        return self.key.kind is PieceKind.ONBOARDING

    # --- what comes in

    def heard(self, update: LiveUpdate, for_code: bool, stored: Callable[[], None]) -> None:
        """A new update to be stored and, if it is for user code, kept until that asks for it."""
        self._turn.updates.append(update)
        self._turn.confirm.append(stored)
        if for_code:
            self.deliver(update)

    def heard_again(self, stored: Callable[[], None]) -> None:
        """Something known came once more: `stored` is called when all that came before it is safe."""
        self._turn.confirm.append(stored)

    def deliver(self, update: LiveUpdate) -> None:
        """Keep an update for user code."""
        mail = self._mail.get(update.agent_id)
        if mail is None:
            mail = self._mail[update.agent_id] = deque()
        mail.append(update)
        self._arrivals.append(update.agent_id)

    def waiting_mail(self, agent_id: AgentId) -> int:
        """How many updates of an agent user code has not asked for yet."""
        return len(self._mail.get(agent_id, ()))

    def left(self, agent_id: AgentId, how: How) -> None:
        """The agent's part is over; user code hears of it at its next wait, after what came before."""
        self._left[agent_id] = how

    def how_left(self, seat: Seat) -> How | None:
        """How the part of who sits here is over; None: it is not."""
        return self._left.get(seat.agent_id)

    def seat_of(self, agent_id: AgentId) -> Seat:
        """Where an agent sits, or sat. LookupError."""
        for seat in self.seats:
            if agent_id in seat.agents:
                return seat
        raise LookupError(f"agent {agent_id} has no seat in {self.key}")

    def answer(self, agent_id: AgentId, update: Mapping[str, Any]) -> None:
        """Something to be sent that user code did not send: it is stored without a journal entry."""
        self._send(agent_id, update)

    def note(self, what: What, agent_id: AgentId | None, result: Any) -> None:
        """Something that happens to the piece; `apply` is called for it when it comes into the journal."""
        self._notes.append((what, agent_id, result))

    def sent_before(self, agent_id: AgentId, number: int) -> None:
        """Updates up to this number were sent to the agent in earlier lives of the piece."""
        self._numbers[agent_id] = number

    def add(self, wait: Wait) -> None:
        """User code waits."""
        wait.asked_at = self.position
        self._waits.append(wait)
        if wait.deadline < self.next_deadline:
            self.next_deadline = wait.deadline

    def withdraw(self, wait: Wait) -> None:
        """User code waits no more."""
        self._waits.remove(wait)
        if wait.deadline == self.next_deadline < math.inf:
            self.next_deadline = min((other.deadline for other in self._waits), default=math.inf)

    @property
    def waits(self) -> list[Wait]:
        """What user code waits for, in the order in which it began to."""
        return self._waits

    # --- what follows

    def begin(self, agents: Sequence[AgentId]) -> None:
        """These sit in the piece's seats, in this order."""
        self.seats = [Seat(index, [agent_id]) for index, agent_id in enumerate(agents)]

    def apply(self, what: What, agent_id: AgentId | None, result: Any) -> None:
        """Let a note have its effect."""
        if what is What.JOINED and agent_id is not None:
            self._join(self.seats[int(result["seat"])], agent_id)
        elif what is What.ENDED:
            self.ended = agent_id

    def _join(self, seat: Seat, agent_id: AgentId) -> None:
        seat.agents.append(agent_id)
        seat.told = None

    def next(self, now: float) -> Wait | None:
        """The first wait that gets something now; what records it is in the turn. None: there is none, or too
        much is to be stored first."""
        while self._notes:
            note = self._notes.pop(0)
            self._enter(*note)
            self.apply(*note)
        if not self._waits or self.is_full:
            return None
        for wait in self._waits:
            outcome = self._outcome(wait, now)
            if outcome is not None:
                self.decide(wait, outcome)
                return wait
        return None

    def decide(self, wait: Wait, outcome: Outcome) -> None:
        """This is what the wait gets."""
        self.withdraw(wait)
        wait.outcome = outcome
        if isinstance(outcome, Left) and wait.seat is not None:
            wait.seat.told = outcome.how

    def take(self, agent_id: AgentId) -> LiveUpdate:
        """The agent's oldest update that user code has not asked for."""
        self._arrivals.remove(agent_id)
        return self._mail[agent_id].popleft()

    def _outcome(self, wait: Wait, now: float) -> Outcome | None:
        """What the wait gets now, if anything; entries and updates that record it are added to the turn."""
        match wait.what:
            case What.RECEIVE | What.SUBMITTED:
                return self._from_one(wait, now)
            case What.RECEIVE_ANY:
                return self._from_any(wait, now)
            case What.SEND:
                return self._sent(wait)
            case What.SLEEP:
                return self._recorded(wait, Nothing(), None) if now >= wait.deadline else None
            case What.NOW:
                at = self._wall().isoformat()
                return self._recorded(wait, Value(at), at)
            case What.RUN if wait.value is None:
                # What it does is seen outside: what led to it is stored before.
                return Execute() if self.stored >= wait.asked_at else None
            case What.RUN:
                assert wait.value is not None
                return self._recorded(wait, wait.value, wait.value.value)
            case _:
                raise ValueError(f"nobody waits for {wait.what}")

    def _from_one(self, wait: Wait, now: float) -> Outcome | None:
        assert wait.seat is not None
        if wait.what is What.RECEIVE:
            for agent_id in filter(self.waiting_mail, wait.seat.agents):
                update = self.take(agent_id)
                return self._recorded(wait, Got(update), {"number": update.number}, agent_id)
        left = self.how_left(wait.seat)
        if left is not None:
            return self._recorded(wait, Left(left), {"left": left.value})
        if wait.what is What.RECEIVE and self.ended is not None:
            return self._recorded(wait, Ended(self.ended), {"ended": self.ended})
        return self._recorded(wait, Nothing(), {}) if now >= wait.deadline else None

    def _from_any(self, wait: Wait, now: float) -> Outcome | None:
        if self._arrivals:
            update = self.take(self._arrivals[0])
            return self._recorded(wait, Got(update), {"number": update.number}, update.agent_id)
        if self.ended is not None:
            return self._recorded(wait, Ended(self.ended), {"ended": self.ended})
        if self._left and all(self.how_left(seat) is not None for seat in self.seats):
            return self._recorded(wait, AllOver(), {"over": True})
        return self._recorded(wait, Nothing(), {}) if now >= wait.deadline else None

    def _sent(self, wait: Wait) -> Outcome:
        assert wait.seat is not None
        assert wait.update is not None
        left = self.how_left(wait.seat)
        if left is not None:
            return self._recorded(wait, Left(left), {"left": left.value})
        number = self._send(wait.seat.agent_id, wait.update)
        return self._recorded(wait, Sent(number), {"number": number})

    def _send(self, agent_id: AgentId, update: Mapping[str, Any]) -> int:
        number = self._numbers[agent_id] = self._numbers.get(agent_id, 0) + 1
        name = update_id(self.onboarding, agent_id, number)
        self._turn.updates.append(
            LiveUpdate(self.onboarding, agent_id, True, number, name, "", 0, dict(update), self._wall())
        )
        return number

    def _recorded(
        self, wait: Wait, outcome: Outcome, result: Any, agent_id: AgentId | None = None
    ) -> Outcome:
        whose = wait.seat.agent_id if agent_id is None and wait.seat is not None else agent_id
        self._enter(wait.what, whose, result)
        return outcome

    def _enter(self, what: What, agent_id: AgentId | None, result: Any) -> None:
        self.position += 1
        self._turn.entries.append(
            JournalEntry(self.key.kind, self.key.id, self.position, what.word, agent_id, result, self._wall())
        )

    # --- what is stored

    @property
    def is_full(self) -> bool:
        """Whether so much is to be stored that nothing more is decided before."""
        turn = self._turn
        return len(turn.updates) + len(turn.entries) >= TURN_ROWS_MAX

    @property
    def has_turn(self) -> bool:
        """Whether there is something to be stored, or to be called safe."""
        turn = self._turn
        return bool(turn.updates or turn.entries or turn.confirm)

    def hand_over(self) -> Turn:
        """All that was not handed over yet: to be stored before what is handed over next."""
        turn, self._turn = self._turn, Turn()
        return turn

    def take_back(self, turn: Turn) -> None:
        """It could not be stored at this time."""
        now = self._turn
        self._turn = Turn(turn.updates + now.updates, turn.entries + now.entries, turn.confirm + now.confirm)

    def is_stored(self, turn: Turn) -> None:
        """It is."""
        if turn.entries:
            self.stored = turn.entries[-1].position


def update_id(onboarding: bool, agent_id: AgentId, number: int) -> str:
    """What a page knows an update by: no other that it ever sees is called so."""
    return f"{'o' if onboarding else ''}{agent_id}.{number}"
