"""What is missing at present, and since when. Logged once; staff, systemd and metrics are shown it."""

import enum
import logging
from collections.abc import Sequence
from datetime import datetime

import attrs
import trio

from ..protocol.names import RunId
from .clock import Wall

log = logging.getLogger(__name__)


class Lack(enum.Enum):
    """What is missing: short, stable names, for metrics and programs."""

    DISK_FULL = "disk_full"
    DISK_RESERVE = "disk_reserve"
    STORE_LOST = "store_lost"
    RUN_WAITS = "run_waits"
    ROUTER_AWAY = "router_away"
    OUTBOX_FULL = "outbox_full"
    OUTBOX_FAILED = "outbox_failed"
    OUTBOX_SET_ASIDE = "outbox_set_aside"


@attrs.frozen
class Degradation:
    """One thing that is missing. `about` says of what, where there are several: a router of a run."""

    lack: Lack
    about: str
    words: str
    since: datetime
    run_id: RunId | None = None


class Degraded:
    """One per daemon. Whoever notices a lack says so here, and says when it is over; both may be repeated."""

    def __init__(self, wall: Wall) -> None:
        self._wall = wall
        self._present: dict[tuple[Lack, str], Degradation] = {}
        self._changed = trio.Event()

    def begin(
        self, lack: Lack, words: str, about: str = "", run_id: RunId | None = None, *, quiet: bool = False
    ) -> None:
        """Note what is missing and what follows from it; of one that is known, new words are taken over.

        `quiet`: whoever noticed it has logged it already.
        """
        known = self._present.get((lack, about))
        if known is None and not quiet:
            log.warning("degraded, %s: %s", _named(lack, about), words, extra=_ids(run_id))
        if known is not None and known.words == words:
            return
        since = self._wall() if known is None else known.since
        self._present[lack, about] = Degradation(lack, about, words, since, run_id)
        self._note_change()

    def end(self, lack: Lack, about: str = "", *, quiet: bool = False) -> None:
        """It is as it should be again."""
        over = self._present.pop((lack, about), None)
        if over is None:
            return
        if not quiet:
            lasted_s = (self._wall() - over.since).total_seconds()
            log.info("%s is over after %.0f s", _named(lack, about), lasted_s, extra=_ids(over.run_id))
        self._note_change()

    def leave(self, run_id: RunId) -> None:
        """The run is not held any more: what is missing for it does not matter."""
        gone = [key for key, each in self._present.items() if each.run_id == run_id]
        for key in gone:
            del self._present[key]
        if gone:
            self._note_change()

    def has(self, lack: Lack, about: str = "") -> bool:
        """Whether this is missing now."""
        return (lack, about) in self._present

    def now(self) -> Sequence[Degradation]:
        """All that is missing, the oldest first."""
        return list(self._present.values())

    async def until_changed(self) -> None:
        """Return at the next change."""
        await self._changed.wait()

    def _note_change(self) -> None:
        self._changed.set()
        self._changed = trio.Event()


def _named(lack: Lack, about: str) -> str:
    name = lack.value.replace("_", " ")
    return f"{name} ({about})" if about else name


def _ids(run_id: RunId | None) -> dict[str, RunId]:
    return {} if run_id is None else {"run": run_id}
