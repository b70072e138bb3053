"""Two stores, memory and SQLite, that get the same calls: what the machines of the tests are made of."""

from collections.abc import Callable
from typing import Any

import trio
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine

from crowdd.protocol.names import QueueOrder, RunId, RunState
from crowdd.storage.contract import Registration, Storage
from crowdd.storage.errors import StorageError
from crowdd.storage.memory import MemoryStorage, Tables
from crowdd.storage.sqlite import SqliteStorage
from crowdd.storage.sqlite.check import check_contents
from crowdd.storage.sqlite.connecting import open_writer
from crowdd.storage.sqlite.engine import Inline
from crowdd.storage.writes import MoveRun

from .world import NOW, World, new_run, rows

WHO = ("staff:ada", "because")
QUICK = settings(max_examples=25, stateful_step_count=30, deadline=None)


class Both(RuleBasedStateMachine):
    """Two stores that get the same calls."""

    def __init__(self) -> None:
        super().__init__()
        self.writer = open_writer(None)
        self.memory = MemoryStorage(Tables())
        self.sqlite = SqliteStorage(Inline(self.writer))

    def teardown(self) -> None:
        try:
            assert trio.run(World(self.memory).everything) == trio.run(World(self.sqlite).everything)
            assert check_contents(self.writer.db) == []
        finally:
            self.writer.close()

    def both(self, call: Callable[[Storage], Any]) -> None:
        async def outcome(storage: Storage) -> Any:
            try:
                return await call(storage)
            except StorageError as exc:
                return type(exc)

        assert trio.run(outcome, self.memory) == trio.run(outcome, self.sqlite)

    def begin(self, queue: QueueOrder = QueueOrder.FIFO) -> None:
        """What most rules need to get anywhere: a run with free units, and people."""
        self.both(lambda s: s.create_run(new_run("a", queue=queue), NOW, "staff:ada"))
        self.both(lambda s: s.add_assignments(RunId(1), rows(0, 3, 2), False, NOW))
        self.both(lambda s: s.launch_units(RunId(1), 5, NOW))
        start = MoveRun(RunId(1), RunState.LAUNCHING, RunState.RUNNING, *WHO)
        self.both(lambda s: s.commit([start], NOW))
        for name in ("ann", "bob", "cid"):
            self.join(name)

    def join(self, name: str) -> None:
        self.both(lambda s: s.register_worker("mock", name, {}, NOW))

    def take(self, registration: Registration) -> None:
        self.both(lambda s: s.reserve(registration, NOW))
