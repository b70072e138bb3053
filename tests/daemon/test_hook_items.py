"""The items of an author's generator, asked for by several at once."""

import threading
from collections.abc import Iterator

import pytest
import trio

from crowdd.daemon.hooks.items import ItemSource
from crowdd.daemon.user_code import UserCode, UserCodeFailed

PATIENCE_S = 30.0


async def test_who_waits_behind_a_generator_that_hangs_is_told_within_their_own_limit() -> None:
    begun, may_go_on = threading.Event(), threading.Event()

    def hanging() -> Iterator[int]:
        begun.set()
        may_go_on.wait(PATIENCE_S)
        yield 7

    source = ItemSource(hanging, UserCode())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(source.item, 0, PATIENCE_S)
        await trio.to_thread.run_sync(begun.wait, PATIENCE_S)
        with pytest.raises(UserCodeFailed, match="asked for before"):
            await source.item(0, 0.01)
        may_go_on.set()
    assert await source.item(0, PATIENCE_S) == 7
