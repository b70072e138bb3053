"""What tests of live work store: updates of pages, and entries of journals."""

from typing import Any

import attrs

from crowdd.protocol.names import AgentId, PieceKind
from crowdd.storage.records import JournalEntry, LiveUpdate

from .world import NOW


def an_update(agent_id: AgentId, number: int = 1, **changes: Any) -> LiveUpdate:
    """An update of a page that does not count what it sends."""
    update = LiveUpdate(False, agent_id, False, number, f"u{number}", "", 0, {"n": number}, NOW)
    return attrs.evolve(update, **changes)


def an_entry(kind: PieceKind, piece_id: int, position: int = 1, **changes: Any) -> JournalEntry:
    """What user code received."""
    entry = JournalEntry(kind, piece_id, position, "receive", None, {"n": position}, NOW)
    return attrs.evolve(entry, **changes)
