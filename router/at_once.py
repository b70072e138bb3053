"""Requests of which all is here, and JSON answers to them, in one piece each and without a task between them.

Past what uvicorn does for those that come in parts: two writes, a search for bad headers, waiting for more of
the body. Wherever else the application runs, and for whatever else is asked, it is called as ASGI has it.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from starlette.types import Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from ..protocol.documents import dump_json
from .commands import HttpAnswer
from .desk import Answered
from .replies import JsonResponse, json_head

Take = Callable[[Scope, bytes, Answered], bool]
"""Takes a request with its body: True, and it is answered, now or later. False: ASGI has to be called."""


def behind_proxies(take: Take, trusted: list[str]) -> Take:
    """The same of requests that come through these proxies: of whom, they say as they do under ASGI."""
    middleware: Any = ProxyHeadersMiddleware(_nothing, trusted)

    def taken(scope: Scope, body: bytes, answered: Answered) -> bool:
        told = dict(scope)
        with suppress(StopIteration):  # it awaits nothing but what is given here
            middleware(told, None, None).send(None)
        return take(told, body, answered)

    return taken


async def _nothing(*_: object) -> None: ...


def answer_whole(cycle: RequestResponseCycle, answer: HttpAnswer) -> bool:
    """Answer a request that has no task. False: that has to be waited for, or there is something besides."""
    if not _takes_it_whole(cycle):
        return False
    body = dump_json(answer.body)
    _write(cycle, answer.status, json_head(answer, len(body)), body)
    cycle.on_response = _no_more  # it holds the protocol, which holds it
    return True


async def send_json(response: JsonResponse, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer this request."""
    cycle = getattr(send, "__self__", None)  # nothing else of a request knows what uvicorn holds of it
    if isinstance(cycle, RequestResponseCycle) and _takes_it_whole(cycle):
        headers = b"".join([b"%s: %s\r\n" % each for each in response.raw_headers])
        _write(cycle, response.status_code, headers, response.body)
    else:
        await response(scope, receive, send)


def _takes_it_whole(cycle: RequestResponseCycle) -> bool:
    """Whether there is nothing to wait for, to leave out, or to do besides."""
    if cycle.response_started or cycle.disconnected or cycle.flow.write_paused:
        return False
    return cycle.keep_alive and not cycle.access_log and cycle.scope["method"] != "HEAD"


def _write(cycle: RequestResponseCycle, status: int, headers: bytes, body: bytes | memoryview) -> None:
    always = [b"%s: %s\r\n" % each for each in cycle.default_headers]
    cycle.transport.write(b"".join((STATUS_LINE[status], *always, headers, b"\r\n", body)))
    cycle.response_started = cycle.response_complete = True
    cycle.message_event.set()
    cycle.on_response()


def _no_more() -> None: ...
