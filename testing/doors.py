"""What a page can do at a router, in words: `http_doors` does it really, `world` in simulation."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from .verdicts import Answered


class SocketLost(Exception):
    """A page's socket is gone, or could not be had."""


class PageSocket(Protocol):
    """One open websocket of a page."""

    async def send(self, packet: Mapping[str, Any]) -> None:
        """Send one packet; SocketLost."""
        ...

    async def receive(self) -> Mapping[str, Any]:
        """The next packet; SocketLost."""
        ...


class Doors(Protocol):
    """The way of one worker's page to its router. Decides nothing, repeats nothing."""

    @property
    def link(self) -> str:
        """What to call the worker's link in a history; does not give the link away."""
        ...

    def registration(self, after: str) -> dict[str, Any]:
        """The `provider_data` that the page's scripts make of its address."""
        ...

    async def post(
        self, path: str, body: Mapping[str, Any], within_s: float, files: Sequence[bytes] = ()
    ) -> Answered:
        """POST JSON, or with files a form; not to be reached is an answer like others. Raises nothing."""
        ...

    def socket(self) -> AbstractAsyncContextManager[PageSocket]:
        """Open the page's websocket; SocketLost."""
        ...
