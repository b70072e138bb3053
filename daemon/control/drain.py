"""Takes the rest of a request's body while it is answered. Decides nothing."""

import trio
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class DrainRequests:
    """ASGI middleware against a hang: Hypercorn queues a body and, if nobody takes it, never ends the answer.

    Once the answer has begun, what still comes is thrown away, and `receive` only tells that the peer left.
    A peer that left, or while it is answered leaves or breaks the framing, is not answered: Hypercorn closes
    its stream then, and trips over who sends meanwhile.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        async with trio.open_nursery() as nursery:
            request = _Request(receive, send, nursery)
            await self._app(scope, request.receive, request.send)
            nursery.cancel_scope.cancel()


class _Request:
    def __init__(self, receive: Receive, send: Send, nursery: trio.Nursery) -> None:
        self._receive = receive
        self._send = send
        self._nursery = nursery
        self._answering = False
        self._gone = False
        self._left = trio.Event()

    async def receive(self) -> Message:
        if not self._answering:
            message = await self._receive()
            self._gone = message["type"] == "http.disconnect"
            return message
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if self._gone:
            return
        if not self._answering:
            self._answering = True
            self._nursery.start_soon(self._drain)
        try:
            await self._send(message)
        except trio.BusyResourceError:
            self._gone = True

    async def _drain(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._left.set()
