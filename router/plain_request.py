"""A request as our doors read it: who sent it, and single headers, without a search through all of them."""

from starlette.requests import Request
from starlette.types import Receive, Scope

from .addresses import sender_of


class PlainRequest(Request):
    """Starlette's, which looks at every header for each that is asked for."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        super().__init__(scope, receive)
        self._said: dict[bytes, bytes] = dict(reversed(scope["headers"]))  # of what is said twice the first
        self.sender = sender_of(self)
        """As whom who sent it is counted."""

    def said(self, header: bytes) -> str | None:
        """What this header (its name in small letters) says."""
        value = self._said.get(header)
        return None if value is None else value.decode("latin-1")
