"""One endpoint of the control API: its handler, and all that its OpenAPI document says about it."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..roles import Role, Staff
from ..structuring import near_name
from .auditing import Handler, audited
from .errors import bad_request, needs_role
from .peer import Peer

log = logging.getLogger(__name__)


@attrs.frozen
class Query:
    """A parameter of the query; one that may come `many` times is a list."""

    name: str
    kind: Any
    meaning: str
    many: bool = False
    needed: bool = False


@attrs.frozen
class Endpoint:
    """What one method on one path takes and answers. The handler's docstring says what it is for.

    Types are those of `shapes`. What every endpoint of its kind may answer besides (no such run, too large,
    no space) is known to `openapi`; `also` are the statuses of its own refusals.
    """

    method: str
    path: str
    role: Role
    """What the peer must be at least."""
    handler: Handler
    answers: Any
    """The type of the answer; of one line of it, where the answer is a stream."""
    status: int = 200
    media_type: str = "application/json"
    other_types: Sequence[str] = ()
    """What it can answer in as well, as text that is described nowhere else."""
    body: Any = None
    body_type: str = "application/json"
    query: Sequence[Query] = ()
    also: Sequence[int] = ()
    audited: bool = True
    """What changes something is written down before it is done. False: nothing that is kept changes."""

    @property
    def name(self) -> str:
        """How documents and the audit call it."""
        return getattr(self.handler, "__name__", "")

    async def answer(self, request: Request) -> Response:
        """Answer a request of who may ask it; what would be ignored is refused."""
        self._check_role(request)
        self._check_query(request)
        if self.role is Role.VIEW or not self.audited:
            return await self.handler(request)
        return await audited(self.name, self.handler, request)

    def _check_role(self, request: Request) -> None:
        staff: Staff = request.app.state.staff
        peer: Peer = request.state.peer
        role = staff.role_of(peer)
        if not role.covers(self.role):
            log.warning(
                "%s (uid %d, pid %d, role %s) may not %s", peer.who, peer.uid, peer.pid, role.value, self.name
            )
            raise needs_role(self.role.value, role.value, peer.name)

    def _check_query(self, request: Request) -> None:
        known = [each.name for each in self.query]
        for name in request.query_params:
            if name not in known:
                near = near_name(name, known)
                hint = f"Did you mean {near!r}?" if near else f"Known: {', '.join(known) or 'none'}."
                raise bad_request(f"The parameter {name!r} is not known.", hint)


def routes(endpoints: Sequence[Endpoint]) -> list[Route]:
    """A route for each path: one that knows all its methods can say which they are."""
    by_path: dict[str, dict[str, Endpoint]] = {}
    for endpoint in endpoints:
        by_path.setdefault(endpoint.path, {})[endpoint.method] = endpoint
    return [Route(path, _by_method(methods), methods=[*methods]) for path, methods in by_path.items()]


def _by_method(methods: Mapping[str, Endpoint]) -> Handler:
    async def answer(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        return await methods[method].answer(request)

    return answer
