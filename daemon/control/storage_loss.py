"""What the control API and metrics answer when the store is lost: that nothing is known, at once."""

import trio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...storage.errors import LeaseLost, StorageFailed
from ..causes import causes
from ..store_loss import StoreLoss
from .errors import lost_store_answer


class AnswerLoss:
    """ASGI middleware. Requests that are not answered yet when the store is lost are cut and told 503."""

    def __init__(self, app: ASGIApp, loss: StoreLoss) -> None:
        self._app = app
        self._loss = loss

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif self._loss.error is not None or await self._is_cut(scope, receive, send):
            await lost_store_answer()(scope, receive, send)

    async def _is_cut(self, scope: Scope, receive: Receive, send: Send) -> bool:
        """Let the application answer; True when it had not begun to when the store was lost."""
        failure: Exception | None = None
        request, begun = trio.CancelScope(), trio.Event()

        async def note_begun(message: Message) -> None:
            begun.set()
            await send(message)

        async def cut_when_lost() -> None:
            await self._loss.begun()
            if not begun.is_set():
                request.cancel()

        async with trio.open_nursery() as watch:
            watch.start_soon(cut_when_lost)
            with request:
                try:
                    await self._app(scope, receive, note_begun)
                except Exception as exc:
                    failure = exc
            watch.cancel_scope.cancel()
        if failure is not None:
            self._note(failure)
            raise failure
        return request.cancelled_caught

    def _note(self, failure: Exception) -> None:
        for cause in causes(failure):
            if isinstance(cause, LeaseLost | StorageFailed):
                self._loss.begin(cause)
