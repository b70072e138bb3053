"""Makes a piece from what storage says of it: new, or with a journal to run against."""

from collections.abc import AsyncGenerator, Iterable, Sequence
from functools import partial
from typing import TypeVar

import attrs

from ...protocol.names import AgentId, PieceKind
from ...storage.contract import Storage
from ...storage.paging import every
from ...storage.records import JournalEntry, LiveUpdate
from .calls import is_call, unanswered
from .hearing import Hearing
from .ledger import Ledger, PieceKey
from .piece import Piece, PieceTools
from .replay import Replay
from .waits import What

Row = TypeVar("Row", JournalEntry, LiveUpdate)


@attrs.frozen
class Opened:
    """A piece that may be served, and what it needs to go on."""

    piece: Piece
    hearings: dict[AgentId, Hearing]
    calls: list[LiveUpdate]
    """Calls of named functions that were not answered."""
    begun_before: bool


async def open_piece(
    key: PieceKey, agents: Sequence[AgentId], seed: int, has_functions: bool, tools: PieceTools
) -> Opened:
    """The piece with these agents, or with those that its journal says it began with and who joined."""
    ledger = Ledger(key, tools.wall)
    written = [entry async for entry in _journal(tools.storage, key)]
    entries = _this_life(key, written, agents)
    everybody = _agents_of(entries) or [*agents]
    heard = {agent: await _updates(tools.storage, ledger, agent, False) for agent in everybody}
    sent = {agent: await _updates(tools.storage, ledger, agent, True) for agent in everybody}
    for agent_id, updates in sent.items():
        ledger.sent_before(agent_id, updates[-1].number if updates else 0)
    for update in _in_order(heard.values()):
        if not (has_functions and is_call(update.update)):
            ledger.deliver(update)
    if entries:
        seed = entries[0].result["seed"]
        agents = entries[0].result["agents"]
    else:
        ledger.note(What.BEGUN, None, {"agents": [*agents], "seed": seed})
    ledger.position = ledger.stored = written[-1].position if written else 0
    ledger.begin(agents)
    all_sent = _in_order(sent.values())
    piece = Piece(ledger, Replay(ledger, entries, all_sent), seed, tools)
    calls = unanswered(_in_order(heard.values()), all_sent) if has_functions else []
    return Opened(piece, {agent: Hearing(heard[agent]) for agent in everybody}, calls, bool(entries))


def _this_life(
    key: PieceKey, written: Sequence[JournalEntry], agents: Sequence[AgentId]
) -> Sequence[JournalEntry]:
    """What is to be replayed. A unit that was given back begins anew with the next agent who takes it."""
    begun = max((n for n, entry in enumerate(written) if What(entry.what) is What.BEGUN), default=0)
    entries = written[begun:]
    is_theirs = key.kind is not PieceKind.UNIT or set(agents) <= {*_agents_of(entries)}
    return entries if is_theirs else []


def _agents_of(entries: Sequence[JournalEntry]) -> list[AgentId]:
    """Everybody who ever sat in the piece."""
    if not entries:
        return []
    joined = [entry.agent_id for entry in entries if What(entry.what) is What.JOINED]
    return [*entries[0].result["agents"], *(agent for agent in joined if agent is not None)]


def _in_order(updates: Iterable[list[LiveUpdate]]) -> list[LiveUpdate]:
    every = [update for of_agent in updates for update in of_agent]
    return sorted(every, key=lambda update: (update.created_at, update.agent_id, update.number))


async def _updates(storage: Storage, ledger: Ledger, agent_id: AgentId, outgoing: bool) -> list[LiveUpdate]:
    read = partial(storage.live_updates, ledger.onboarding, agent_id, outgoing)
    return [update async for update in every(read, lambda update: update.number)]


def _journal(storage: Storage, key: PieceKey) -> AsyncGenerator[JournalEntry]:
    read = partial(storage.journal, key.kind, key.id)
    return every(read, lambda entry: entry.position)
