"""Live updates and journal entries as JSON text, without what their stream and place in it say.

As strings: the bytes that orjson makes keep all the room they were made in, 4 KiB for the least of them.
"""

from datetime import datetime

from ...protocol.names import AgentId, PieceKind
from .. import rules
from ..records import JournalEntry, LiveUpdate
from ..rows import dump_json, load_json

Talk = tuple[bool, AgentId, bool]
"""Onboarding, agent and outgoing: the stream of live updates."""
Heard = tuple[bool, AgentId]
"""Onboarding and agent: the stream of the ids of what pages sent."""
Piece = tuple[PieceKind, int]
"""Kind and id: the stream of a journal."""


def update_text(update: LiveUpdate) -> str:
    """InvalidRecord when it is no JSON."""
    at = rules.moment(update.created_at)
    return dump_json((update.update_id, update.page, update.page_number, update.update, at))


def update_of(talk: Talk, number: int, text: str) -> LiveUpdate:
    """What `update_text` was given, made anew."""
    update_id, page, page_number, update, at = load_json(text)
    return LiveUpdate(*talk, number, update_id, page, page_number, update, datetime.fromisoformat(at))


def entry_text(entry: JournalEntry) -> str:
    """InvalidRecord when it is no JSON."""
    return dump_json((entry.what, entry.agent_id, entry.result, rules.moment(entry.created_at)))


def entry_of(piece: Piece, position: int, text: str) -> JournalEntry:
    """What `entry_text` was given, made anew."""
    what, agent_id, result, at = load_json(text)
    return JournalEntry(*piece, position, what, agent_id, result, datetime.fromisoformat(at))
