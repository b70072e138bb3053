"""What is held until its piece is there: as it came, and counted for as long as it is held."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import pytest

from crowdd.daemon.clock import simulated_wall
from crowdd.daemon.live import hold as hold_module
from crowdd.daemon.live.hold import Hold
from crowdd.daemon.live.line import Line
from crowdd.daemon.live.outbound import Outbound
from crowdd.protocol.errors import RemoteProtocolError
from crowdd.protocol.names import AgentId, WireId
from crowdd.protocol.packets import MephistoBoundLiveUpdate
from crowdd.storage.records import LiveUpdate

WIRE = WireId("5.x")
SAID = MephistoBoundLiveUpdate(WIRE, 1, 1, {"text": "x" * 100, "more": [1.5, None, {}]}, "page", 1)


@attrs.define(eq=False)
class Router:
    """Remembers what it need not send again."""

    name: str = "router"
    confirmed: list[MephistoBoundLiveUpdate] = attrs.Factory(list[MephistoBoundLiveUpdate])

    def stream_stored(self, packet: MephistoBoundLiveUpdate) -> None:
        self.confirmed.append(packet)

    def stream_send(self, wire_id: WireId, number: int, update: Mapping[str, Any]) -> None: ...

    def forget(self, wire_id: WireId) -> None: ...

    def forget_sent(self, wire_id: WireId) -> None: ...


async def _nothing(after: int, limit: int) -> Sequence[LiveUpdate]:
    return []


@pytest.fixture
def hold(monkeypatch: pytest.MonkeyPatch) -> Hold:
    """One that is full with a single update."""
    monkeypatch.setattr(hold_module, "HOLD_BYTES_MAX", 0)
    return Hold()


@pytest.fixture
def line(hold: Hold) -> Line:
    return Line(AgentId(5), WIRE, False, Outbound(AgentId(5), WIRE, _nothing), simulated_wall, hold)


def test_what_is_held_comes_out_as_it_came(line: Line) -> None:
    router = Router()
    line.heard(router, SAID)
    assert line.hand_over() == [(router, SAID)]


def test_a_router_of_which_too_much_is_held_is_refused_and_no_other_is(line: Line, hold: Hold) -> None:
    router = Router()
    hold.check(router)
    line.heard(router, SAID)
    hold.check(Router("another"))
    with pytest.raises(RemoteProtocolError):
        hold.check(router)


def _hand_over(line: Line, router: Router) -> None:
    line.hand_over()


def _end(line: Line, router: Router) -> None:
    line.end()
    assert router.confirmed == [SAID]


def _forget(line: Line, router: Router) -> None:
    line.forget()
    assert router.confirmed == []


def _put_back_what_was_forgotten(line: Line, router: Router) -> None:
    said = line.hand_over()
    line.forget()
    line.put_back(said)


@pytest.mark.parametrize("deal_with_it", [_hand_over, _end, _forget, _put_back_what_was_forgotten])
def test_what_is_held_no_more_takes_no_room(
    line: Line, hold: Hold, deal_with_it: Callable[[Line, Router], None]
) -> None:
    router = Router()
    line.heard(router, SAID)
    deal_with_it(line, router)
    hold.check(router)


def test_what_was_put_back_takes_room_again(line: Line, hold: Hold) -> None:
    router = Router()
    line.heard(router, SAID)
    line.put_back(line.hand_over())
    with pytest.raises(RemoteProtocolError):
        hold.check(router)
