"""How the control API answers: JSON at once, or a stream that is written while it is read."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import orjson
import trio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

SendChunk = Callable[[bytes], Awaitable[None]]
"""Hands a chunk to the peer; waits while the peer does not read."""


def json_answer(content: Any, status: int = 200) -> Response:
    """A whole answer as JSON."""
    return Response(json_bytes(content), status, media_type="application/json")


def json_bytes(content: Any) -> bytes:
    """JSON in UTF-8; times as ISO 8601, numbers that are keys as text."""
    options = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_NON_STR_KEYS
    return orjson.dumps(content, default=_foreign, option=options)


def _foreign(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not JSON")


class StreamedAnswer(Response):
    """A body that `write` sends chunk by chunk; cancelled when the peer leaves.

    An error of `write` tears the connection, so that a peer never takes half a body for the whole.
    """

    def __init__(
        self,
        write: Callable[[SendChunk], Awaitable[None]],
        media_type: str,
    ) -> None:
        super().__init__(media_type=media_type)
        del self.headers["content-length"]
        self._write = write

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_chunk(chunk: bytes) -> None:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})

        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_cancel_when_gone, receive, nursery.cancel_scope)
            await self._write(send_chunk)
            nursery.cancel_scope.cancel()
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _cancel_when_gone(receive: Receive, scope: trio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()
