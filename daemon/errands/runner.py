"""Tells providers what they are owed, each thing until it was told: at once, at a start, and with backoff."""

import logging
import math
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence

import trio

from ...protocol.names import AgentId, RunId, WorkerId
from ...storage.contract import Storage
from ...storage.errors import LeaseLost, NotFound, StorageFailed, StorageFull
from ...storage.records import Agent, Worker
from ...storage.writes import LatePaid, PutFact, Write
from ..causes import words_of
from ..clock import Wall
from ..error_notes import PLUG_IN, ErrorNotes
from ..providers.contract import CrowdProvider
from .errand import SCOPE, Call, Errand, errand_from
from .late_payment import LatePayment

log = logging.getLogger(__name__)

CALLS_AT_ONCE_MAX = 8  # what a provider's service takes from one account without complaint
CALL_S = 60.0  # a provider that says nothing for so long has failed
RETRY_S, RETRY_S_MAX = 10.0, 3600.0
LOOK_S = 60.0  # whoever saved an errand and was cancelled before saying so is found by looking

ProviderOf = Callable[[RunId], Awaitable[CrowdProvider]]


class Errands:
    """One per daemon. Storage is the truth; this holds what of it is to be done next."""

    def __init__(self, storage: Storage, wall: Wall, rng: random.Random, provider_of: ProviderOf) -> None:
        self._storage = storage
        self._wall = wall
        self._rng = rng
        self._provider_of = provider_of
        self._owed: dict[str, Errand] = {}
        self._due_at: dict[str, float] = {}
        self._busy: set[tuple[str, int]] = set()
        self._look, self._tried = trio.Event(), trio.Event()

    def owed(self, run_id: RunId | None = None) -> list[Errand]:
        """What is still to be told, oldest first: of all runs, or through one run's provider."""
        chosen = [each for each in self._owed.values() if run_id in (None, each.run_id)]
        return sorted(chosen, key=lambda each: each.since)

    def begin(self, errands: Iterable[Errand]) -> None:
        """These were saved just now: tell them as soon as may be."""
        for errand in errands:
            self._owed.setdefault(errand.key, errand)
        self._look.set()

    def untold(self, errand: Errand) -> str | None:
        """Why the provider was not told of it yet; None: it was, or need not be any more."""
        present = self._owed.get(errand.key)
        return None if present is None else present.error or "no answer yet"

    async def first_try(self, errands: Sequence[Errand], within_s: float) -> None:
        """Return when each of them was told or has failed at least once, or after `within_s`."""
        with trio.move_on_after(within_s):
            while any(self._is_untried(errand) for errand in errands):
                await self._tried.wait()

    def _is_untried(self, errand: Errand) -> bool:
        present = self._owed.get(errand.key)
        return present is not None and present.tries == 0

    async def serve(self) -> None:
        """Tell what is owed until cancelled; what was being told then is told again after the next start.

        LeaseLost, StorageFailed (in a group): the store is lost.
        """
        async with trio.open_nursery() as nursery:
            while True:
                await self._remember()
                looked_at = trio.current_time()
                while trio.current_time() < looked_at + LOOK_S:
                    self._look = trio.Event()
                    for errand in self._due():
                        self._busy.add(errand.subject)
                        nursery.start_soon(self._run, errand)
                    with trio.move_on_at(min(looked_at + LOOK_S, self._next_due_at())):
                        await self._look.wait()

    async def _remember(self) -> None:
        for fact in (await self._storage.facts(SCOPE)).values():
            errand = errand_from(fact)
            self._owed.setdefault(errand.key, errand)

    def _due(self) -> list[Errand]:
        now = trio.current_time()
        due = [each for each in self._waiting() if self._due_at.get(each.key, now) <= now]
        return due[: CALLS_AT_ONCE_MAX - len(self._busy)]

    def _waiting(self) -> list[Errand]:
        """The newest about each subject that nobody is being told about."""
        newest = {each.subject: each for each in self.owed()}
        return [each for subject, each in newest.items() if subject not in self._busy]

    def _next_due_at(self) -> float:
        if len(self._busy) >= CALLS_AT_ONCE_MAX:
            return math.inf  # the next that is done makes room
        return min((self._due_at.get(each.key, 0.0) for each in self._waiting()), default=math.inf)

    async def _run(self, errand: Errand) -> None:
        try:
            await self._try(errand)
        except StorageFull as exc:
            log.warning("a full disk delays %s: %s", errand.key, exc, extra={"run": errand.run_id})
            self._wait(errand)
        finally:
            self._busy.discard(errand.subject)
            self._tried.set()
            self._tried = trio.Event()
            self._look.set()

    async def _try(self, errand: Errand) -> None:
        """Tell it, or keep why not. LeaseLost, StorageFailed, StorageFull."""
        try:
            await self._tell(errand)
        except (LeaseLost, StorageFailed, StorageFull):
            raise
        except NotFound as exc:
            log.warning("nobody to tell %s about any more: %s", errand.key, exc, extra={"run": errand.run_id})
            await self._forget_up_to(errand)
        except Exception as exc:  # the provider is a plug-in: whatever it raises, it is owed on
            await self._note(errand, exc)

    async def _tell(self, errand: Errand) -> None:
        with trio.fail_after(CALL_S):
            whom = await self._whom(errand)
            if not errand.holds_for(whom):
                await self._forget([errand])  # what was decided after it is owed on
                return
            await _call(await self._provider_of(errand.run_id), errand, whom)
        log.info("the provider was told: %s", errand.key, extra={"run": errand.run_id})
        await self._forget_up_to(errand, _noted(whom))

    async def _whom(self, errand: Errand) -> Agent | Worker | LatePayment:
        if errand.call is Call.PAY_LATE:
            return await self._payment(AgentId(errand.subject_id))
        if errand.agent_id is not None:
            return await self._storage.agent(errand.agent_id)
        return await self._storage.worker(WorkerId(errand.subject_id))

    async def _payment(self, agent_id: AgentId) -> LatePayment:
        agent = await self._storage.agent(agent_id)
        for late in await self._storage.late_of_agent(agent_id):
            if late.owed_at is not None:
                return LatePayment(await self._storage.worker(agent.worker_id), late)
        raise NotFound(f"no late answer of agent {agent_id} is to be paid")

    async def _forget_up_to(self, errand: Errand, noted: Sequence[Write] = ()) -> None:
        """It was told, and with it all that is older about the same subject. `noted` is saved with that."""
        about = (each for each in self.owed() if each.subject == errand.subject)
        await self._forget([each for each in about if each.since <= errand.since], noted)

    async def _forget(self, past: Sequence[Errand], noted: Sequence[Write] = ()) -> None:
        gone = [PutFact(SCOPE, each.key, None) for each in past]
        await self._storage.commit([*gone, *noted], self._wall())
        for each in past:
            self._owed.pop(each.key, None)
            self._due_at.pop(each.key, None)

    async def _note(self, errand: Errand, error: Exception) -> None:
        said = f"no answer within {CALL_S:.0f} s" if isinstance(error, trio.TooSlowError) else words_of(error)
        failed = errand.failed(said or type(error).__name__)
        self._owed[errand.key] = failed
        self._wait(failed)
        log.error(
            "the provider could not be told: %s: %s", errand.key, failed.error, extra={"run": errand.run_id}
        )
        try:
            await self._storage.commit([failed.save()], self._wall())
        except StorageFull as exc:
            log.warning("its failure could not be noted: %s", exc, extra={"run": errand.run_id})
        if failed.tries == 1:
            notes = ErrorNotes(errand.run_id, self._storage, self._wall)
            await notes.note(PLUG_IN, _doing(errand), error, errand.agent_id)

    def _wait(self, errand: Errand) -> None:
        wait_s = min(RETRY_S * 2 ** min(errand.tries, 16), RETRY_S_MAX)
        self._due_at[errand.key] = trio.current_time() + wait_s * self._rng.uniform(0.8, 1.2)


def _noted(whom: Agent | Worker | LatePayment) -> list[Write]:
    """What is kept of the provider's having been told."""
    return [LatePaid(whom.late.id)] if isinstance(whom, LatePayment) else []


def _doing(errand: Errand) -> str:
    whom = "agent" if errand.agent_id is not None else "worker"
    return f"telling the provider to {errand.call.value.replace('_', '-')} {whom} {errand.subject_id}"


async def _call(provider: CrowdProvider, errand: Errand, whom: Agent | Worker | LatePayment) -> None:
    match errand.call, whom:
        case Call.APPROVE, Agent():
            await provider.approve(whom, errand.words)
        case Call.SOFT_REJECT, Agent():
            await provider.soft_reject(whom, errand.words)
        case Call.REJECT, Agent():
            await provider.reject(whom, errand.words)
        case Call.BLOCK, Worker():
            await provider.block(whom, errand.words or "")
        case Call.UNBLOCK, Worker():
            await provider.unblock(whom)
        case Call.PAY_LATE, LatePayment():
            await provider.bonus(whom.worker, whom.cents, whom.words, whom.payment_id)
        case _:
            raise AssertionError(f"{errand.key} is not about {whom}")
