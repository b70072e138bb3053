"""A websocket client for tests; trio-websocket's own leaves the stream open when the peer closes first."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import trio
from trio_websocket import WebSocketConnection, wrap_client_stream

PATIENCE_S = 120.0  # of a machine with much else to do


@asynccontextmanager
async def open_websocket(
    url: str, path: str, headers: Sequence[tuple[bytes, bytes]] = (), subprotocols: Sequence[str] = ()
) -> AsyncGenerator[WebSocketConnection]:
    """Connect; ConnectionRejected (bare, not in a group) when the server says no."""
    address = url.removeprefix("http://")
    host, port = address.split(":")
    stream = await trio.open_tcp_stream(host, int(port))
    try:
        async with trio.open_nursery() as nursery:
            with trio.fail_after(PATIENCE_S):
                socket = await wrap_client_stream(
                    nursery, stream, address, path, subprotocols=subprotocols, extra_headers=list(headers)
                )
            yield socket
            with trio.move_on_after(1):
                await socket.aclose()
            nursery.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        if len(group.exceptions) > 1:
            raise
        raise next(iter(group.exceptions)) from None
    finally:
        await trio.aclose_forcefully(stream)
