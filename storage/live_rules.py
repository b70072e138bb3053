"""What every body decides alike for live work: which updates and journal entries make sense. Pure."""

from collections.abc import Sequence

from ..protocol.names import PieceKind
from .errors import InvalidRecord
from .records import JournalEntry, LiveUpdate


def check_live(updates: Sequence[LiveUpdate], journal: Sequence[JournalEntry]) -> None:
    """InvalidRecord for what nobody could find again, or that contradicts itself."""
    for update in updates:
        if update.number < 1 or not update.update_id:
            raise InvalidRecord(f"update {update.number} of agent {update.agent_id} has no number or id")
        if (update.page_number > 0) is not (update.page != "") or (update.outgoing and update.page):
            raise InvalidRecord(f"update {update.number} of agent {update.agent_id} is of no page")
    for entry in journal:
        if entry.position < 1:
            raise InvalidRecord(f"no journal has a position {entry.position}")
        if entry.kind is PieceKind.ONBOARDING and entry.agent_id not in (None, entry.piece_id):
            raise InvalidRecord(f"the journal of onboarding {entry.piece_id} is about nobody else")
