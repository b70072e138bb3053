"""What is sent to a page again, and what is not, when its router or its page is another one."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest
import trio

from crowdd.daemon.live.outbound import Outbound
from crowdd.protocol.names import AgentId, WireId
from crowdd.storage.records import LiveUpdate

WIRE_ID = WireId("5")


@attrs.define(eq=False)
class Link:
    """A way to a router; keeps which numbers it was given."""

    name: str = "local"
    given: list[int] = attrs.Factory(list[int])

    def stream_send(self, wire_id: WireId, number: int, update: Mapping[str, Any]) -> None:
        self.given.append(number)

    def forget(self, wire_id: WireId) -> None:
        pass

    def forget_sent(self, wire_id: WireId) -> None:
        pass


def outbound_of(
    count: int,
    reading: Callable[[], Awaitable[None]] = trio.lowlevel.checkpoint,
    asked: list[int] | None = None,
) -> Outbound:
    """With so many updates stored. `reading` goes on while they are read; `asked` hears after which."""
    at = datetime.fromtimestamp(0, UTC)
    stored = [LiveUpdate(False, AgentId(5), True, n, f"5.{n}", "", 0, {}, at) for n in range(1, count + 1)]

    async def read(after: int, limit: int) -> Sequence[LiveUpdate]:
        if asked is not None:
            asked.append(after)
        await reading()
        return stored[after : after + limit]

    return Outbound(AgentId(5), WIRE_ID, read)


async def come(outbound: Outbound, link: Link, seen: int | None) -> list[int]:
    """A page comes; what the link is given for it."""
    link.given.clear()
    outbound.alive(link, seen)
    await outbound.pump()
    return link.given


async def test_a_page_is_sent_what_it_does_not_have() -> None:
    outbound, link = outbound_of(4), Link()
    assert await come(outbound, link, 1) == [2, 3, 4]


async def test_a_page_that_has_less_than_another_had_is_sent_that_again() -> None:
    outbound, link = outbound_of(4), Link()
    await come(outbound, link, 0)
    outbound.confirmed(3)
    assert await come(outbound, link, 1) == [2, 3]


async def test_a_router_that_does_not_know_what_its_page_has_is_not_sent_what_was_confirmed() -> None:
    outbound, link, other = outbound_of(4), Link(), Link("other")
    await come(outbound, link, 0)
    outbound.confirmed(3)
    assert await come(outbound, link, None) == []
    assert await come(outbound, other, None) == [4]


async def test_a_page_of_which_nothing_is_known_is_sent_everything() -> None:
    assert await come(outbound_of(2), Link(), None) == [1, 2]


@pytest.mark.parametrize(("seen", "given"), [(-(2**63), [1, 2]), (-1, [1, 2]), (2**64 - 1, [])])
async def test_a_router_that_says_what_no_page_can_have_is_heard_as_if_it_could(
    seen: int, given: list[int]
) -> None:
    asked: list[int] = []
    outbound = outbound_of(2, asked=asked)
    assert await come(outbound, Link(), seen) == given
    assert all(0 <= after < 2**63 for after in asked)


async def test_an_agent_that_ends_while_its_updates_are_read_is_sent_none() -> None:
    async def leave() -> None:
        outbound.close()
        await trio.lowlevel.checkpoint()

    outbound = outbound_of(4, leave)
    assert await come(outbound, Link(), 0) == []


async def test_an_agent_that_ends_while_updates_are_read_once_more_is_sent_none() -> None:
    is_over = False

    async def leave() -> None:
        if is_over:
            outbound.close()
        await trio.lowlevel.checkpoint()

    outbound, link = outbound_of(4, leave), Link()
    await come(outbound, link, 0)
    outbound.confirmed(3)
    is_over = True
    assert await come(outbound, link, 1) == []
