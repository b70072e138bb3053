"""Ends the daemon when a request finds its store lost: nothing definite can be said any more."""

import trio
from starlette.types import ASGIApp, Receive, Scope, Send

from ...storage.errors import LeaseLost, StorageFailed

ANSWER_S = 0.5  # for the answer that says so


class StorageLoss:
    """ASGI middleware that notes LeaseLost and StorageFailed, which web frameworks only log."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._lost = trio.Event()
        self._errors: list[BaseExceptionGroup[LeaseLost | StorageFailed]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except* (LeaseLost, StorageFailed) as errors:
            self._errors.append(errors)
            self._lost.set()
            raise

    async def rise(self) -> None:
        """Wait for the first loss and raise it (a group), once it could be answered."""
        await self._lost.wait()
        await trio.sleep(ANSWER_S)
        raise self._errors[0]
