"""The least that could carry messages between pages: two processes, trio-websocket twice, a frame a packet.

No codec, no storage, no identities: page n's partner is page n ^ 1. `python -m benchmarks.bare_relay router`
prints its port; `... daemon PORT` dials it, as our daemon dials its router. Then the router says "linked".
"""

import sys
from collections.abc import Mapping
from functools import partial

import trio
import trio_websocket

LINK = "/link"
_NUMBER_BYTES = 4


async def serve_router() -> None:
    """Pages on one side, the daemon on the other."""
    router = _Router()
    async with trio.open_nursery() as nursery:
        serve = partial(trio_websocket.serve_websocket, router.serve, "127.0.0.1", 0, ssl_context=None)
        server: trio_websocket.WebSocketServer = await nursery.start(serve)
        _tell(f"{server.port}")


class _Router:
    def __init__(self) -> None:
        self._pages: dict[bytes, trio_websocket.WebSocketConnection] = {}
        self._link: trio_websocket.WebSocketConnection | None = None

    async def serve(self, request: trio_websocket.WebSocketRequest) -> None:
        socket = await request.accept()
        try:
            if request.path == LINK:
                self._link = socket
                _tell("linked")
                await self._serve_link(socket)
            else:
                number = int(request.path.strip("/")).to_bytes(_NUMBER_BYTES, "big")
                self._pages[number] = socket
                await self._serve_page(number, socket)
        except trio_websocket.ConnectionClosed:
            pass

    async def _serve_page(self, number: bytes, socket: trio_websocket.WebSocketConnection) -> None:
        while True:
            text = await socket.get_message()
            assert isinstance(text, str)
            assert self._link is not None
            await self._link.send_message(number + text.encode())

    async def _serve_link(self, link: trio_websocket.WebSocketConnection) -> None:
        while True:
            frame = await link.get_message()
            assert isinstance(frame, bytes)
            page = self._pages.get(frame[:_NUMBER_BYTES])
            if page is not None:
                await page.send_message(frame[_NUMBER_BYTES:].decode())


def _tell(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


async def serve_daemon(port: int) -> None:
    """Send each page's words to its partner."""
    url = f"ws://127.0.0.1:{port}{LINK}"
    async with trio_websocket.open_websocket_url(url) as link:
        partners: Mapping[int, bytes] = _Partners()
        while True:
            frame = await link.get_message()
            assert isinstance(frame, bytes)
            number = int.from_bytes(frame[:_NUMBER_BYTES], "big")
            await link.send_message(partners[number] + frame[_NUMBER_BYTES:])


class _Partners(dict[int, bytes]):
    def __missing__(self, number: int) -> bytes:
        self[number] = partner = (number ^ 1).to_bytes(_NUMBER_BYTES, "big")
        return partner


if __name__ == "__main__":
    if sys.argv[1] == "router":
        trio.run(serve_router)
    else:
        trio.run(serve_daemon, int(sys.argv[2]))
