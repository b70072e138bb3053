"""Runs user code against its journal: the same results in the same order, or the first difference. Pure."""

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from ...protocol.names import AgentId
from ...storage.records import JournalEntry, LiveUpdate
from .errors import ReplayDiverged
from .ledger import Ledger
from .waits import NOTES, AllOver, Ended, Got, How, Left, Nothing, Outcome, Sent, Value, Wait, What


class Replay:
    """What is left of a journal. Gives each recorded result to the wait that asks for it, one a `step`."""

    def __init__(self, ledger: Ledger, entries: Iterable[JournalEntry], sent: Iterable[LiveUpdate]) -> None:
        """`sent` is all that user code and functions sent so far."""
        self._ledger = ledger
        self._entries = deque(entries)
        self._sent = {(update.agent_id, update.number): update.update for update in sent}

    @property
    def over(self) -> bool:
        """Whether everything recorded was given; what comes now is new."""
        return not self._entries

    def step(self) -> Wait | None:
        """Decide the next wait that is recorded; None: user code has not come to it yet, or all is over.

        ReplayDiverged: it sends something else than was sent.
        """
        while self._entries and What(self._entries[0].what) in NOTES:
            entry = self._entries.popleft()
            self._ledger.apply(What(entry.what), entry.agent_id, entry.result)
        if not self._entries:
            return None
        wait = next((wait for wait in self._ledger.waits if self._is_for(self._entries[0], wait)), None)
        if wait is None:
            return None
        self._ledger.decide(wait, self._outcome(self._entries.popleft(), wait))
        return wait

    def diverged(self, instead: str) -> ReplayDiverged:
        """User code does something else than the journal expects next."""
        entry = self._entries[0]
        whose = "" if entry.agent_id is None else f" for agent {entry.agent_id}"
        return ReplayDiverged(
            f"at position {entry.position} of its journal the code did {entry.what}{whose} before, "
            f"now it {instead}"
        )

    def waits_instead(self) -> ReplayDiverged:
        """User code waits for something that is not recorded."""
        waits = [f"{wait.what.word}{_whose(wait)}" for wait in self._ledger.waits]
        return self.diverged(f"waits for {' and '.join(waits) or 'something of its own'}")

    def _is_for(self, entry: JournalEntry, wait: Wait) -> bool:
        if wait.what.word != entry.what:
            return False
        return wait.seat is None or entry.agent_id in wait.seat.agents

    def _outcome(self, entry: JournalEntry, wait: Wait) -> Outcome:
        if wait.what in (What.NOW, What.RUN):
            return Value(entry.result)
        if wait.what is What.SLEEP:
            return Nothing()
        result: Mapping[str, Any] = entry.result
        if "left" in result:
            return Left(How(result["left"]))
        if "ended" in result:
            return Ended(result["ended"])
        if "over" in result:
            return AllOver()
        if "number" not in result:
            return Nothing()
        assert entry.agent_id is not None
        return self._numbered(entry, entry.agent_id, result["number"], wait)

    def _numbered(self, entry: JournalEntry, agent_id: AgentId, number: int, wait: Wait) -> Outcome:
        if wait.what is not What.SEND:
            return self._given(entry, agent_id, number)
        before = self._sent.get((agent_id, number))
        if before != _plain(wait.update):
            raise ReplayDiverged(
                f"at position {entry.position} of its journal the code sent agent {agent_id} "
                f"{_shown(before)}, now it sends {_shown(wait.update)}"
            )
        return Sent(number)

    def _given(self, entry: JournalEntry, agent_id: AgentId, number: int) -> Got:
        if not self._ledger.waiting_mail(agent_id):
            raise ReplayDiverged(
                f"at position {entry.position} of its journal the code was given update {number} of agent "
                f"{agent_id}, which is not in the store"
            )
        return Got(self._ledger.take(agent_id))


WORDS_MAX = 120  # of an update in the words of a difference


def _plain(update: Mapping[str, Any] | None) -> Any:
    """As it comes back from the store: tuples are lists there, for one."""
    return orjson.loads(orjson.dumps(update))


def _shown(update: Mapping[str, Any] | None) -> str:
    text = orjson.dumps(update).decode()
    return text if len(text) <= WORDS_MAX else text[:WORDS_MAX] + "..."


def _whose(wait: Wait) -> str:
    return "" if wait.seat is None else f" for agent {wait.seat.agent_id}"
