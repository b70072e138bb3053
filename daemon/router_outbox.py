"""What one router keeps for us on its disk, as its hello and its reports say. Decides nothing.

While the daemon was away or slow the router told pages "Submitted!" for it. Until all of that has come nobody
is timed out, and the run is not taken off the router.
"""

from collections.abc import Iterable, Mapping

import trio

from ..protocol.names import RunId
from .degraded import Degraded, Lack

_FULL = "its outbox is full: while the daemon is away or slow, pages are told to try later"
_FAILING = "its disk takes nothing: while the daemon is away or slow, pages are told to try later"
_SET_ASIDE = (
    "{} that pages were told is submitted could not be delivered: the router has set it aside in its folder "
    "(set_aside) and names it in its log"
)


class RouterOutbox:
    """One per router of a run. `about` says which router it is, of which run."""

    def __init__(self, degraded: Degraded, about: str, run_id: RunId) -> None:
        self._degraded = degraded
        self._about = about
        self._run_id = run_id
        self._owed: set[str] | None = None
        self._measure: Mapping[str, int] = {}
        self._changed = trio.Event()

    @property
    def measure(self) -> Mapping[str, int]:
        """How much it keeps: `answers`, `metadata`, `bytes`; nothing when it is empty."""
        return self._measure

    def announced(self, agents: Iterable[str]) -> None:
        """The router's hello: whose answers it keeps."""
        self._owed = set(agents)
        self._measure = {"answers": len(self._owed)} if self._owed else {}
        self._note_change()

    def delivered(self, agent: str) -> None:
        """An answer that it kept is dealt with."""
        if self._owed is not None and agent in self._owed:
            self._owed.discard(agent)
            self._note_change()

    def reported(self, measure: Mapping[str, int]) -> None:
        """How much it keeps at present."""
        self._measure = dict(measure)
        for name, lack, words in (
            ("full", Lack.OUTBOX_FULL, _FULL),
            ("failing", Lack.OUTBOX_FAILED, _FAILING),
            ("set_aside", Lack.OUTBOX_SET_ASIDE, _SET_ASIDE.format(_things(measure.get("set_aside", 0)))),
        ):
            if measure.get(name):
                self._degraded.begin(lack, words, self._about, self._run_id)
            else:
                self._degraded.end(lack, self._about)
        self._note_change()

    async def settled(self) -> None:
        """Return once the router has said what it keeps, and its answers have come."""
        while self._owed is None or self._owed:
            await self._changed.wait()

    async def emptied(self) -> None:
        """Return once the router keeps nothing for us, as far as it has said."""
        while (
            self._owed is None or self._owed or self._measure.get("answers") or self._measure.get("metadata")
        ):
            await self._changed.wait()

    def _note_change(self) -> None:
        self._changed.set()
        self._changed = trio.Event()


def _things(count: int) -> str:
    return "1 thing" if count == 1 else f"{count} things"
