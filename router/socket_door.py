"""A page's websocket: opened for the run's own pages only; then its line has a mailbox and the core's ear."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial

import anyio
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from ..protocol.names import SENTENCES, Reason
from .addresses import sender_of
from .desk import Desk
from .limits import SEND_S
from .mailbox import Mailbox
from .replies import error
from .socket_protocol import LINE, BoundedSocket


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
        await _serve(websocket, mailbox, partial(desk.hear, socket))
    except WebSocketDisconnect:
        pass  # it left while we spoke
    finally:
        desk.close_socket(socket)


async def _serve(websocket: WebSocket, mailbox: Mailbox, hear: Callable[[bytes], None]) -> None:
    # Packets do not come through here: an event loop's turn, a task and five layers for each cost more than
    # all else that is done for it.
    line: BoundedSocket = websocket.scope["extensions"][LINE]["line"]
    line.serve(mailbox, hear)
    while (message := await websocket.receive())["type"] != "websocket.disconnect":
        text = message.get("text")  # said before it was answered
        hear(message.get("bytes") or b"" if text is None else text.encode("utf-8", "replace"))
    if mailbox.closing is not None:
        with anyio.move_on_after(SEND_S):
            await close(websocket, *mailbox.closing)


async def close(websocket: WebSocket, code: int, words: str) -> None:
    """Say goodbye, if the other side is still there. The words fit a close frame."""
    if websocket.application_state is WebSocketState.CONNECTED:
        with suppress(RuntimeError):  # it was failed meanwhile, for what came from there
            await websocket.close(code, words.encode()[:120].decode(errors="ignore"))
