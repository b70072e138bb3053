"""One writer for all pieces: what shares a transaction, what fails alone, what a cancellation leaves."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import pytest
import trio
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


def turn_of(agent: int, rows: int = 1) -> Turn:
    at = simulated_wall()
    name = update_id(False, AgentId(agent), 1)
    return Turn([LiveUpdate(False, AgentId(agent), True, 1, name, "", 0, {}, at)] * rows)


@asynccontextmanager
async def open_scribe(shelf: Shelf) -> AsyncGenerator[tuple[Scribe, trio.Nursery]]:
    scribe = Scribe(shelf)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(scribe.serve)
        yield scribe, nursery
        nursery.cancel_scope.cancel()


async def test_what_comes_while_a_transaction_is_under_way_is_stored_together_in_the_next() -> None:
    shelf = Shelf()
    async with open_scribe(shelf) as (scribe, pieces):
        shelf.go = trio.Event()
        pieces.start_soon(scribe.store, turn_of(1))
        await wait_all_tasks_blocked()
        for agent in (2, 3, 4):
            pieces.start_soon(scribe.store, turn_of(agent))
        await wait_all_tasks_blocked()
        shelf.go.set()
        await wait_all_tasks_blocked()
    assert [sorted(each) for each in shelf.transactions] == [[1], [2, 3, 4]]


async def test_a_transaction_takes_no_more_turns_once_it_has_its_rows() -> None:
    shelf = Shelf()
    async with open_scribe(shelf) as (scribe, pieces):
        for agent in (1, 2, 3):
            pieces.start_soon(scribe.store, turn_of(agent, ROWS_MAX // 2))
        await wait_all_tasks_blocked()
    assert [len(each) for each in shelf.transactions] == [ROWS_MAX, ROWS_MAX // 2]


async def test_a_turn_that_is_refused_fails_alone() -> None:
    shelf = Shelf()
    refused: list[int] = []

    async def store(agent: int) -> None:
        try:
            await scribe.store(turn_of(agent))
        except Duplicate:
            refused.append(agent)

    async with open_scribe(shelf) as (scribe, pieces):
        await scribe.store(turn_of(2))
        for agent in (1, 2, 3):
            pieces.start_soon(store, agent)
        await wait_all_tasks_blocked()
        await scribe.store(turn_of(4))
    assert sorted(shelf.stored) == [1, 2, 3, 4]
    assert refused == [2]


async def test_cancelled_before_it_is_taken_up_nothing_of_a_turn_is_stored() -> None:
    shelf = Shelf()
    async with open_scribe(shelf) as (scribe, pieces):
        shelf.go = trio.Event()
        pieces.start_soon(scribe.store, turn_of(1))
        await wait_all_tasks_blocked()
        with trio.CancelScope() as scope:
            pieces.start_soon(_cancel_when_all_wait, scope)
            await scribe.store(turn_of(2))
        shelf.go.set()
        await scribe.store(turn_of(3))
    assert scope.cancelled_caught
    assert shelf.stored == [1, 3]


async def test_cancelled_while_it_is_being_stored_whoever_waits_leaves_once_it_is() -> None:
    shelf = Shelf()
    left: list[list[AgentId]] = []

    async def store(scope: trio.CancelScope) -> None:
        with scope:
            await scribe.store(turn_of(1))
        left.append(shelf.stored)

    async with open_scribe(shelf) as (scribe, pieces):
        shelf.go, scope = trio.Event(), trio.CancelScope()
        pieces.start_soon(store, scope)
        await wait_all_tasks_blocked()
        scope.cancel()
        await wait_all_tasks_blocked()
        assert left == []
        shelf.go.set()
        await wait_all_tasks_blocked()
    assert scope.cancelled_caught
    assert left == [[1]]


async def test_on_a_full_disk_turns_wait_and_whoever_is_cancelled_then_leaves_at_once(
    autojump_clock: MockClock,
) -> None:
    shelf = Shelf()
    shelf.error = StorageFull("no space left")
    async with open_scribe(shelf) as (scribe, pieces):
        pieces.start_soon(scribe.store, turn_of(1))
        with trio.move_on_after(RETRY_S / 2) as scope:
            await scribe.store(turn_of(2))
        assert trio.current_time() < RETRY_S
        shelf.error = None
        await scribe.store(turn_of(3))
    assert scope.cancelled_caught
    assert sorted(shelf.stored) == [1, 3]


async def test_whoever_was_cancelled_while_the_disk_was_found_full_leaves_then() -> None:
    shelf = Shelf()
    shelf.error = StorageFull("no space left")
    async with open_scribe(shelf) as (scribe, pieces):
        shelf.go = trio.Event()
        with trio.CancelScope() as scope:
            pieces.start_soon(_cancel_when_all_wait, scope)
            pieces.start_soon(_go_when_all_wait, shelf)
            with trio.fail_after(10):
                await scribe.store(turn_of(1))
    assert scope.cancelled_caught
    assert shelf.stored == []


async def test_a_lost_store_ends_the_scribe_and_calls_no_turn_stored() -> None:
    shelf = Shelf()
    shelf.error = StorageFailed("disk I/O error")
    stored: list[int] = []

    async def store(scribe: Scribe) -> None:
        await scribe.store(turn_of(1))
        stored.append(1)

    async def wait_for_it() -> None:
        async with open_scribe(shelf) as (scribe, pieces):
            pieces.start_soon(store, scribe)
            await trio.sleep_forever()

    with pytest.raises(ExceptionGroup) as lost:
        await wait_for_it()
    assert lost.group_contains(StorageFailed)
    assert stored == []


async def test_ended_in_the_middle_of_a_transaction_nobody_is_left_waiting() -> None:
    shelf = Shelf()
    shelf.go = trio.Event()
    with trio.fail_after(10):
        async with open_scribe(shelf) as (scribe, pieces):
            pieces.start_soon(scribe.store, turn_of(1))
            await wait_all_tasks_blocked()
            pieces.cancel_scope.cancel()
            with trio.CancelScope(shield=True):
                await wait_all_tasks_blocked()
            shelf.go.set()
    assert shelf.stored == [1]


async def _cancel_when_all_wait(scope: trio.CancelScope) -> None:
    await wait_all_tasks_blocked()
    scope.cancel()


async def _go_when_all_wait(shelf: Shelf) -> None:
    await wait_all_tasks_blocked(0.01)
    shelf.go.set()
