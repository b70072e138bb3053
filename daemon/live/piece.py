"""One piece of live work: runs user code, writes its journal, and gives it what it waits for. One nursery.

States: replaying its journal → live → closing (user code has ended, answers may still come) → over. Cancelled
at any point it leaves in storage what it had decided; the next start runs the code again up to there.
"""

import enum
import logging
import math
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

import attrs
import trio

from ...protocol.names import AgentId
from ...storage.contract import Storage
from ...storage.records import LiveUpdate
from ..causes import causes, words_of
from ..clock import Wall
from ..user_code import UserCode
from .errors import AgentGone, ReplayDiverged
from .ledger import Ledger, PieceKey, Turn
from .replay import Replay
from .waits import Dropped, How, Outcome, Seat, Stopped, Value, Wait, What

log = logging.getLogger(__name__)

REPLAY_PATIENCE_S = 60.0  # user code that comes to no recorded wait for so long does something else now
AFTERWARDS_S = 60.0  # what user code has to end in, once every agent's part is over
STOPPING_S = 2.0  # what user code has to end in, once it was told that the daemon stops


class Close(enum.Enum):
    """How user code ended."""

    FINISHED = "finished"
    """It returned, or let the end of its agents pass."""
    FAILED = "failed"
    DIVERGED = "diverged"
    STOPPED = "stopped"


@attrs.frozen
class Ending:
    """How user code ended, and with what."""

    close: Close
    error: BaseException | None = None
    returned: Any = None


@attrs.frozen
class PieceTools:
    """What a piece works with."""

    storage: Storage
    """Where its past is read from."""
    store: Callable[[Turn], Awaitable[None]]
    """Store a turn, whole or not at all; waits for space on a full disk."""
    wall: Wall
    user_code: UserCode
    sent: Callable[[LiveUpdate], None]
    """This is stored, and is to be sent to its agent's page."""


class Piece:
    """One per unit, assignment or onboarding that is worked on. Made by `opening.open_piece`."""

    def __init__(self, ledger: Ledger, replay: Replay | None, seed: int, tools: PieceTools) -> None:
        self._ledger = ledger
        self._replay = None if replay is None or replay.over else replay
        self._t = tools
        self._woken = trio.Event()
        self._turned = trio.Event()
        self._code = trio.CancelScope()
        self._stopping = False
        self._diverged: ReplayDiverged | None = None
        self._patience_until = math.inf
        self._all_left = trio.Event()
        self.seed = seed

    @property
    def key(self) -> PieceKey:
        """Which piece it is."""
        return self._ledger.key

    @property
    def seats(self) -> Sequence[Seat]:
        """Its agents, in the order of their units."""
        return self._ledger.seats

    @property
    def tools(self) -> PieceTools:
        """What it works with."""
        return self._t

    # --- its life

    async def serve(
        self, code: Callable[[], Awaitable[Any]], ended: Callable[[Ending], Awaitable[None]]
    ) -> None:
        """Run `code` until it ends, then `ended`; what is heard and asked is stored and decided meanwhile."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._write)
            await ended(await self._run(code))
            nursery.cancel_scope.cancel(reason="the piece is over")

    async def all_left(self) -> None:
        """Return once every agent's part is over."""
        await self._all_left.wait()

    async def _run(self, code: Callable[[], Awaitable[Any]]) -> Ending:
        """Foreign code behind one boundary: whatever it raises ends this piece and nothing else.

        No name here keeps what was raised: that holds this call, and only a search for garbage finds such.
        """
        with self._code:
            try:
                return self._ending(None, await code())
            except BaseException as exc:
                if any(isinstance(cause, trio.Cancelled) for cause in causes(exc)):
                    raise
                return self._ending(exc, None)
        return self._ending(None, None)

    def _ending(self, error: BaseException | None, returned: Any) -> Ending:
        if self._diverged is not None:
            return Ending(Close.DIVERGED, self._diverged)
        if self._stopping:
            return Ending(Close.STOPPED)
        if self._code.cancelled_caught:
            words = f"it went on for {AFTERWARDS_S:g} s after everybody had left"
            return Ending(Close.FAILED, TimeoutError(words))
        if error is not None and not all(isinstance(cause, AgentGone) for cause in causes(error)):
            return Ending(Close.FAILED, error)
        if self._replay is not None and not self._replay.over:
            return Ending(Close.DIVERGED, self._replay.diverged("ends"))
        return Ending(Close.FINISHED, error, returned)

    # --- what happens to it

    def heard(self, update: LiveUpdate, for_code: bool, stored: Callable[[], None]) -> None:
        """A page sent something new; `stored` is called once it is safe."""
        self._ledger.heard(update, for_code, stored)
        self._woken.set()

    def heard_again(self, stored: Callable[[], None]) -> None:
        """A page repeated something; `stored` is called once all that came before is safe."""
        self._ledger.heard_again(stored)
        self._woken.set()

    def deliver(self, update: LiveUpdate) -> None:
        """A page sent something new, which is stored already."""
        self._ledger.deliver(update)
        self._woken.set()

    def seat_of(self, agent_id: AgentId) -> Seat:
        """Where an agent sits, or sat. LookupError."""
        return self._ledger.seat_of(agent_id)

    def answer(self, agent_id: AgentId, update: Mapping[str, Any]) -> None:
        """Send something that user code did not send."""
        self._ledger.answer(agent_id, update)
        self._woken.set()

    def how_left(self, seat: Seat) -> How | None:
        """How the part of who sits there is over, as far as the piece was told."""
        return self._ledger.how_left(seat)

    def left(self, agent_id: AgentId, how: How) -> None:
        """An agent's part is over for good."""
        self._ledger.left(agent_id, how)
        if all(self._ledger.how_left(seat) is not None for seat in self.seats):
            self._all_left.set()
            self._code.deadline = min(self._code.deadline, trio.current_time() + AFTERWARDS_S)
        self._woken.set()

    async def seated(self, agent_id: AgentId) -> Seat:
        """The agent's seat, once it has one: all that was sent to who sat there before is stored then."""
        while True:
            for seat in self.seats:
                if agent_id in seat.agents:
                    return seat
            await self._turned.wait()

    def join(self, index: int, agent_id: AgentId, said: Iterable[LiveUpdate] = ()) -> None:
        """Another agent takes a seat; what was `said` to and by it is stored already."""
        for update in said:
            if update.outgoing:
                self._ledger.sent_before(agent_id, update.number)
            else:
                self._ledger.deliver(update)
        self._ledger.note(What.JOINED, agent_id, {"seat": index})
        self._code.deadline = math.inf
        self._woken.set()

    def end(self, agent_id: AgentId) -> None:
        """The group goes on no further, because of this agent."""
        self._ledger.note(What.ENDED, agent_id, {})
        self._woken.set()

    @property
    def has_ended(self) -> bool:
        """Whether the group goes on no further."""
        return self._ledger.ended is not None

    def stop(self) -> None:
        """The daemon stops: user code is told at its waits, and may clean up for a moment."""
        self._stopping = True
        self._code.deadline = trio.current_time() + STOPPING_S
        for wait in list(self._ledger.waits):
            self._ledger.decide(wait, Stopped())
            wait.settled()

    # --- what user code asks

    async def ask(
        self,
        what: What,
        seat: Seat | None = None,
        within_s: float | None = None,
        update: Mapping[str, Any] | None = None,
        value: Value | None = None,
    ) -> Outcome:
        """Wait for what the journal says, or will say, next. Cancelled while it is being stored: it is given
        nevertheless, and `Cancelled` comes at the next checkpoint."""
        settled = trio.Event()
        deadline = math.inf if within_s is None else trio.current_time() + within_s
        wait = Wait(what, settled.set, seat, deadline, update, value)
        if self._stopping:
            await trio.lowlevel.checkpoint()
            return Stopped()
        self._ledger.add(wait)
        self._woken.set()
        try:
            await settled.wait()
        except trio.Cancelled:
            if self._ledger.withdraw(wait):
                raise
            with trio.CancelScope(shield=True):  # for as long as one transaction takes
                await settled.wait()
            if isinstance(wait.outcome, Dropped):
                raise
        assert wait.outcome is not None
        return wait.outcome

    # --- the journal

    async def _write(self) -> None:
        while True:
            self._woken = trio.Event()
            turn = self._next_turn()
            if turn:
                await self._carry_out(turn)
                self._turned.set()
                self._turned = trio.Event()
                continue
            await self._news()

    async def _news(self) -> None:
        """Return when something came, or the time of a wait, or the patience with a replay, is over."""
        until = min(self._ledger.next_deadline, self._patience_until)
        if until == math.inf:  # most waits have no end: a scope would cost more than the wait
            await self._woken.wait()
            return
        with trio.move_on_at(until):
            await self._woken.wait()

    def _next_turn(self) -> Turn:
        now = trio.current_time()
        if self._replay is not None:
            return self._replayed(self._replay, now)
        return self._ledger.turn(now)

    def _replayed(self, replay: Replay, now: float) -> Turn:
        try:
            wait = replay.step()
        except ReplayDiverged as exc:
            return self._gives_up(exc)
        if wait is not None:
            self._patience_until = math.inf
            return Turn(settle=[wait])
        if replay.over:
            self._replay, self._patience_until = None, math.inf
            return self._ledger.turn(now)
        self._patience_until = min(self._patience_until, now + REPLAY_PATIENCE_S)
        if now >= self._patience_until:
            return self._gives_up(replay.waits_instead())
        return self._ledger.taken_in()

    def _gives_up(self, diverged: ReplayDiverged) -> Turn:
        self._diverged = diverged
        self._patience_until = math.inf
        self._code.cancel(reason="its replay diverged")
        self._replay = None
        return self._ledger.taken_in()

    async def _carry_out(self, turn: Turn) -> None:
        """Save, then send; one wait a tick, so that user code runs on in the journal's order."""
        saved = False
        try:
            if turn.rows:
                await self._t.store(turn)
            saved = True
            for stored in turn.confirm:
                stored()
            for update in turn.updates:
                if update.outgoing:
                    self._t.sent(update)
            while turn.settle:
                turn.settle.pop(0).settled()
                await trio.lowlevel.checkpoint()
        finally:
            for wait in turn.settle:  # cancelled: nobody else will tell them
                if not saved:
                    wait.outcome = Dropped()
                wait.settled()


def words_of_ending(ending: Ending) -> str:
    """What the log says of it."""
    return ending.close.value if ending.error is None else f"{ending.close.value}: {words_of(ending.error)}"
