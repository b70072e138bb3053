"""A player's page: words in and out, calls answered, the same over a reload."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from crowdd.testing.pages import inherited_updates
from crowdd.testing.player_page import CallFailed, NothingCame, PlayerPage


class Said(list[Mapping[str, Any]]):
    """What the player said."""


@pytest.fixture
def said() -> Said:
    return Said()


@pytest.fixture
def page(said: Said) -> PlayerPage:
    return PlayerPage(said.append)


async def test_updates_are_received_in_order_and_without_their_id(page: PlayerPage) -> None:
    page.hand(1, {"text": "a", "update_id": "1.1"})
    page.hand(2, {"text": "b", "update_id": "1.2"})
    assert [await page.receive(), await page.receive()] == [{"text": "a"}, {"text": "b"}]


async def test_a_reloaded_page_shows_the_player_nothing_twice(page: PlayerPage) -> None:
    for number in (1, 2, 1, 2, 3):
        page.hand(number, {"n": number})
    seen = [(await page.receive())["n"] for _ in range(3)]
    assert seen == [1, 2, 3]


async def test_what_was_sent_to_who_sat_there_before_is_seen_once_and_first(page: PlayerPage) -> None:
    told = {
        "init_task_data": {"past_live_updates": [{"n": 1, "update_id": "p7.1"}, {"n": 9, "update_id": "9.1"}]}
    }
    for _ in range(2):  # the page was loaded again
        for update in inherited_updates(told):
            page.inherit(update)
    page.hand(1, {"n": 2, "update_id": "8.1"})
    assert [await page.receive(), await page.receive()] == [{"n": 1}, {"n": 2}]
    with pytest.raises(NothingCame):
        await page.receive(timeout_s=0)


async def test_who_waits_too_long_is_told_so(page: PlayerPage, autojump_clock: MockClock) -> None:
    with pytest.raises(NothingCame):
        await page.receive(timeout_s=5)


async def test_updates_go_on_for_as_long_as_somebody_listens(page: PlayerPage) -> None:
    seen: list[int] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_listen, page, seen)
        for number in range(1, 4):
            page.hand(number, {"n": number})
            await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert seen == [1, 2, 3]


async def _listen(page: PlayerPage, seen: list[int]) -> None:
    async for update in page.updates():
        seen.append(update["n"])


async def _answered(page: PlayerPage, said: Said, **answer: Any) -> Any:
    """What a call comes to that is answered with this; other updates come meanwhile."""
    result: list[Any] = []

    async def call() -> None:
        result.append(await page.call("add", {"a": 1}))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(call)
        await trio.testing.wait_all_tasks_blocked()
        page.hand(1, {"text": "meanwhile"})
        page.hand(2, {"handles": said[-1]["request_id"], **answer})
    return result[0]


async def test_a_call_is_answered_beside_other_updates(page: PlayerPage, said: Said) -> None:
    assert await _answered(page, said, response=json.dumps({"sum": 3})) == {"sum": 3}
    assert (said[0]["target"], json.loads(said[0]["args"])) == ("add", {"a": 1})
    assert await page.receive() == {"text": "meanwhile"}


async def test_an_error_answers_a_call_with_its_words(page: PlayerPage, said: Said) -> None:
    with pytest.RaisesGroup(pytest.RaisesExc(CallFailed, match="no such function")):
        await _answered(page, said, response="null", error="no such function")


async def test_a_call_that_nobody_answers_ends(page: PlayerPage, autojump_clock: MockClock) -> None:
    with pytest.raises(NothingCame):
        await page.call("add", timeout_s=5)
