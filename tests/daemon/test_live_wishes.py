"""What a stage does for others, and how much of it ends in one turn of the loop."""

from functools import partial
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from crowdd.daemon.departure import Manner
from crowdd.daemon.live.wishes import GROUP, Wishes

from .live_pages import ECHO
from .turns import TurnCounter
from .virtual import open_virtual

MANY = 5 * GROUP + 1


async def for_ever() -> None:
    await trio.sleep_forever()


async def test_many_wishes_are_ended_a_group_a_turn() -> None:
    wishes, turns = Wishes(), TurnCounter("for_ever")
    for _ in range(MANY):
        wishes.add(for_ever)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(wishes.serve)
        await wait_all_tasks_blocked()
        trio.lowlevel.add_instrument(turns)
        nursery.cancel_scope.cancel()
    assert sum(turns.ended) == MANY
    assert max(turns.ended) == GROUP


async def test_a_wish_that_takes_long_to_end_holds_up_no_other(autojump_clock: MockClock) -> None:
    wishes, ended = Wishes(), list[float]()

    async def stubborn() -> None:
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(1)
            ended.append(trio.current_time())

    for _ in range(MANY):
        wishes.add(stubborn)
    with trio.move_on_after(1):
        await wishes.serve()
    assert ended == [2.0] * MANY


async def test_no_wish_is_begun_once_they_are_to_end() -> None:
    wishes, begun = Wishes(), list[str]()

    async def wants_more() -> None:
        try:
            await trio.sleep_forever()
        finally:
            wishes.add(begins)

    async def begins() -> None:
        begun.append("too late")

    for _ in range(MANY):
        wishes.add(wants_more)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(wishes.serve)
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert begun == []


async def test_a_wish_that_raises_ends_all_others() -> None:
    wishes = Wishes()

    async def fails() -> None:
        raise ValueError("as was asked")

    for _ in range(MANY):
        wishes.add(for_ever)
    wishes.add(fails)
    with pytest.RaisesGroup(ValueError, flatten_subgroups=True):
        await wishes.serve()


async def test_wishes_of_before_are_begun_once_they_are_served() -> None:
    wishes, begun = Wishes(), list[int]()

    async def begin(number: int) -> None:
        begun.append(number)

    for number in range(MANY):
        wishes.add(partial(begin, number))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(wishes.serve)
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert begun == [*range(MANY)]


async def test_a_daemon_that_goes_ends_its_pieces_a_group_a_turn(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with open_virtual(tmp_path) as virtual:
        agents = 2 * GROUP + 1
        run = await virtual.launch(units=agents, code=ECHO, blueprint__type="echo")
        async with trio.open_nursery() as nursery:
            for number in range(agents):
                nursery.start_soon(virtual.at_work, run, f"worker{number}")
        await trio.sleep(1)
        live = await virtual.until_live(run.id)
        assert live.pieces == agents
        turns = TurnCounter("Pieces._begin")
        trio.lowlevel.add_instrument(turns)
        virtual.daemon.stop(10, Manner.SUSPEND)
        await trio.sleep(5)
    assert sum(turns.ended) == agents
    assert max(turns.ended) <= GROUP
