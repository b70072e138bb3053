"""What every body decides alike for live work: which updates and entries make sense, what is owed. Pure."""

import math
from collections.abc import Sequence
from datetime import datetime

from ..protocol.names import PieceKind
from .errors import InvalidRecord
from .records import Agent, JournalEntry, LiveUpdate, Owed
from .rules import VALUE_MAX, check_name
from .writes import AddOwed


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


def new_owed(agent: Agent, write: AddOwed, now: datetime) -> Owed:
    """What an agent's worker has coming, without its id. InvalidRecord for less than nothing."""
    check_name("debt", write.what)
    if not (math.isfinite(write.seconds) and write.seconds >= 0 and 0 <= write.cents <= VALUE_MAX):
        raise InvalidRecord(f"{write.seconds} s and {write.cents} cents cannot be owed")
    return Owed(
        id=0,
        run_id=agent.run_id,
        worker_id=agent.worker_id,
        agent_id=agent.id,
        what=write.what,
        seconds=float(write.seconds),
        cents=write.cents,
        why=write.why,
        created_at=now,
    )
