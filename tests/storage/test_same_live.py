"""Random live work given to the memory body and to SQLite: same answers, same errors, no breach."""

from collections.abc import Sequence
from typing import Any

import attrs
import trio
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from crowdd.protocol.names import AgentId, AgentStatus, PieceKind, QueueOrder, RunId, WireId, WorkerId
from crowdd.storage.admission import NewOnboarding
from crowdd.storage.contract import Registration, Storage
from crowdd.storage.records import JournalEntry, LiveUpdate
from crowdd.storage.writes import AddOwed

from .both import QUICK, Both
from .live import an_entry, an_update
from .world import LATER, NOW

AGENTS = st.sampled_from([1, 1, 1, 2, 2, 9]).map(AgentId)
AGAIN = st.sampled_from([0, 0, 0, 0, 1])
"""How many places back: 1 for what is stored already."""


@attrs.frozen
class Said:
    """An update to be stored, but for its number."""

    onboarding: bool
    agent: AgentId
    outgoing: bool
    page: str
    again: int
    update_id: str | None


@attrs.frozen
class Called:
    """A journal entry to be stored, but for its position."""

    kind: PieceKind
    piece: int
    about_agent: bool
    again: int


SAID = st.builds(
    Said,
    st.booleans(),
    AGENTS,
    st.booleans(),
    st.sampled_from(["", "x", "y"]),
    AGAIN,
    st.sampled_from([None, None, None, "the same"]),
)
CALLED = st.builds(Called, st.sampled_from(PieceKind), st.sampled_from([1, 1, 2, 9]), st.booleans(), AGAIN)


class SameLive(Both):
    """Two agents at work in one group, two workers being onboarded, and what their pages and code say."""

    @initialize()
    def begin_with_people(self) -> None:
        self.begin(QueueOrder.GROUPED)
        for worker in (WorkerId(1), WorkerId(2)):
            wire_id = WireId(f"wire-{worker}")
            self.take(Registration(RunId(1), worker, wire_id, wire_id, "", (AgentStatus.NONE,), None))
            self.onboard(worker, WireId(f"onboarding_{worker}"))

    def onboard(self, worker: WorkerId, wire_id: WireId) -> None:
        new = NewOnboarding(RunId(1), worker, wire_id, wire_id, "", NOW)
        self.both(lambda s: s.begin_onboarding(new, NOW))

    @rule(said=st.lists(SAID, max_size=3), called=st.lists(CALLED, max_size=2))
    def add(self, said: list[Said], called: list[Called]) -> None:
        updates, journal = trio.run(_updates, self.memory, said), trio.run(_entries, self.memory, called)
        self.both(lambda s: s.add_live(updates, journal))

    @rule(onboarding=st.booleans(), agent=AGENTS, after=st.integers(0, 3), limit=st.integers(-1, 3))
    def look_at_an_agent(self, onboarding: bool, agent: AgentId, after: int, limit: int) -> None:
        self.both(lambda s: s.live_updates(onboarding, agent, False, after, limit))
        self.both(lambda s: s.live_updates(onboarding, agent, True, after, limit))
        self.both(lambda s: s.heard(onboarding, {agent: ["u1", "u2", "u4"], AgentId(9): ["u1"]}))

    @rule(kind=st.sampled_from(PieceKind), piece=AGENTS, after=st.integers(0, 3), limit=st.integers(-1, 3))
    def look_at_a_piece(self, kind: PieceKind, piece: int, after: int, limit: int) -> None:
        self.both(lambda s: s.journal(kind, piece, after, limit))

    @rule(
        agent=AGENTS,
        what=st.sampled_from(["waiting", "waiting", "travel", ""]),
        seconds=st.sampled_from([0, 1.5, 60, -1, float("inf")]),
        cents=st.integers(-1, 3),
    )
    def owe(self, agent: AgentId, what: str, seconds: float, cents: int) -> None:
        self.both(lambda s: s.commit([AddOwed(agent, what, seconds, cents, "waited")], LATER))
        self.both(lambda s: s.owed_of_agent(agent))
        self.both(lambda s: s.owed(RunId(1), after=1, limit=2))


async def _updates(storage: Storage, said: Sequence[Said]) -> list[LiveUpdate]:
    updates: list[LiveUpdate] = []
    for each in said:
        stream = (each.onboarding, each.agent, each.outgoing)
        number = 1 - each.again + len(await storage.live_updates(*stream))
        number += sum((u.onboarding, u.agent_id, u.outgoing) == stream for u in updates)
        changes: dict[str, Any] = {"onboarding": each.onboarding, "outgoing": each.outgoing}
        if each.page and not each.outgoing:
            heard = sum(u.page == each.page for u in await storage.live_updates(*stream))
            before = sum(
                (*stream, each.page) == (u.onboarding, u.agent_id, u.outgoing, u.page) for u in updates
            )
            changes |= {"page": each.page, "page_number": heard + before + 1}
        if each.update_id is not None:
            changes["update_id"] = each.update_id
        updates.append(an_update(each.agent, number, **changes))
    return updates


async def _entries(storage: Storage, called: Sequence[Called]) -> list[JournalEntry]:
    entries: list[JournalEntry] = []
    for each in called:
        position = 1 - each.again + len(await storage.journal(each.kind, each.piece))
        position += sum((entry.kind, entry.piece_id) == (each.kind, each.piece) for entry in entries)
        agent = AgentId(each.piece) if each.about_agent and each.kind is PieceKind.ONBOARDING else None
        entries.append(an_entry(each.kind, each.piece, position, agent_id=agent))
    return entries


SameLive.TestCase.settings = QUICK
TestSameLive = SameLive.TestCase
