"""What goes to an agent's pages: each gets all that it lacks, whatever room the link has."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import attrs
import trio
from trio.testing import MockClock

from crowdd.daemon.live.calls import unanswered
from crowdd.daemon.live.hearing import Hearing
from crowdd.daemon.live.outbound import ROOM_AGAIN_S, Outbound
from crowdd.protocol.errors import LinkFull
from crowdd.protocol.names import AgentId, WireId
from crowdd.protocol.packets import MephistoBoundLiveUpdate
from crowdd.storage.records import LiveUpdate

AGENT = AgentId(1)
WIRE = WireId("agent-1")


@attrs.define(eq=False)
class Link:
    """A link with so much room; a test makes more."""

    name: str = "link"
    room: int = 1000
    given: list[int] = attrs.Factory(list[int])
    forgotten: list[str] = attrs.Factory(list[str])

    def stream_send(self, wire_id: WireId, number: int, update: Mapping[str, Any]) -> None:
        if self.room == 0:
            raise LinkFull("no room")
        self.room -= 1
        self.given.append(number)

    def forget(self, wire_id: WireId) -> None:
        self.forgotten.append("all")

    def forget_sent(self, wire_id: WireId) -> None:
        self.forgotten.append("sent")


def an_update(number: int, **data: Any) -> LiveUpdate:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return LiveUpdate(False, AGENT, True, number, f"1.{number}", "", 0, data, at)


def outbound(count: int) -> Outbound:
    stored = [an_update(number) for number in range(1, count + 1)]

    async def read(after: int, limit: int) -> list[LiveUpdate]:
        return stored[after : after + limit]

    return Outbound(AGENT, WIRE, read)


async def test_a_second_page_gets_all_that_it_lacks_though_the_link_is_full_at_first() -> None:
    out, link = outbound(200), Link()
    out.alive(link, 0)
    await out.pump()
    out.confirmed(200)
    link.given, link.room = [], 100
    out.alive(link, 10)
    await out.pump()
    assert link.given == [*range(11, 111)]
    link.room = 100
    out.confirmed(110)
    await out.pump()
    assert link.given == [*range(11, 201)]
    await out.pump()
    assert link.given == [*range(11, 201)]


async def test_pages_that_come_one_after_the_other_get_what_the_last_of_them_lacks() -> None:
    out, link = outbound(50), Link()
    out.alive(link, 0)
    await out.pump()
    out.confirmed(50)
    link.given = []
    out.alive(link, 40)
    out.alive(link, 20)
    out.alive(link, 45)
    await out.pump()
    assert link.given == [*range(21, 51)]


async def test_a_page_at_another_router_ends_only_what_is_sent_by_the_first() -> None:
    out, first, second = outbound(3), Link(), Link()
    out.alive(first, 0)
    await out.pump()
    out.alive(second, 1)
    await out.pump()
    assert (first.given, second.given) == ([1, 2, 3], [2, 3])
    assert first.forgotten == ["sent"]


def test_what_an_unchanged_page_calls_an_update_is_never_taken_for_anothers() -> None:
    hearing = Hearing()
    names = [
        new.name
        for packet in (
            MephistoBoundLiveUpdate(WIRE, 1, 1, {"update_id": "page:1"}),
            MephistoBoundLiveUpdate(WIRE, 1, 2, {}, page="page", page_number=1),
        )
        if (new := hearing.take(packet)) is not None
    ]
    assert len(names) == len(set(names)) == 2


def test_what_code_sends_may_look_like_any_answer() -> None:
    call = attrs.evolve(an_update(1, request_id="r", target="f"), outgoing=False)
    assert unanswered([call], [an_update(1, handles=["left", "right"])]) == [call]
    assert unanswered([call], [an_update(1, handles="r")]) == []


async def test_what_found_a_link_full_of_others_goes_once_there_is_room(autojump_clock: MockClock) -> None:
    out, link = outbound(1), Link(room=0)
    out.alive(link, 0)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(out.pump)
        nursery.start_soon(out.pump)
        await trio.sleep(60)
        assert link.given == []
        link.room = 10
        await trio.sleep(2 * ROOM_AGAIN_S)
        assert link.given == [1]
