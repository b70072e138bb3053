"""JSON answers in one piece under uvicorn, past what it does for those that come in parts: two writes and a
search for bad headers. Wherever else the application runs they are sent as any other."""

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from .replies import JsonResponse


async def send_json(response: JsonResponse, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer this request."""
    cycle = getattr(send, "__self__", None)  # nothing else of a request knows what uvicorn holds of it
    if isinstance(cycle, RequestResponseCycle) and _takes_it_whole(cycle):
        _write(cycle, response)
    else:
        await response(scope, receive, send)


def _takes_it_whole(cycle: RequestResponseCycle) -> bool:
    """Whether there is nothing to wait for, to leave out, or to do besides."""
    if cycle.response_started or cycle.disconnected or cycle.flow.write_paused:
        return False
    return cycle.keep_alive and not cycle.access_log and cycle.scope["method"] != "HEAD"


def _write(cycle: RequestResponseCycle, response: JsonResponse) -> None:
    headers = [b"%s: %s\r\n" % each for each in (*cycle.default_headers, *response.raw_headers)]
    cycle.transport.write(b"".join((STATUS_LINE[response.status_code], *headers, b"\r\n", response.body)))
    cycle.response_started = cycle.response_complete = True
    cycle.message_event.set()
    cycle.on_response()
