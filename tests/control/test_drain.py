"""What the daemon does with the rest of a request that it answers already."""

from typing import Any

import trio
from starlette.responses import PlainTextResponse
from starlette.types import Message

from crowdd.daemon.control.drain import DrainRequests

REQUEST: dict[str, Any] = {"type": "http", "method": "GET", "path": "/", "headers": []}


async def test_a_peer_whose_stream_is_closed_while_it_is_answered_is_no_failure() -> None:
    said: list[Message] = []

    async def never() -> Message:
        await trio.sleep_forever()
        raise AssertionError

    async def closing(message: Message) -> None:
        said.append(message)
        raise trio.BusyResourceError("another task is currently sending data on this SocketStream")

    await DrainRequests(PlainTextResponse("well"))(REQUEST, never, closing)
    assert [message["type"] for message in said] == ["http.response.start"]
