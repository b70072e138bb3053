"""What staff may change about a run while it is held: whether it lets anybody in."""

import logging

from ..storage.records import TaskRun
from .house import House
from .patience import Patience

log = logging.getLogger(__name__)


class RunTerms:
    """One per LiveRun. Storage first: what was not stored does not count."""

    def __init__(self, run: TaskRun, house: House, patience: Patience) -> None:
        self._run_id = run.id
        self._house = house
        self._patience = patience

    async def pause(self, paused: bool, who: str, why: str) -> None:
        """Let nobody new in, or let them in again; who is at work goes on either way.

        StaleWrite: the run has ended.
        """
        run = await self._house.storage.set_paused(self._run_id, paused, self._house.wall(), who, why)
        self._patience.hold(run.paused)
        log.info("paused" if run.paused else "not paused any more", extra={"run": self._run_id})
