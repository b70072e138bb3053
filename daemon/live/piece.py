"""One piece of live work: runs user code, gives it what it waits for, has its journal stored. One nursery.

States: replaying its journal → live → closing (user code has ended, answers may still come) → over.

User code runs on at once with what it is given: what came, what it was given and what it sends then are
one turn, stored whole. Nothing that comes of it is seen outside before: what it sends goes out, a function
of `run_sync` is called, and its end is acted on, when everything up to there is stored. If that is never, it
is as if the code had not run: its piece ends, or the daemon. Cancelled at any point it leaves whole turns in
storage; the next start runs the code again up to there.
"""

import enum
import logging
import math
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
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
from .scribe import Scribe
from .waits import How, Outcome, Seat, Stopped, Value, Wait, What

log = logging.getLogger(__name__)

REPLAY_PATIENCE_S = 60.0  # user code that comes to no recorded wait for so long does something else now
AFTERWARDS_S = 60.0  # what user code has to end in, once every agent's part is over
AT_ONCE = (What.SEND, What.NOW)
"""What never waits for anything: user code is given it without a turn of the scheduler."""
AT_ONCE_MAX = 32  # so often; then others are let run
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
    scribe: Scribe
    """Stores its turns."""
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
        self._is_served = False
        self._given: Wait | None = None
        """What user code was given and has not run on with. What is next waits for that: so the tasks of user
        code run on in the journal's order."""
        self._looks_at = math.inf
        """When the keeper of time looks again; `_look_again` wakes it before."""
        self._look_again = trio.Event()
        self._news: trio.Event | None = None
        """There while somebody waits: set when a turn is stored, or replayed."""
        self._at_once = 0
        self._refused: Exception | None = None
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
        """Run `code` until it ends, then `ended`; what is heard and asked is decided and stored meanwhile."""
        self._is_served = True
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._keep_time)
                self._go_on()
                await self._act_on(await self._run(code), ended)
                nursery.cancel_scope.cancel(reason="the piece is over")
        finally:
            self._is_served = False
            await self._t.scribe.leave(self)

    async def all_left(self) -> None:
        """Return once every agent's part is over."""
        await self._all_left.wait()

    async def _run(self, code: Callable[[], Awaitable[Any]]) -> Ending:
        """Foreign code behind one boundary: whatever it raises ends this piece and nothing else.

        No name here, or in who calls this, keeps what was raised: that holds these calls (from Python 3.12 on
        all of them), and only a search for garbage finds such.
        """
        with self._code:
            try:
                return self._ending(None, await code())
            except BaseException as exc:
                if any(isinstance(cause, trio.Cancelled) for cause in causes(exc)):
                    raise
                return self._ending(exc, None)
        return self._ending(None, None)

    async def _act_on(self, ending: Ending, ended: Callable[[Ending], Awaitable[None]]) -> None:
        if ending.close is not Close.STOPPED:
            await self._all_stored()
        await ended(ending)

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
        self._go_on()

    def heard_again(self, stored: Callable[[], None]) -> None:
        """A page repeated something; `stored` is called once all that came before is safe."""
        self._ledger.heard_again(stored)
        self._go_on()

    def deliver(self, update: LiveUpdate) -> None:
        """A page sent something new, which is stored already."""
        self._ledger.deliver(update)
        self._go_on()

    def seat_of(self, agent_id: AgentId) -> Seat:
        """Where an agent sits, or sat. LookupError."""
        return self._ledger.seat_of(agent_id)

    def answer(self, agent_id: AgentId, update: Mapping[str, Any]) -> None:
        """Send something that user code did not send."""
        self._ledger.answer(agent_id, update)
        self._go_on()

    def how_left(self, seat: Seat) -> How | None:
        """How the part of who sits there is over, as far as the piece was told."""
        return self._ledger.how_left(seat)

    def left(self, agent_id: AgentId, how: How) -> None:
        """An agent's part is over for good."""
        self._ledger.left(agent_id, how)
        if all(self._ledger.how_left(seat) is not None for seat in self.seats):
            self._all_left.set()
            self._code.deadline = min(self._code.deadline, trio.current_time() + AFTERWARDS_S)
        self._go_on()

    async def seated(self, agent_id: AgentId) -> Seat:
        """The agent's seat, once it has one: all that was sent to who sat there before is stored then."""
        while (seat := self._seat_now(agent_id)) is None:
            await self._next_news()
        await self._all_stored()
        return seat

    def _seat_now(self, agent_id: AgentId) -> Seat | None:
        return next((seat for seat in self.seats if agent_id in seat.agents), None)

    def join(self, index: int, agent_id: AgentId, said: Iterable[LiveUpdate] = ()) -> None:
        """Another agent takes a seat; what was `said` to and by it is stored already."""
        for update in said:
            if update.outgoing:
                self._ledger.sent_before(agent_id, update.number)
            else:
                self._ledger.deliver(update)
        self._ledger.note(What.JOINED, agent_id, {"seat": index})
        self._code.deadline = math.inf
        self._go_on()

    def end(self, agent_id: AgentId) -> None:
        """The group goes on no further, because of this agent."""
        self._ledger.note(What.ENDED, agent_id, {})
        self._go_on()

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
        """Wait for what the journal says, or will say, next.

        Cancelled once it is given, `Cancelled` comes at the next checkpoint.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        if self._stopping:
            await trio.lowlevel.checkpoint()
            return Stopped()
        deadline = math.inf if within_s is None else trio.current_time() + within_s
        run_on = partial(trio.lowlevel.reschedule, trio.lowlevel.current_task())
        wait = Wait(what, run_on, seat, deadline, update, value)
        self._ledger.add(wait)
        self._go_on(asks=wait)
        if wait.outcome is None:
            await trio.lowlevel.wait_task_rescheduled(partial(self._withdraw, wait))
        elif not self._is_at_once(wait):
            self._given = wait
            await trio.lowlevel.cancel_shielded_checkpoint()
        if self._given is wait:
            self._given = None
            self._go_on()
        assert wait.outcome is not None
        return wait.outcome

    def _is_at_once(self, wait: Wait) -> bool:
        """Whether who asks runs on without a turn of the scheduler: at a replay it is the same again."""
        if wait.what not in AT_ONCE:
            return False
        self._at_once += 1
        return self._at_once % AT_ONCE_MAX != 0

    def _withdraw(self, wait: Wait, _: Any) -> trio.lowlevel.Abort:
        self._ledger.withdraw(wait)
        return trio.lowlevel.Abort.SUCCEEDED

    # --- what it is given

    def _go_on(self, asks: Wait | None = None) -> None:
        """Give what is next, and have stored what there is. `asks`: its task runs, and takes what it gets."""
        if not self._is_served:
            return
        if self._given is None:
            wait = self._next()
            if wait is not None and wait is not asks:
                self._given = wait
                wait.settled()
        if self._ledger.has_turn:
            self._t.scribe.wants(self)
        if self._is_timed and self._next_look < self._looks_at:
            self._look_again.set()

    def _next(self) -> Wait | None:
        if self._diverged is not None:
            return None
        if self._replay is not None:
            return self._replayed(self._replay, trio.current_time())
        # Mostly nothing that is waited for has an end: then no clock is asked.
        is_timed = self._ledger.next_deadline < math.inf
        return self._ledger.next(trio.current_time() if is_timed else -math.inf)

    def _replayed(self, replay: Replay, now: float) -> Wait | None:
        try:
            wait = replay.step()
        except ReplayDiverged as exc:
            self._gives_up(exc)
            return None
        self._tell_news()
        if wait is not None:
            self._patience_until = math.inf
            return wait
        if replay.over:
            self._replay, self._patience_until = None, math.inf
            return self._ledger.next(now)
        self._patience_until = min(self._patience_until, now + REPLAY_PATIENCE_S)
        if now >= self._patience_until:
            self._gives_up(replay.waits_instead())
        return None

    def _gives_up(self, diverged: ReplayDiverged) -> None:
        self._diverged = diverged
        self._patience_until = math.inf
        self._code.cancel(reason="its replay diverged")
        self._replay = None

    @property
    def _is_timed(self) -> bool:
        """Whether anything here has an end: a wait, or the patience with a replay."""
        return self._ledger.next_deadline < math.inf or self._replay is not None

    @property
    def _next_look(self) -> float:
        """When the time of a wait, or the patience with a replay, is over."""
        if self._given is not None or self._ledger.is_full or self._diverged is not None:
            return math.inf  # `_go_on` is called when that changes; who has diverged is given nothing more
        return self._ledger.next_deadline if self._replay is None else self._patience_until

    async def _keep_time(self) -> None:
        """Go on when it is time to. What the store refuses is raised."""
        while True:
            self._looks_at = self._next_look
            if self._looks_at == math.inf:  # most waits have no end: a scope would cost more than the wait
                await self._look_again.wait()
            else:
                with trio.move_on_at(self._looks_at):
                    await self._look_again.wait()
            self._looks_at, self._look_again = -math.inf, trio.Event()
            if self._refused is not None:
                raise self._refused
            self._go_on()

    # --- what is stored

    def hand_over(self) -> Turn:
        """All that is to be stored now."""
        return self._ledger.hand_over()

    def take_back(self, turn: Turn) -> None:
        """It was not stored, and may be later."""
        self._ledger.take_back(turn)

    def is_stored(self, turn: Turn) -> None:
        """Save, then send."""
        self._ledger.is_stored(turn)
        for stored in turn.confirm:
            stored()
        for update in turn.updates:
            if update.outgoing:
                self._t.sent(update)
        self._tell_news()
        self._go_on()

    def is_refused(self, error: Exception) -> None:
        """What was handed over can never be stored: the piece ends, whatever its code did since."""
        self._is_served = False
        self._refused = error
        self._look_again.set()

    async def _all_stored(self) -> None:
        """Return once everything that is in the journal by now is stored."""
        newest = self._ledger.position
        while self._ledger.stored < newest:
            await self._next_news()

    async def _next_news(self) -> None:
        if self._news is None:
            self._news = trio.Event()
        await self._news.wait()

    def _tell_news(self) -> None:
        if self._news is not None:
            self._news.set()
            self._news = None


def words_of_ending(ending: Ending) -> str:
    """What the log says of it."""
    return ending.close.value if ending.error is None else f"{ending.close.value}: {words_of(ending.error)}"
