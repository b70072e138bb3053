"""Whether any router of a run is reached: time passes for its workers only then."""

from collections.abc import Awaitable, Callable, Sequence

import trio

from .router_link import RouterLink


async def until_all_away(links: Sequence[RouterLink], let_pass: Callable[[], Awaitable[None]]) -> None:
    """Let time pass; cancel that, and return, once none of the run's routers is reached."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(let_pass)
        await _all_away(links)
        nursery.cancel_scope.cancel(reason="no router is reached: no time passes")


async def _all_away(links: Sequence[RouterLink]) -> None:
    while any(link.state.up for link in links):
        for link in links:
            await link.until(up=False)


async def one_reached(links: Sequence[RouterLink]) -> None:
    """Return once one of the run's routers is reached."""
    async with trio.open_nursery() as nursery:

        async def reached(link: RouterLink) -> None:
            await link.until(up=True)
            nursery.cancel_scope.cancel(reason="one is enough")

        for link in links:
            nursery.start_soon(reached, link)
