"""One writer for all pieces: what shares a transaction, what fails alone, what is left of who leaves."""

from collections.abc import Sequence

import pytest
import trio
from tests.daemon.scribes import open_scribe
from trio.testing import MockClock, wait_all_tasks_blocked

from crowdd.daemon.clock import simulated_wall
from crowdd.daemon.full_disk import RETRY_S
from crowdd.daemon.live.ledger import Turn, update_id
from crowdd.daemon.live.scribe import ROWS_MAX, Scribe
from crowdd.protocol.names import AgentId
from crowdd.storage.errors import Duplicate, StorageFailed, StorageFull
from crowdd.storage.memory import MemoryStorage, Tables
from crowdd.storage.records import JournalEntry, LiveUpdate


class Shelf(MemoryStorage):
    """Keeps what was stored, transaction by transaction; each takes until `go`, and may meet an error."""

    def __init__(self) -> None:
        super().__init__(Tables())
        self.go = trio.Event()
        self.go.set()
        self.error: Exception | None = None
        self.transactions: list[list[AgentId]] = []

    async def add_live(self, updates: Sequence[LiveUpdate], journal: Sequence[JournalEntry]) -> None:
        with trio.CancelScope(shield=True):
            await self.go.wait()
        if self.error is not None:
            raise self.error
        agents = [update.agent_id for update in updates]
        if set(agents) & set(self.stored):
            raise Duplicate("one of them is stored")
        self.transactions.append(agents)

    @property
    def stored(self) -> list[AgentId]:
        return [agent for transaction in self.transactions for agent in transaction]


class Writer:
    """Has rows of one agent stored."""

    def __init__(self, agent: int, scribe: Scribe) -> None:
        self.agent = AgentId(agent)
        self.turn = Turn()
        self.rows_stored = 0
        self.refused: Exception | None = None
        self._scribe = scribe

    def writes(self, rows: int = 1) -> None:
        name = update_id(False, self.agent, 1)
        update = LiveUpdate(False, self.agent, True, 1, name, "", 0, {}, simulated_wall())
        self.turn.updates += [update] * rows
        self._scribe.wants(self)

    def hand_over(self) -> Turn:
        turn, self.turn = self.turn, Turn()
        return turn

    def take_back(self, turn: Turn) -> None:
        self.turn = Turn(turn.updates + self.turn.updates)

    def is_stored(self, turn: Turn) -> None:
        self.rows_stored += turn.rows

    def is_refused(self, error: Exception) -> None:
        self.refused = error


def writers(scribe: Scribe, *agents: int, rows: int = 1) -> list[Writer]:
    """They all want to have something stored."""
    everybody = [Writer(agent, scribe) for agent in agents]
    for writer in everybody:
        writer.writes(rows)
    return everybody


async def test_what_comes_while_a_transaction_is_under_way_is_stored_together_in_the_next() -> None:
    shelf = Shelf()
    scribe = Scribe(shelf)
    async with open_scribe(scribe):
        shelf.go = trio.Event()
        writers(scribe, 1)
        await wait_all_tasks_blocked()
        writers(scribe, 2, 3, 4)
        await wait_all_tasks_blocked()
        shelf.go.set()
        await wait_all_tasks_blocked()
    assert shelf.transactions == [[1], [2, 3, 4]]


async def test_what_is_written_until_a_transaction_begins_is_one_turn() -> None:
    shelf = Shelf()
    scribe = Scribe(shelf)
    (writer,) = writers(scribe, 1)
    writer.writes()
    async with open_scribe(scribe):
        await wait_all_tasks_blocked()
    assert shelf.transactions == [[1, 1]]
    assert writer.rows_stored == 2


async def test_a_transaction_takes_no_more_turns_once_it_has_its_rows() -> None:
    shelf = Shelf()
    scribe = Scribe(shelf)
    writers(scribe, 1, 2, 3, rows=ROWS_MAX // 2)
    async with open_scribe(scribe):
        await wait_all_tasks_blocked()
    assert [len(each) for each in shelf.transactions] == [ROWS_MAX, ROWS_MAX // 2]


async def test_a_turn_that_is_refused_fails_alone() -> None:
    shelf = Shelf()
    scribe = Scribe(shelf)
    async with open_scribe(scribe):
        writers(scribe, 2)
        await wait_all_tasks_blocked()
        three = writers(scribe, 1, 2, 3)
        await wait_all_tasks_blocked()
        writers(scribe, 4)
        await wait_all_tasks_blocked()
    assert sorted(shelf.stored) == [1, 2, 3, 4]
    assert [writer.refused is not None for writer in three] == [False, True, False]


async def test_what_follows_a_turn_that_is_refused_is_not_stored() -> None:
    shelf = Shelf()
    shelf.error = Duplicate("it is stored")
    scribe = Scribe(shelf)
    async with open_scribe(scribe):
        shelf.go = trio.Event()
        (writer,) = writers(scribe, 1)
        await wait_all_tasks_blocked()
        writer.writes()
        shelf.go.set()
        await wait_all_tasks_blocked()
        shelf.error = None
        writers(scribe, 2)
        await wait_all_tasks_blocked()
    assert shelf.stored == [2]


async def test_whoever_leaves_before_a_turn_is_taken_up_has_nothing_of_it_stored() -> None:
    shelf = Shelf()
    scribe = Scribe(shelf)
    async with open_scribe(scribe):
        shelf.go = trio.Event()
        writers(scribe, 1)
        await wait_all_tasks_blocked()
        (writer,) = writers(scribe, 2)
        await scribe.leave(writer)
        shelf.go.set()
        writers(scribe, 3)
        await wait_all_tasks_blocked()
    assert shelf.stored == [1, 3]


async def test_whoever_leaves_while_a_turn_is_being_stored_has_left_once_it_is() -> None:
    shelf = Shelf()
    scribe = Scribe(shelf)
    left: list[list[AgentId]] = []

    async def leave(writer: Writer) -> None:
        await scribe.leave(writer)
        left.append(shelf.stored)

    async with open_scribe(scribe) as nursery:
        shelf.go = trio.Event()
        (writer,) = writers(scribe, 1)
        await wait_all_tasks_blocked()
        nursery.start_soon(leave, writer)
        await wait_all_tasks_blocked()
        assert left == []
        shelf.go.set()
        await wait_all_tasks_blocked()
    assert left == [[1]]
    assert writer.rows_stored == 1


async def test_on_a_full_disk_turns_wait_and_whoever_leaves_then_leaves_at_once(
    autojump_clock: MockClock,
) -> None:
    shelf = Shelf()
    shelf.error = StorageFull("no space left")
    scribe = Scribe(shelf)
    async with open_scribe(scribe):
        _, leaver = writers(scribe, 1, 2)
        await trio.sleep(RETRY_S / 2)
        await scribe.leave(leaver)
        assert trio.current_time() < RETRY_S
        shelf.error = None
        writers(scribe, 3)
        await trio.sleep(RETRY_S)
    assert sorted(shelf.stored) == [1, 3]


async def test_whoever_leaves_while_the_disk_is_found_full_has_nothing_stored_later(
    autojump_clock: MockClock,
) -> None:
    shelf = Shelf()
    shelf.error = StorageFull("no space left")
    scribe = Scribe(shelf)
    async with open_scribe(scribe) as nursery:
        shelf.go = trio.Event()
        leaver, other = writers(scribe, 1, 2)
        await wait_all_tasks_blocked()
        nursery.start_soon(scribe.leave, leaver)
        await wait_all_tasks_blocked()
        shelf.go.set()
        await wait_all_tasks_blocked()
        shelf.error = None
        await trio.sleep(2 * RETRY_S)
    assert shelf.stored == [other.agent]


async def test_a_lost_store_ends_the_scribe_and_calls_no_turn_stored() -> None:
    shelf = Shelf()
    shelf.error = StorageFailed("disk I/O error")
    scribe = Scribe(shelf)
    (writer,) = writers(scribe, 1)
    with pytest.raises(StorageFailed):
        await scribe.serve()
    assert writer.rows_stored == 0
    assert writer.refused is None


async def test_ended_in_the_middle_of_a_transaction_nobody_is_left_waiting() -> None:
    shelf = Shelf()
    shelf.go = trio.Event()
    scribe = Scribe(shelf)
    with trio.fail_after(10):
        async with open_scribe(scribe) as nursery:
            (writer,) = writers(scribe, 1)
            await wait_all_tasks_blocked()
            nursery.start_soon(scribe.leave, writer)
            nursery.cancel_scope.cancel()
            with trio.CancelScope(shield=True):
                await wait_all_tasks_blocked()
            shelf.go.set()
    assert shelf.stored == [1]


class Outlet:
    """Keeps how many turns were called stored when it was told what."""

    def __init__(self, writer: Writer) -> None:
        self.told: list[tuple[str, int]] = []
        self._writer = writer

    def gather(self) -> None:
        self.told.append(("gather", self._writer.rows_stored))

    def flush(self) -> None:
        self.told.append(("flush", self._writer.rows_stored))


async def test_what_follows_from_a_transaction_is_said_together_and_then_goes() -> None:
    scribe = Scribe(Shelf())
    (writer,) = writers(scribe, 1)
    outlet = Outlet(writer)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(scribe.serve, [outlet])
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel(reason="nobody writes any more")
    assert outlet.told == [("gather", 0), ("flush", 1)]
