"""Waiting for one of several things to happen."""

import trio


async def any_of(*events: trio.Event) -> None:
    """Return when one of them is set."""
    async with trio.open_nursery() as nursery:

        async def until(event: trio.Event) -> None:
            await event.wait()
            nursery.cancel_scope.cancel(reason="one is enough")

        for event in events:
            nursery.start_soon(until, event)
