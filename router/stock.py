"""What one run keeps on the router's disk: how far each thing is, whose, and how much there may be. Pure."""

import enum
from collections import defaultdict
from collections.abc import Iterator

import attrs

from ..protocol.names import WireId
from .commands import Kept
from .limits import OUTBOX_AGENT_BYTES_MAX, OUTBOX_AGENT_ENTRIES_MAX, OUTBOX_RUN_ENTRIES_MAX
from .quota import Quota


class Stage(enum.Enum):
    """How far something is on its way from a page to the daemon."""

    SPOOLING = "is being written to disk: nobody was told anything"
    KEPT = "is on disk, and called submitted"
    READING = "is being read back"
    UNDER_WAY = "was sent to the daemon"
    SETTLED = "the daemon has it, or never will: it is being removed, or set aside"


STAGE_NEXT = {
    Stage.SPOOLING: frozenset({Stage.KEPT, Stage.SETTLED}),
    Stage.KEPT: frozenset({Stage.READING}),
    Stage.READING: frozenset({Stage.UNDER_WAY, Stage.KEPT, Stage.SETTLED}),
    Stage.UNDER_WAY: frozenset({Stage.SETTLED, Stage.KEPT}),
    Stage.SETTLED: frozenset[Stage](),
}


@attrs.define(eq=False)
class Entry:
    """One thing that was handed in."""

    kept: Kept
    stage: Stage
    unneeded: bool = False
    """While it was being written the daemon answered after all."""

    @property
    def number(self) -> int:
        """Its name."""
        return self.kept.number

    @property
    def is_owed(self) -> bool:
        """Whether its page may have been told that it is submitted, and the daemon does not have it."""
        return self.stage in (Stage.KEPT, Stage.READING, Stage.UNDER_WAY)

    def go(self, stage: Stage) -> None:
        """Be at this stage now."""
        assert stage in STAGE_NEXT[self.stage], f"{self.stage} to {stage}"
        self.stage = stage


class Stock:
    """All entries of a run, within the limits of its agents, its own, and those of the router (`quota`)."""

    def __init__(self, quota: Quota) -> None:
        self.quota = quota
        self.held = 0
        """What they add up to, in bytes."""
        self._entries: dict[int, Entry] = {}
        self._of: defaultdict[WireId, dict[int, Entry]] = defaultdict(dict)

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def get(self, number: int) -> Entry | None:
        """The entry of this number."""
        return self._entries.get(number)

    def of(self, agent: WireId) -> list[Entry]:
        """What the daemon may still have to be told of this agent, oldest first."""
        entries = self._of.get(agent, {}).values()
        return [one for one in entries if one.stage is not Stage.SETTLED and not one.unneeded]

    def has_room_for(self, agent: WireId, size: int) -> bool:
        """Whether so much more of this agent may be kept."""
        theirs = self._of.get(agent, {}).values()
        return (
            len(self._entries) < OUTBOX_RUN_ENTRIES_MAX
            and len(theirs) < OUTBOX_AGENT_ENTRIES_MAX
            and sum(entry.kept.size for entry in theirs) + size <= OUTBOX_AGENT_BYTES_MAX
            and self.quota.has_room(size)
        )

    def add(self, kept: Kept, stage: Stage) -> Entry:
        """Keep this; whether there is room is asked before."""
        entry = self._entries[kept.number] = self._of[kept.agent][kept.number] = Entry(kept, stage)
        self.held += kept.size
        self.quota.take(kept.size)
        return entry

    def drop(self, entry: Entry) -> None:
        """It is not kept any more."""
        kept = entry.kept
        del self._entries[kept.number], self._of[kept.agent][kept.number]
        if not self._of[kept.agent]:
            del self._of[kept.agent]
        self.held -= kept.size
        self.quota.give_back(kept.size)
