"""A piece of live work and its user code: how it ends, what is stored when, what a cancellation leaves."""

import gc
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import patch

import attrs
import pytest
import trio
from tests.daemon.conftest import a_run, launched_units
from tests.daemon.scribes import open_scribe
from trio.testing import MockClock, wait_all_tasks_blocked

from crowdd.daemon.house import House
from crowdd.daemon.live.agent import LiveAgent, Person
from crowdd.daemon.live.errors import AgentDisconnected, AgentShutDown, CallFailed, NothingReceived
from crowdd.daemon.live.ledger import PieceKey
from crowdd.daemon.live.opening import open_piece
from crowdd.daemon.live.piece import REPLAY_PATIENCE_S, Close, Ending, Piece, PieceTools
from crowdd.daemon.live.scribe import Scribe
from crowdd.daemon.live.waits import How
from crowdd.protocol.names import AgentId, AgentStatus, PieceKind, WireId
from crowdd.storage.contract import Registration, Reserved
from crowdd.storage.errors import Duplicate, StorageFailed
from crowdd.storage.records import Agent, JournalEntry, LiveUpdate

Code = Callable[[LiveAgent], Awaitable[None]]


@attrs.define(eq=False)
class Play:
    """One agent at work, whose piece can be served again and again, as after restarts."""

    house: House
    agent: Agent
    sent: list[dict[str, Any]] = attrs.Factory(list[dict[str, Any]])
    endings: list[Ending] = attrs.Factory(list[Ending])
    heard: int = 0
    scribe: Scribe = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.scribe = Scribe(self.house.storage)

    async def open(self) -> Piece:
        house = self.house
        tools = PieceTools(house.storage, self.scribe, house.wall, house.user_code, self._sent)
        key = PieceKey(PieceKind.UNIT, self.agent.unit_id)
        return (await open_piece(key, [self.agent.id], 1, False, tools)).piece

    def _sent(self, update: LiveUpdate) -> None:
        self.sent.append(update.update)

    async def serve(self, piece: Piece, code: Code) -> None:
        agent = LiveAgent(piece, piece.seats[0], _nobody)

        async def ended(ending: Ending) -> None:
            self.endings.append(ending)

        async with open_scribe(self.scribe):
            await piece.serve(lambda: code(agent), ended)

    def hear(self, piece: Piece, stored: Callable[[], None] = lambda: None, **data: Any) -> None:
        self.heard += 1
        piece.heard(
            LiveUpdate(
                False, self.agent.id, False, self.heard, f"u{self.heard}", "", 0, data, self.house.wall()
            ),
            True,
            stored,
        )

    async def journal(self) -> list[str]:
        return [e.what for e in await self.house.storage.journal(PieceKind.UNIT, self.agent.unit_id)]


class Looks(trio.abc.Instrument):
    """Counts how often a piece looks at the time."""

    def __init__(self) -> None:
        self.count = 0

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self.count += task.name.endswith("Piece._keep_time")


async def looks_after_a_change(clock: MockClock, play: Play, wait_s: float, shield: bool = False) -> int:
    """How often a piece looks at the time in 100 turns of the loop, `wait_s` after code came back changed."""
    waiting = trio.CancelScope(shield=shield)

    async def before(agent: LiveAgent) -> None:
        await agent.now()

    async def after(agent: LiveAgent) -> None:
        with waiting:
            await agent.sleep(REPLAY_PATIENCE_S / 2)

    await play.serve(await play.open(), before)
    looks = Looks()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(play.serve, await play.open(), after)
        await wait_all_tasks_blocked()
        trio.lowlevel.add_instrument(looks)
        clock.jump(wait_s)
        for _ in range(100):
            await trio.lowlevel.checkpoint()
        trio.lowlevel.remove_instrument(looks)
        waiting.cancel()
        nursery.cancel_scope.cancel()
    return looks.count


@asynccontextmanager
async def shelved(play: Play, order: list[str], error: Exception | None = None) -> AsyncGenerator[None]:
    """Note what is stored, confirmed and sent; or the store meets this error."""
    storage = play.house.storage
    add_live = storage.add_live

    async def noted(updates: Sequence[LiveUpdate], journal: Sequence[JournalEntry]) -> None:
        if error is not None:
            raise error
        await add_live(updates, journal)
        order.append(", ".join(entry.what for entry in journal))
        order.append(f"{len(updates)} updates")

    class Sent(list[dict[str, Any]]):
        def append(self, update: dict[str, Any]) -> None:
            super().append(update)
            order.append("sent")

    play.sent = Sent()
    with patch.object(storage, "add_live", noted):
        yield


def _nobody(agent_id: AgentId) -> Person:
    raise LookupError(agent_id)


@pytest.fixture
async def play(house: House) -> Play:
    run = await a_run(house)
    await launched_units(house, run, 1)
    worker = await house.storage.register_worker("mock", "anna", {}, house.wall())
    path = (AgentStatus.ACCEPTED, AgentStatus.IN_TASK)
    registration = Registration(run.id, worker.id, WireId("w" * 22), "link", "", path, None)
    reserved = await house.storage.reserve(registration, house.wall())
    assert isinstance(reserved, Reserved)
    return Play(house, reserved.agent)


async def test_code_that_returns_has_finished(play: Play) -> None:
    async def code(agent: LiveAgent) -> None:
        await agent.send({"text": "hello"})

    await play.serve(await play.open(), code)
    assert play.sent == [{"text": "hello"}]
    assert [ending.close for ending in play.endings] == [Close.FINISHED]


async def test_code_that_raises_has_failed_with_what_it_raised(play: Play) -> None:
    async def code(agent: LiveAgent) -> None:
        raise SystemExit("as if it were its business")

    await play.serve(await play.open(), code)
    assert play.endings[0].close is Close.FAILED
    assert isinstance(play.endings[0].error, SystemExit)


async def test_an_agent_that_left_is_an_end_and_no_failure(play: Play) -> None:
    async def code(agent: LiveAgent) -> None:
        await agent.receive()

    piece = await play.open()
    piece.left(play.agent.id, How.DISCONNECTED)
    await play.serve(piece, code)
    assert play.endings[0].close is Close.FINISHED
    assert isinstance(play.endings[0].error, AgentDisconnected)


async def _echo(agent: LiveAgent) -> None:
    await agent.send({"echo": await agent.receive()})


async def test_an_update_and_what_code_answers_are_stored_at_once_then_confirmed_and_sent(play: Play) -> None:
    order: list[str] = []
    piece = await play.open()
    play.hear(piece, lambda: order.append("confirmed"), n=1)
    async with shelved(play, order):
        await play.serve(piece, _echo)
    assert order == ["begun, receive, send", "2 updates", "confirmed", "sent"]


@pytest.mark.parametrize("failure", [StorageFailed("disk I/O error"), Duplicate("it is stored")])
async def test_nothing_leaves_when_what_code_was_given_cannot_be_stored(
    play: Play, failure: Exception
) -> None:
    """The store fails, or refuses this alone: the code has run on, and nobody will ever see what it did."""
    left: list[str] = []
    piece = await play.open()
    play.hear(piece, lambda: left.append("confirmed"), n=1)
    async with shelved(play, left, failure):
        with pytest.raises(ExceptionGroup) as lost:
            await play.serve(piece, _echo)
    assert lost.group_contains(type(failure), depth=None)
    assert left == []
    assert play.endings == []


async def test_a_function_is_called_once_what_led_to_it_is_stored(play: Play) -> None:
    stored: list[str] = []

    async def code(agent: LiveAgent) -> None:
        await agent.receive()
        journal = await agent.run_sync(lambda: [*stored])
        assert journal == ["begun, receive", "1 updates"]

    piece = await play.open()
    play.hear(piece)
    async with shelved(play, stored):
        await play.serve(piece, code)
    assert play.endings[0].error is None


async def test_the_end_of_code_is_acted_on_once_all_it_did_is_stored(play: Play) -> None:
    stored: list[str] = []

    async def code(agent: LiveAgent) -> None:
        await agent.send({"n": 1})

    async def ended(ending: Ending) -> None:
        stored.append("ended")

    piece = await play.open()
    async with shelved(play, stored), open_scribe(play.scribe):
        await piece.serve(lambda: code(LiveAgent(piece, piece.seats[0], _nobody)), ended)
    assert stored == ["begun, send", "1 updates", "sent", "ended"]


async def test_tasks_of_code_run_on_in_the_order_of_the_journal(play: Play) -> None:
    """Both are given something at one moment; so it is again when it is replayed."""
    seen: list[list[str]] = []

    async def code(agent: LiveAgent) -> None:
        ran = list[str]()
        seen.append(ran)

        async def hear() -> None:
            for _ in range(3):
                await agent.receive()
                ran.append("heard")
                await agent.send({"after": [*ran]})

        async def sleep() -> None:
            for _ in range(3):
                await agent.sleep(0)
                ran.append("slept")
                await agent.now()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(hear)
            nursery.start_soon(sleep)

    for _ in range(2):
        piece = await play.open()
        for n in range(0 if seen else 3):
            play.hear(piece, n=n)
        await play.serve(piece, code)
    assert len(seen[0]) == 6
    assert seen[0] == seen[1]
    assert [ending.close for ending in play.endings] == [Close.FINISHED, Close.FINISHED]


async def test_code_that_sends_without_end_lets_others_run(play: Play) -> None:
    turns = 0

    async def code(agent: LiveAgent) -> None:
        while turns < 3:
            await agent.send({"n": turns})

    async def others() -> None:
        nonlocal turns
        for turns in range(1, 4):  # noqa: B007
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(others)
        await play.serve(await play.open(), code)
    assert turns == 3


async def test_a_second_run_gives_the_same_results_and_sends_nothing_again(
    autojump_clock: MockClock, play: Play
) -> None:
    seen: list[Any] = []

    async def code(agent: LiveAgent) -> None:
        seen.append([await agent.receive(), await agent.now(), agent.random.random()])
        await agent.send({"n": 1})
        with pytest.raises(NothingReceived):
            await agent.receive(timeout_s=30)
        with pytest.raises(CallFailed, match="ZeroDivisionError"):
            await agent.run_sync(lambda: 1 // 0)
        seen[-1].append(await agent.run_sync(lambda: len(seen)))
        await agent.sleep(1000)
        await agent.send({"n": 2})

    first = await play.open()
    play.hear(first, text="hi")
    await play.serve(first, code)
    began = trio.current_time()
    await play.serve(await play.open(), code)
    assert seen[0] == seen[1]
    assert play.sent == [{"n": 1}, {"n": 2}]
    assert trio.current_time() == began
    assert [ending.close for ending in play.endings] == [Close.FINISHED, Close.FINISHED]


async def test_code_that_changed_ends_as_diverged_with_the_first_difference(play: Play) -> None:
    async def before(agent: LiveAgent) -> None:
        await agent.send({"text": "old"})

    async def after(agent: LiveAgent) -> None:
        await agent.send({"text": "new"})

    await play.serve(await play.open(), before)
    await play.serve(await play.open(), after)
    assert play.endings[1].close is Close.DIVERGED
    assert '"old"' in str(play.endings[1].error)


async def test_code_that_comes_to_no_recorded_wait_is_given_up_after_a_while(
    autojump_clock: MockClock, play: Play
) -> None:
    async def before(agent: LiveAgent) -> None:
        await agent.now()

    async def after(agent: LiveAgent) -> None:
        await agent.receive()

    await play.serve(await play.open(), before)
    await play.serve(await play.open(), after)
    assert play.endings[1].close is Close.DIVERGED
    assert "waits for receive" in str(play.endings[1].error)


async def test_a_wait_whose_time_is_over_takes_no_time_of_others_until_code_is_given_up(
    mock_clock: MockClock, play: Play
) -> None:
    assert await looks_after_a_change(mock_clock, play, REPLAY_PATIENCE_S * 0.75) < 5


async def test_a_wait_that_code_shields_from_being_given_up_takes_no_time_of_others(
    mock_clock: MockClock, play: Play
) -> None:
    assert await looks_after_a_change(mock_clock, play, REPLAY_PATIENCE_S * 2, shield=True) < 5


async def test_code_that_ends_before_its_journal_does_has_diverged(play: Play) -> None:
    async def before(agent: LiveAgent) -> None:
        await agent.now()

    async def after(agent: LiveAgent) -> None:
        pass

    await play.serve(await play.open(), before)
    await play.serve(await play.open(), after)
    assert play.endings[1].close is Close.DIVERGED


async def test_a_stop_is_told_at_a_wait_and_recorded_nowhere(play: Play) -> None:
    told: list[type[BaseException]] = []

    async def code(agent: LiveAgent) -> None:
        try:
            await agent.receive()
        except AgentShutDown as exc:
            told.append(type(exc))
            raise

    piece = await play.open()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(play.serve, piece, code)
        await wait_all_tasks_blocked()
        piece.stop()
    assert told == [AgentShutDown]
    assert play.endings[0].close is Close.STOPPED
    assert await play.journal() == ["begun"]


async def test_code_that_goes_on_when_everybody_has_left_is_cancelled_in_the_end(
    autojump_clock: MockClock, play: Play
) -> None:
    async def code(agent: LiveAgent) -> None:
        await trio.sleep_forever()

    piece = await play.open()
    piece.left(play.agent.id, How.SUBMITTED)
    await play.serve(piece, code)
    assert play.endings[0].close is Close.FAILED
    assert str(play.endings[0].error) == "it went on for 60 s after everybody had left"


async def test_code_that_does_not_mind_a_stop_is_cancelled(autojump_clock: MockClock, play: Play) -> None:
    async def code(agent: LiveAgent) -> None:
        while True:
            try:
                await agent.receive()
            except AgentShutDown:
                await trio.sleep(1)

    piece = await play.open()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(play.serve, piece, code)
        await wait_all_tasks_blocked()
        piece.stop()
    assert play.endings[0].close is Close.STOPPED


async def test_a_wait_that_a_scope_of_the_code_cancels_loses_nothing(
    autojump_clock: MockClock, play: Play
) -> None:
    got: list[Any] = []

    async def code(agent: LiveAgent) -> None:
        with trio.move_on_after(5):
            got.append(await agent.receive())
        got.append(await agent.receive())

    piece = await play.open()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(play.serve, piece, code)
        await trio.sleep(10)
        play.hear(piece, n=1)
    assert got == [{"n": 1}]


@pytest.mark.parametrize("steps", range(1, 40))
async def test_cancelled_at_any_step_it_goes_on_where_it_was(play: Play, steps: int) -> None:
    """After so many steps the daemon is gone; the code run again sends each update exactly once."""

    async def code(agent: LiveAgent) -> None:
        for _ in range(3):
            update = await agent.receive()
            await agent.send({"n": update["n"]})

    first = await play.open()
    for n in range(3):
        play.hear(first, n=n)
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(play.serve, first, code)
            for _ in range(steps):
                await trio.lowlevel.checkpoint()
            scope.cancel()
    stored = await play.house.storage.live_updates(False, play.agent.id, False)
    second = await play.open()
    play.heard = len(stored)
    for n in range(len(stored), 3):
        play.hear(second, n=n)
    play.endings.clear()
    await play.serve(second, code)
    assert _numbers(await play.house.storage.live_updates(False, play.agent.id, True)) == [0, 1, 2]
    assert [ending.close for ending in play.endings] == [Close.FINISHED]


def _numbers(updates: Sequence[LiveUpdate]) -> list[int]:
    return [update.update["n"] for update in updates]


async def _returns(agent: LiveAgent) -> None:
    await agent.receive()


async def _receives_twice(agent: LiveAgent) -> None:
    await agent.receive()
    await agent.receive()


async def _fails(agent: LiveAgent) -> None:
    raise ValueError(await agent.receive())


@pytest.mark.parametrize("code", [_returns, _receives_twice, _fails])
async def test_a_piece_that_is_over_goes_with_its_last_reference(play: Play, code: Code) -> None:
    piece = await play.open()
    play.hear(piece, text="hi")
    piece.left(play.agent.id, How.RETURNED)
    gc.collect()
    gc.disable()
    try:
        await play.serve(piece, code)
        play.endings.clear()
        gone = weakref.ref(piece)
        del piece
        assert gone() is None
    finally:
        gc.enable()
