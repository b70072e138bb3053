"""A page's websocket: opened for the run's own pages only, then a mailbox out and the core's ear in."""

import math
from contextlib import suppress

import anyio
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from ..protocol.names import SENTENCES, Reason
from .addresses import sender_of
from .commands import SocketId
from .desk import Desk, Mailbox
from .limits import SEND_S
from .replies import error


async def refuse_socket(websocket: WebSocket, status: int, reason: str, text: str) -> None:
    """Answer the upgrade with a JSON error instead."""
    with suppress(WebSocketDisconnect):
        await websocket.send_denial_response(error(status, reason, text))


async def serve_page(websocket: WebSocket, desk: Desk) -> None:
    """Serve one page until it leaves, is sent away or takes nothing any more."""
    address = sender_of(websocket)
    opened = desk.open_socket(address)
    if opened is None:
        await refuse_socket(websocket, 503, Reason.TRY_LATER.value, SENTENCES[Reason.TRY_LATER])
        return
    socket, mailbox = opened
    try:
        await websocket.accept()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_write, websocket, mailbox, tasks.cancel_scope)
            await _read(websocket, desk, socket, mailbox)
            tasks.cancel_scope.cancel()
    except WebSocketDisconnect:
        pass  # it left while we said yes
    finally:
        desk.close_socket(socket)


async def _read(websocket: WebSocket, desk: Desk, socket: SocketId, mailbox: Mailbox) -> None:
    while True:
        if mailbox.closing is not None:
            await anyio.sleep_forever()  # whoever is sent away is not read any more: the writer ends it
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return
        text = message.get("text")
        desk.hear(socket, message.get("bytes") or b"" if text is None else text.encode("utf-8", "replace"))


async def _write(websocket: WebSocket, mailbox: Mailbox, page: anyio.CancelScope) -> None:
    # A send that takes too long has torn the stream; the server ends the connection when we return.
    # One scope, whose deadline moves: a scope for each packet costs more than the sending.
    with anyio.CancelScope() as sending, suppress(WebSocketDisconnect, RuntimeError):
        while (packet := await mailbox.take()) is not None:
            sending.deadline = anyio.current_time() + SEND_S
            await websocket.send_text(packet.decode())
            sending.deadline = math.inf
        code, words = mailbox.closing or (1000, "")
        sending.deadline = anyio.current_time() + SEND_S
        await close(websocket, code, words)
    page.cancel()


async def close(websocket: WebSocket, code: int, words: str) -> None:
    """Say goodbye, if the other side is still there. The words fit a close frame."""
    if websocket.application_state is WebSocketState.CONNECTED:
        await websocket.close(code, words.encode()[:120].decode(errors="ignore"))
