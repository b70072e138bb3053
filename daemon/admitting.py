"""Carries a worker through admission: decides, asks what is not known, carries the decision out."""

import logging
from typing import assert_never

import trio

from ..protocol.ids import RANDOM_BYTES, new_wire_id
from ..protocol.names import AgentStatus, Reason, WireId, WorkerId
from ..storage.admission import NewDecision, NewOnboarding, NewSpecial, OnboardingBegun, WorkerFacts
from ..storage.admission_rules import GRANTED_WHO, GRANTED_WHY
from ..storage.contract import Choose, NotReserved, Registration, Reserved
from ..storage.errors import NotFound
from ..storage.records import Worker
from ..storage.rows import changed
from ..storage.writes import RecordDecision, SetGrant, TakeGrant
from .admission import Ask, Onboard, Refuse, Reserve, Special, decide
from .admission.decisions import Final
from .admission_tools import Desk, OnboardingDoor, Seat, Tools
from .due_times import due_after
from .hooks import HookFailed
from .inquiry import Inquiry, recorded
from .newcomers import Newcomers

log = logging.getLogger(__name__)

SETTLE_S = 20.0  # a page gives up after 30 s; until then what its worker sent last is judged first
SAVE_S = 2.0  # an answer is saved in milliseconds; who asks while the disk hangs is told so, and asks again
NOBODY = WorkerId(0)
REAL_UNIT = 0  # the index stands for those of all real ones: they begin alike
Admitted = Reserved | OnboardingBegun | Refuse


class Admitting:
    """One per run. Holds no state: everything is in storage, so a restart changes nothing."""

    def __init__(self, tools: Tools, desk: Desk, door: OnboardingDoor | None) -> None:
        self._t = tools
        self._desk = desk
        self._door = door

    def for_newcomers(self, seat: Seat) -> Choose | None:
        """What chooses for whoever comes by this seat, if they are new; None: the provider is to be asked."""
        if not self._t.provider.welcomes_newcomers():
            return None
        return Newcomers(self._t.rules, self._blank(seat, REAL_UNIT))

    async def admit(
        self, worker: Worker, seat: Seat, facts: WorkerFacts | None = None, welcome: bool = False
    ) -> Admitted:
        """Give the worker a unit, an onboarding, or a reason why not; recorded with its facts.

        `facts` are those of a worker who just became known, or were read while nothing was being judged:
        nothing of theirs is to be waited for. `welcome`: nor is the provider to be asked, as of these facts.
        The same seat again, also at the same instant, gets the same agent. Cancelled: it happened as a whole
        or not at all, and asking again finds out.
        """
        inquiry = Inquiry(self._t, self._desk, worker)
        if facts is not None:
            inquiry.take(facts, welcome)
        elif not await self._settled(worker):
            return Refuse(Reason.TRY_LATER)
        else:
            await inquiry.read()
        return await self._decided(inquiry, seat)

    async def _settled(self, worker: Worker) -> bool:
        """Whether all that the worker submitted is judged, in good time."""
        with trio.move_on_after(SETTLE_S) as settling:
            await self._desk.settled(worker.id)
        return not settling.cancelled_caught

    async def _decided(self, inquiry: Inquiry, seat: Seat) -> Admitted:
        looked_again = False
        while True:
            decision = decide(inquiry.facts)
            if isinstance(decision, Ask):
                await inquiry.learn(decision.question)
            elif not looked_again and _is_held_against(decision, inquiry):
                looked_again = True
                if not await self._caught_up(inquiry):
                    return Refuse(Reason.TRY_LATER)
            elif (done := await self._carry_out(decision, inquiry, seat)) is not None:
                return done

    async def _caught_up(self, inquiry: Inquiry) -> bool:
        """Read anew if answers were being saved, maybe of this worker; whether all of them are."""
        came = False
        with trio.move_on_after(SAVE_S) as saving:
            came = await self._desk.caught_up()
        if came:
            await inquiry.read()
        return not saving.cancelled_caught

    async def _carry_out(self, decision: Final, inquiry: Inquiry, seat: Seat) -> Admitted | None:
        """What came of it; None: nothing was written, the inquiry knows why, and it is to be decided anew."""
        try:
            done = await self._done(decision, inquiry, seat)
        except HookFailed as exc:  # who asked has noted it
            inquiry.fail(str(exc))
            return None
        except NotFound as exc:
            if not inquiry.granted:
                raise
            # A hook granted what no qualification is called: the author's mistake, not the worker's.
            inquiry.fail(f"a hook granted what is not there: {exc}")
            await self._desk.failed("granting what a hook said", exc)
            return None
        if isinstance(done, NotReserved):
            inquiry.storage_said(done)
            return None
        return done

    async def _done(self, decision: Final, inquiry: Inquiry, seat: Seat) -> Admitted | NotReserved:
        match decision:
            case Refuse():
                return await self._refuse(decision, inquiry)
            case Onboard():
                return await self._onboard(decision, inquiry, seat)
            case Special() | Reserve():
                return await self._reserve(decision, inquiry, seat)
        assert_never(decision)

    async def _refuse(self, decision: Refuse, inquiry: Inquiry) -> Refuse:
        ids = {"run": self._t.run.id, "worker": inquiry.worker.id}
        log.info("refused: %s", decision.reason.value, extra=ids)
        record = self._record(decision, inquiry)
        if inquiry.granted:
            writes = [*_grants(inquiry), RecordDecision(record)]
            await self._t.storage.commit(writes, self._t.wall())
        else:
            await self._t.storage.record_decision(record, self._t.wall())
        return decision

    async def _onboard(
        self, decision: Onboard, inquiry: Inquiry, seat: Seat
    ) -> OnboardingBegun | NotReserved | Refuse:
        assert self._door is not None, "a run that onboards has a door"
        new = NewOnboarding(
            run_id=self._t.run.id,
            worker_id=inquiry.worker.id,
            wire_id=self._wire_id(onboarding=True),
            link=seat.link,
            after=await self._door.after(seat),
            due_at=self._door.full_time(),
            provider_data=await self._door.kept_data(inquiry.known, seat),
            expect=inquiry.expected(),
            grants=inquiry.granted,
            decision=self._record(decision, inquiry),
        )
        begun = await self._t.storage.begin_onboarding(new, self._t.wall())
        if isinstance(begun, OnboardingBegun) and not begun.existing:
            ids = {"run": self._t.run.id, "worker": inquiry.worker.id}
            log.info("onboarding %d for a worker", begun.agent.id, extra=ids)
            self._door.begun(begun.agent)
        return begun

    async def _reserve(
        self, decision: Special | Reserve, inquiry: Inquiry, seat: Seat
    ) -> Reserved | NotReserved:
        registration = changed(
            self._blank(seat, _unit_index(decision)),
            worker_id=inquiry.worker.id,
            candidates=decision.candidates if isinstance(decision, Reserve) else None,
            special=self._special(decision, inquiry) if isinstance(decision, Special) else None,
            expect=inquiry.expected(),
            grants=inquiry.granted,
            decision=self._record(decision, inquiry),
        )
        return await self._t.storage.reserve(registration, self._t.wall())

    def _blank(self, seat: Seat, unit_index: int) -> Registration:
        """What of a registration depends neither on who comes nor on what was decided."""
        limits = self._t.config.limits
        first = self._t.blueprint.first_status(unit_index)
        return Registration(
            run_id=self._t.run.id,
            worker_id=NOBODY,
            wire_id=self._wire_id(),
            link=seat.link,
            after=seat.after,
            path=(AgentStatus.ACCEPTED, first),
            due_at=due_after(self._t.wall(), self._t.time_s(first)),
            provider_data=seat.data,
            allowed_concurrent=limits.allowed_concurrent,
            maximum_units_per_worker=limits.maximum_units_per_worker,
        )

    def _special(self, decision: Special, inquiry: Inquiry) -> NewSpecial:
        return NewSpecial(
            decision.kind.unit_index,
            inquiry.data_of(decision),
            decision.digest,
            decision.cap,
            self._t.config.pay.cents,
        )

    def _record(self, decision: Final, inquiry: Inquiry) -> NewDecision:
        return recorded(self._t.run.id, inquiry.worker.id, decision, inquiry.facts)

    def _wire_id(self, onboarding: bool = False) -> WireId:
        return new_wire_id(self._t.run.key, self._t.rng.randbytes(RANDOM_BYTES), onboarding)


def _is_held_against(decision: Final, inquiry: Inquiry) -> bool:
    """Whether who is to be refused holds a unit, whose answer may be the one that is being saved."""
    return isinstance(decision, Refuse) and bool(inquiry.facts.standing.holding)


def _unit_index(decision: Special | Reserve) -> int:
    return decision.kind.unit_index if isinstance(decision, Special) else REAL_UNIT


def _grants(inquiry: Inquiry) -> list[SetGrant | TakeGrant]:
    """What hooks granted on the way to a refusal."""
    worker_id, by = inquiry.worker.id, (GRANTED_WHO, GRANTED_WHY)
    return [
        TakeGrant(name, worker_id, *by) if value is None else SetGrant(name, worker_id, value, *by)
        for name, value in inquiry.granted.items()
    ]
