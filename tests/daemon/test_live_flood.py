"""What a router that says without end that pages are there leaves to be done: no more than there is to do."""

from collections import Counter
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from crowdd.daemon.clock import simulated_wall
from crowdd.daemon.live import strangers as strangers_module
from crowdd.daemon.live.hold import Hold
from crowdd.daemon.live.lines import Lines
from crowdd.daemon.live.strangers import REMINDED_MAX, STRANGERS_MAX, Strangers
from crowdd.daemon.live.wishes import Wishes
from crowdd.protocol.limits import SOCKETS_MAX
from crowdd.protocol.names import AgentId, WireId
from crowdd.protocol.packets import Alive, MephistoBoundLiveUpdate
from crowdd.storage.errors import NotFound

WIRE = WireId("5.x")


class Router:
    """One of which nothing is asked here."""

    name = "router"

    def stream_stored(self, packet: MephistoBoundLiveUpdate) -> None: ...

    def stream_send(self, wire_id: WireId, number: int, update: Mapping[str, Any]) -> None: ...

    def forget(self, wire_id: WireId) -> None: ...

    def forget_sent(self, wire_id: WireId) -> None: ...


class Stored:
    """A store that knows nobody, and counts how often it is asked what an agent is to be sent."""

    def __init__(self) -> None:
        self.reads = 0

    async def live_updates(self, *_: Any) -> list[Any]:
        self.reads += 1
        return []

    async def player_of(self, _: WireId) -> NoReturn:
        raise NotFound("nobody")


@pytest.fixture
def stored() -> Stored:
    return Stored()


@pytest.fixture
def tools(stored: Stored) -> Any:
    house = SimpleNamespace(storage=stored, wall=simulated_wall)
    cast = SimpleNamespace(onboarding=False, player_of=stored.player_of)
    return SimpleNamespace(house=house, cast=cast, tell=None)


@pytest.fixture
def wishes() -> Wishes:
    return Wishes()


@pytest.fixture
def lines(tools: Any, wishes: Wishes) -> Lines:
    return Lines(tools, wishes, Hold())


@pytest.fixture
def strangers(tools: Any, wishes: Wishes, lines: Lines, monkeypatch: pytest.MonkeyPatch) -> Strangers:
    monkeypatch.setattr(strangers_module, "REMINDED_MAX", 5)
    monkeypatch.setattr(strangers_module, "STRANGERS_MAX", 3)
    return Strangers(tools, lines, wishes, Hold(), Counter())


async def carry_out(wishes: Wishes) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(wishes.serve)
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()


async def test_a_page_that_comes_without_end_is_looked_after_once(
    lines: Lines, wishes: Wishes, stored: Stored
) -> None:
    player: Any = SimpleNamespace(id=AgentId(5), wire_id=WIRE)
    line = lines.open(player)
    for seen in range(100):
        line.outbound.alive(Router(), seen)
        lines.pump(line)
    assert wishes.waiting == 1
    await carry_out(wishes)
    assert stored.reads == 1


async def test_a_page_that_comes_after_it_was_looked_after_is_looked_after_again(
    lines: Lines, wishes: Wishes, stored: Stored
) -> None:
    player: Any = SimpleNamespace(id=AgentId(5), wire_id=WIRE)
    line = lines.open(player)
    for _ in range(2):
        line.outbound.alive(Router(), 0)
        lines.pump(line)
        await carry_out(wishes)
    assert stored.reads == 2


def come(strangers: Strangers, agents: int) -> None:
    for number in range(agents):
        strangers.came(Router(), Alive(WireId(f"{number}.invented")))


async def test_pages_of_invented_agents_leave_only_so_much_to_be_done(
    strangers: Strangers, wishes: Wishes
) -> None:
    come(strangers, 100)
    assert wishes.waiting == 5 + 3


async def test_pages_are_told_again_once_those_before_them_were(strangers: Strangers, wishes: Wishes) -> None:
    come(strangers, 100)
    await carry_out(wishes)
    come(strangers, 100)
    assert wishes.waiting == 5 + 3


def test_a_router_full_of_pages_leaves_none_that_is_told_nothing() -> None:
    assert REMINDED_MAX >= SOCKETS_MAX > STRANGERS_MAX
