"""Pays late answers of runs held or ended: reads, lets `decisions` decide, saves, has the provider told."""

import logging
from collections.abc import Sequence

import attrs
import trio

from ...storage.contract import Storage
from ...storage.errors import Duplicate, StaleWrite
from ..clock import Wall
from ..errands import Errand, Errands
from .decisions import LateFacts, Owed, Payment, Refused, Unchanged, decide

log = logging.getLogger(__name__)

ROUNDS_MAX = 8  # a fact that changes under us more often than this is a bug, not bad luck
FIRST_TRY_S = 5.0  # how long staff wait to hear whether the provider was told


@attrs.frozen
class LatePaid:
    """What became of one late answer that was to be paid."""

    late_id: int
    cents: int | None = None
    """What is paid for it; None where it is refused."""
    changed: bool = False
    refused: str | None = None
    """Why it is not paid so."""
    owed: str | None = None
    """What the provider said instead of taking it; it is told again until it does."""


class LatePayer:
    """One per daemon."""

    def __init__(self, storage: Storage, wall: Wall, errands: Errands) -> None:
        self._storage = storage
        self._wall = wall
        self._errands = errands
        self._one_at_a_time = trio.Lock()

    async def pay(self, late: Sequence[int], cents: int | None, note: str | None, who: str) -> list[LatePaid]:
        """Pay each late answer, in order; each is stored by itself before the provider is told.

        `cents` None: what its unit is worth. NotFound for a number that is not there; those before it are
        done. Cancelled: what is stored stays, and the provider is told.
        """
        payment = Payment(cents, note, who)
        outcomes = [await self._pay(number, payment) for number in late]
        await self._errands.first_try([errand for _, errand in outcomes if errand], FIRST_TRY_S)
        return [
            attrs.evolve(outcome, owed=self._errands.untold(errand) if errand else None)
            for outcome, errand in outcomes
        ]

    async def _pay(self, late_id: int, payment: Payment) -> tuple[LatePaid, Errand | None]:
        async with self._one_at_a_time:
            for _ in range(ROUNDS_MAX):
                facts = await self._facts(late_id)
                match decide(facts, payment, self._wall()):
                    case Unchanged(cents):
                        return LatePaid(late_id, cents), None
                    case Refused(words):
                        return LatePaid(late_id, refused=words), None
                    case Owed() as owed:
                        if await self._is_saved(owed):
                            return LatePaid(late_id, owed.cents, changed=True), owed.errand
        raise StaleWrite(f"late answer {late_id} kept changing")

    async def _is_saved(self, owed: Owed) -> bool:
        """Save it and have it told. False: something has changed meanwhile, and nothing was done."""
        try:
            await self._storage.commit(owed.writes, owed.errand.since)
        except (StaleWrite, Duplicate):
            return False
        self._errands.begin([owed.errand])
        ids = {"run": owed.errand.run_id, "agent": owed.errand.agent_id}
        log.info("a late answer is to be paid", extra=ids)
        return True

    async def _facts(self, late_id: int) -> LateFacts | None:
        late = await self._storage.late_answer(late_id)
        if late.agent_id is None:
            return None
        agent = await self._storage.agent(late.agent_id)
        unit = await self._storage.unit(agent.unit_id)
        return LateFacts(late, agent, unit, await self._storage.late_of_agent(agent.id))
