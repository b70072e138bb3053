"""How often a router process wakes up by itself, and what wakes it up."""

import asyncio
import gc
from collections.abc import Callable

import pytest
import uvicorn

from crowdd.router.connections import Connections
from crowdd.router.server import RouterServer, open_connections
from crowdd.supervision.garbage import NEWEST
from crowdd.supervision.notify import Notifier

PATIENCE_S = 40.0  # a test that waits longer has found a hang
TICKS = 4
UNWATCHED = Notifier(None, None)


class Ticking(RouterServer):
    """Does something at each tick, and ends after so many."""

    def __init__(self, does: Callable[[], object] = bool, notifier: Notifier = UNWATCHED) -> None:
        connections: Connections = open_connections([])
        super().__init__(uvicorn.Config(None), connections, bool, bool, notifier)  # type: ignore[arg-type]
        self._does = does
        self.ticks = 0

    async def on_tick(self, counter: int) -> bool:
        self._does()
        self.ticks += 1
        return self.ticks > TICKS or self.should_exit


def pauses(server: RouterServer, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long it waits after each tick; nobody does."""
    seen = list[float]()

    async def serve() -> None:
        loop = asyncio.get_running_loop()

        def at_once(seconds: float, call: Callable[[], object]) -> asyncio.Handle:
            seen.append(seconds)
            return loop.call_soon(call)

        monkeypatch.setattr(loop, "call_later", at_once)
        await server.main_loop()

    asyncio.run(serve())
    return seen


def test_a_router_that_has_nothing_to_do_looks_after_itself_once_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gc.disable()  # what was made before this test could be searched just now
    try:
        assert pauses(Ticking(), monkeypatch)[2:] == [1.0] * (TICKS - 2)  # it keeps to full seconds
    finally:
        gc.enable()


def test_one_that_makes_objects_looks_for_garbage_as_often_as_it_should(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = list[list[object]]()
    before = gc.get_threshold()
    gc.set_threshold(NEWEST, 1_000_000, 1_000_000)
    try:
        at_work = Ticking(lambda: kept.extend([] for _ in range(NEWEST + 1)))
        assert pauses(at_work, monkeypatch) == [0.1] * TICKS
    finally:
        gc.set_threshold(*before)


def test_one_that_a_watchdog_wants_to_hear_of_does_not_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pauses(Ticking(notifier=Notifier(None, 1.0)), monkeypatch) == [0.1] * TICKS


def test_one_that_rests_is_told_at_once_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async def serve() -> None:
        server, loop = Ticking(), asyncio.get_running_loop()
        monkeypatch.setattr(loop, "call_later", never)
        loop.call_soon(loop.call_soon, server.stop)
        async with asyncio.timeout(PATIENCE_S):
            await server.main_loop()
        assert server.ticks == 2

    asyncio.run(serve())


def never(_: float, call: Callable[[], object]) -> asyncio.Handle:
    return asyncio.Handle(call, (), asyncio.get_running_loop())
