"""Work on many at once, a slice a turn of the loop."""

import trio

from crowdd.daemon.slices import by_slices


async def test_all_are_done_in_their_order() -> None:
    done: list[int] = []
    await by_slices(range(7), 3, done.append)
    assert done == [*range(7)]


async def test_others_have_a_turn_between_slices() -> None:
    done: list[int] = []
    seen: list[int] = []

    async def look() -> None:
        while len(done) < 7:
            seen.append(len(done))
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(look)
        nursery.start_soon(by_slices, range(7), 3, done.append)
    assert {3, 6} & {*seen}
