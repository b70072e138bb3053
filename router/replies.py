"""How answers look on the wire: JSON errors, never HTML or a traceback, and headers that protect pages."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from ..protocol.documents import dump_json
from .bundle import Page
from .commands import HttpAnswer

_ALWAYS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}
_DATA = _ALWAYS | {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
_JSON = _DATA | {"Content-Type": "application/json"}
_JSON_RAW = [(name.lower().encode(), value.encode()) for name, value in _JSON.items()]

_JSON_HEAD = b"".join(b"%s: %s\r\n" % each for each in _JSON_RAW)

NOT_FOUND = HttpAnswer(404, {"reason": "not_found", "text": "There is nothing at this address."})


class JsonResponse(Response):
    """An answer of the core, or an error; what all of them say of themselves is made once."""

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        """Only its length is its own."""
        self.raw_headers = [(b"content-length", b"%d" % len(self.body)), *_JSON_RAW]


def json_response(answer: HttpAnswer, method: str = "POST") -> JsonResponse:
    """An answer of the core as a response."""
    content = b"" if method == "HEAD" else dump_json(answer.body)
    response = JsonResponse(content, answer.status)
    if answer.retry_after_s is not None:
        response.headers["Retry-After"] = str(answer.retry_after_s)
    return response


def json_head(answer: HttpAnswer, size: int) -> bytes:
    """The headers of such a response, as lines, for a body of this size."""
    later = b"" if answer.retry_after_s is None else b"retry-after: %d\r\n" % answer.retry_after_s
    return b"content-length: %d\r\n%s%s" % (size, _JSON_HEAD, later)


def ok(body: Mapping[str, Any]) -> Response:
    """200 with this body."""
    return json_response(HttpAnswer(200, body))


def error(status: int, reason: str, text: str) -> Response:
    """A JSON error of the shell itself."""
    return json_response(HttpAnswer(status, {"reason": reason, "text": text}))


def not_found() -> Response:
    """Nothing here; the same words for everything that is not here."""
    return json_response(NOT_FOUND)


def page_response(page: Page, request_headers: Mapping[str, str], csp: str) -> Response:
    """A page, or 304 when the browser has it; packed if the browser takes that."""
    packed = page.packed is not None and "gzip" in request_headers.get("accept-encoding", "")
    etag = f'"{page.etag}{"-gz" if packed else ""}"'
    headers = _ALWAYS | {"ETag": etag, "Cache-Control": "no-cache", "Content-Security-Policy": csp}
    if page.packed is not None:
        headers["Vary"] = "Accept-Encoding"
    if etag in _tags(request_headers.get("if-none-match", "")):
        return Response(status_code=304, headers=headers)
    if packed:
        headers["Content-Encoding"] = "gzip"
    content = page.packed if packed and page.packed is not None else page.content
    return Response(content, headers=headers | {"Content-Type": page.media_type})


def page_policy(frame_ancestors: tuple[str, ...]) -> str:
    """What a task's page may do: scripts are its author's business; plug-ins and strange frames are not."""
    return f"object-src 'none'; base-uri 'self'; frame-ancestors {' '.join(frame_ancestors)}"


def _tags(header: str) -> set[str]:
    return {tag.strip().removeprefix("W/") for tag in header.split(",")}
