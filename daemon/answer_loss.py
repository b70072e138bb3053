"""Has a service of the daemon answer at once when the store is lost: that nothing is known."""

from collections.abc import Callable

import trio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..storage.errors import LeaseLost, StorageFailed
from .causes import causes
from .store_loss import StoreLoss


class AnswerLoss:
    """ASGI middleware. Requests that are open when the store is lost are cut, and given `answer`."""

    def __init__(self, app: ASGIApp, loss: StoreLoss, answer: Callable[[], ASGIApp]) -> None:
        self._app = app
        self._loss = loss
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif self._loss.error is not None or await self._is_cut(scope, receive, send):
            await self._answer()(scope, receive, send)

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
