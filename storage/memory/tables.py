"""Tables of frozen records in dicts: what is staged is applied whole or forgotten. Holds no rules."""

import bisect
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator
from typing import Any, Generic, TypeVar

from ...protocol.names import AgentStatus, RunId, UnitId, UnitStatus, WorkerId
from ..admission_rules import unit_kind
from ..records import (
    AddedRows,
    Agent,
    Assignment,
    AuditRow,
    Decision,
    Grant,
    HistoryEntry,
    LateAnswer,
    Metadata,
    OnboardingAgent,
    Owed,
    PageError,
    Project,
    Qualification,
    Requester,
    Review,
    Submission,
    Task,
    TaskRun,
    Unit,
    Worker,
)
from ..rows import fresh
from .streams import Streams
from .texts import Heard, Piece, Talk

K = TypeVar("K")
V = TypeVar("V")
KeyOf = Callable[[V], Hashable]
Watch = Callable[[V | None, V | None], None]


class Table(Generic[K, V]):
    """Records by key; `having` finds by a named other key. Looking sees what the open transaction staged."""

    def __init__(self, *watches: Watch[V], **other_keys: KeyOf[V]) -> None:
        self._rows: dict[K, V] = {}
        self._staged: dict[K, V | None] = {}
        self._last_id = self._staged_id = 0
        self._watches = watches
        self._other_keys = other_keys
        self._found: dict[str, defaultdict[Hashable, dict[K, None]]] = {
            name: defaultdict(dict) for name in other_keys
        }

    def get(self, key: K) -> V | None:
        """The record, or None."""
        return self._staged[key] if key in self._staged else self._rows.get(key)

    def put(self, key: K, record: V) -> V:
        """Stage a new or changed record; returns it as stored."""
        self._staged[key] = stored = fresh(record)
        return stored

    def drop(self, key: K) -> None:
        """Stage the removal of a record."""
        self._staged[key] = None

    def next_id(self) -> int:
        """A number higher than all before; given back when the transaction fails."""
        self._staged_id += 1
        return self._staged_id

    def having(self, name: str, value: Hashable) -> list[V]:
        """The records whose other key `name` is `value`, oldest first but for those just changed."""
        known = self._found[name].get(value, {})
        if not self._staged:
            return [self._rows[key] for key in known]
        key_of = self._other_keys[name]
        kept = [self._rows[key] for key in known if key not in self._staged]
        staged = [record for record in self._staged.values() if record is not None]
        return kept + [record for record in staged if key_of(record) == value]

    def the(self, name: str, value: Hashable) -> V | None:
        """The only record of a unique other key."""
        return next(iter(self.having(name, value)), None)

    def __iter__(self) -> Iterator[V]:
        """All records outside a transaction, oldest first."""
        return iter(self._rows.values())

    def __contains__(self, key: K) -> bool:
        return self.get(key) is not None

    def apply(self) -> None:
        """Make what is staged the present. Cannot fail."""
        if self._staged:
            for key, new in self._staged.items():
                self._apply(key, self._rows.get(key), new)
            self._staged.clear()
        self._last_id = self._staged_id

    def _apply(self, key: K, old: V | None, new: V | None) -> None:
        self._refind(key, old, new)
        for watch in self._watches:
            watch(old, new)
        if new is None:
            self._rows.pop(key, None)
        else:
            self._rows[key] = new

    def forget(self) -> None:
        """Undo what is staged."""
        self._staged.clear()
        self._staged_id = self._last_id

    def _refind(self, key: K, old: V | None, new: V | None) -> None:
        for name, key_of in self._other_keys.items():
            if old is None:
                if new is not None:
                    self._found[name][key_of(new)][key] = None
                continue
            before = key_of(old)
            if new is not None and key_of(new) == before:
                continue
            del self._found[name][before][key]
            if new is not None:
                self._found[name][key_of(new)][key] = None


Place = tuple[int, int]
"""Rank and position of a unit."""


class Queue:
    """The units of every run that are in one status, by rank and position."""

    def __init__(self, status: UnitStatus) -> None:
        self._status = status
        self._places: defaultdict[RunId, list[Place]] = defaultdict(list)
        self._units: dict[tuple[RunId, Place], UnitId] = {}

    def watch(self, old: Unit | None, new: Unit | None) -> None:
        """Take note of a unit that came or went."""
        if old is not None and old.status is self._status:
            places, place = self._places[old.run_id], (old.rank, old.position)
            del places[bisect.bisect_left(places, place)]
            del self._units[old.run_id, place]
        if new is not None and new.status is self._status:
            place = (new.rank, new.position)
            bisect.insort(self._places[new.run_id], place)
            self._units[new.run_id, place] = new.id

    def all(self, run_id: RunId) -> Iterator[UnitId]:
        """All units of a run, in order."""
        return self._from(run_id, 0)

    def behind(self, run_id: RunId, place: Place) -> Iterator[UnitId]:
        """The units behind a place, in order."""
        return self._from(run_id, bisect.bisect_right(self._places[run_id], place))

    def _from(self, run_id: RunId, first: int) -> Iterator[UnitId]:
        places = self._places[run_id]
        for index in range(first, len(places)):
            yield self._units[run_id, places[index]]


class Counts:
    """How many units (by kind) and agents of each run are in each status."""

    def __init__(self) -> None:
        self.units: defaultdict[tuple[RunId, str], Counter[UnitStatus]] = defaultdict(Counter)
        self.agents: defaultdict[RunId, Counter[AgentStatus]] = defaultdict(Counter)
        self.onboarding: defaultdict[RunId, Counter[AgentStatus]] = defaultdict(Counter)

    def watch_unit(self, old: Unit | None, new: Unit | None) -> None:
        """Count a unit made or moved."""
        if old is not None:
            self.units[old.run_id, unit_kind(old.unit_index)][old.status] -= 1
        if new is not None:
            self.units[new.run_id, unit_kind(new.unit_index)][new.status] += 1

    def watch_agent(self, old: Agent | None, new: Agent | None) -> None:
        """Count an agent made or moved."""
        if old is not None:
            self.agents[old.run_id][old.status] -= 1
        if new is not None:
            self.agents[new.run_id][new.status] += 1

    def watch_onboarding(self, old: OnboardingAgent | None, new: OnboardingAgent | None) -> None:
        """Count an onboarding agent made or moved."""
        if old is not None:
            self.onboarding[old.run_id][old.status] -= 1
        if new is not None:
            self.onboarding[new.run_id][new.status] += 1


class Tables:
    """Everything one memory store holds. Outlives its storage, as a file outlives a process."""

    def __init__(self) -> None:
        self.epoch = 0
        self.waiting = Queue(UnitStatus.CREATED)
        self.free = Queue(UnitStatus.LAUNCHED)
        self.counts = Counts()
        self.requesters: Table[int, Requester] = Table(name=lambda r: r.name)
        self.projects: Table[int, Project] = Table(name=lambda r: r.name)
        self.tasks: Table[int, Task] = Table(name=lambda r: r.name)
        self.runs: Table[RunId, TaskRun] = Table(
            launch=lambda r: r.launch_id, label=lambda r: r.label, task=lambda r: r.task_id
        )
        self.added_rows: Table[int, AddedRows] = Table(run=lambda r: r.run_id, request=lambda r: r.request_id)
        self.positions: Table[RunId, int] = Table()
        self.assignments: Table[int, Assignment] = Table(run=lambda r: r.run_id)
        self.units: Table[int, Unit] = Table(
            self.waiting.watch,
            self.free.watch,
            self.counts.watch_unit,
            run=lambda r: r.run_id,
            worker=lambda r: r.worker_id,
            assignment=lambda r: r.assignment_id,
        )
        self.workers: Table[int, Worker] = Table(name=lambda r: (r.provider, r.name))
        self.agents: Table[int, Agent] = Table(
            self.counts.watch_agent,
            run=lambda r: r.run_id,
            wire_id=lambda r: r.wire_id,
            link=lambda r: (r.run_id, r.link),
            worker=lambda r: r.worker_id,
            assignment=lambda r: r.assignment_id,
        )
        self.onboarding_agents: Table[int, OnboardingAgent] = Table(
            self.counts.watch_onboarding,
            run=lambda r: r.run_id,
            wire_id=lambda r: r.wire_id,
            link=lambda r: (r.run_id, r.link),
            worker=lambda r: (r.run_id, r.worker_id),
        )
        self.decisions: Table[int, Decision] = Table(
            run=lambda r: r.run_id,
            worker=lambda r: (r.run_id, r.worker_id),
            agent=lambda r: r.agent_id,
            unit=lambda r: r.unit_id,
        )
        self.worked: Table[tuple[WorkerId, int], bool] = Table()
        self.cursors: Table[tuple[WorkerId, RunId], int] = Table()
        self.qualifications: Table[int, Qualification] = Table(name=lambda r: r.name)
        self.grants: Table[tuple[int, int], Grant] = Table(
            qualification=lambda r: r.qualification_id, worker=lambda r: r.worker_id
        )
        self.submissions: Table[int, Submission] = Table(run=lambda r: r.run_id)
        self.late: Table[int, LateAnswer] = Table(
            run=lambda r: r.run_id,
            agent=lambda r: r.agent_id,
            said=lambda r: (r.run_id, r.wire_id, r.digest),
        )
        self.metadata: Table[int, Metadata] = Table(
            agent=lambda r: r.agent_id, told=lambda r: (r.agent_id, r.digest)
        )
        self.errors: Table[int, PageError] = Table(run=lambda r: r.run_id)
        self.updates: Streams[Talk, int] = Streams()
        self.heard: Streams[Heard, str] = Streams()
        self.journal: Streams[Piece, int] = Streams()
        self.owed: Table[int, Owed] = Table(run=lambda r: r.run_id, agent=lambda r: r.agent_id)
        self.reviews: Table[int, Review] = Table(agent=lambda r: r.agent_id)
        self.facts: Table[tuple[str, str], tuple[str, str, str]] = Table(scope=lambda r: r[0])
        self.audit: Table[int, AuditRow] = Table()
        self.history: Table[int, HistoryEntry] = Table(
            run=lambda r: r.run_id, subject=lambda r: (r.kind, r.subject_id)
        )
        kinds = (Table, Streams)
        self._all: list[Table[Any, Any] | Streams[Any, Any]] = [
            each for each in vars(self).values() if isinstance(each, kinds)
        ]

    def apply(self) -> None:
        """Make everything staged the present."""
        for table in self._all:
            table.apply()

    def forget(self) -> None:
        """Undo everything staged."""
        for table in self._all:
            table.forget()
