"""The public face of the runs: which run a request means, its pages, its POSTs and its sockets."""

import logging
import time

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from ..protocol.names import Reason
from ..supervision.tasks import NoThread
from .addressing import Place, locate
from .answers import refusal
from .at_once import send_json
from .bodies import PageGone
from .commands import HttpAnswer
from .config import RouterConfig
from .desk import Answered
from .origin import may_connect, may_post
from .plain_request import PlainRequest
from .posts import Posts, readable
from .replies import NOT_FOUND, JsonResponse, error, json_response, not_found, page_policy, page_response
from .runs import Runs, Served
from .socket_door import refuse_socket, serve_page

_FOREIGN = "This page may not do that here: its origin is another one."
_FAULT = HttpAnswer(
    500,
    {"reason": "router_error", "text": "Something went wrong here. It was logged; please try again."},
)
_INDEX = ("", "index.html", "task_index", "welcome")
_ICON = "favicon.ico"
log = logging.getLogger(__name__)


class PagesDoor:
    """An ASGI application for everything that is not the daemon's."""

    def __init__(self, runs: Runs, config: RouterConfig) -> None:
        self._runs = runs
        self._config = config
        self._posts = Posts(runs.house)
        self._policy = page_policy(config.frame_ancestors)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or socket."""
        if scope["type"] == "websocket":
            await self._socket(WebSocket(scope, receive, send))
            return
        try:
            response = await self._answer(PlainRequest(scope, receive))
        except (PageGone, NoThread) as exc:
            response = sorry(exc)
        except Exception as exc:
            await sorry(exc)(scope, receive, send)
            raise  # the server writes it into the log
        if isinstance(response, JsonResponse):
            await send_json(response, scope, receive, send)
        else:
            await response(scope, receive, send)

    def take(self, scope: Scope, body: bytes, answered: Answered) -> bool:
        """Answer a POST of which all is here, without a task for it. False: it is one to be called with."""
        if scope["method"] != "POST":
            return False
        request = PlainRequest(scope, _nothing_more)
        place, served = self._find(request.said(b"host") or "", scope["path"])
        if place is None or served is None or place.rest is None or not self._may_post(request):
            return False
        try:
            return self._posts.take(_name(place, scope["path"]), served, request, body, answered)
        except Exception:
            log.exception("a request could not be answered")
            answered(_FAULT)
            return True

    def _find(self, host: str, path: str) -> tuple[Place | None, Served | None]:
        config = self._config
        place = locate(host, path, self._runs, config.default_run, config.shared_origin)
        return place, None if place is None else self._runs.get(place.label)

    async def _socket(self, websocket: WebSocket) -> None:
        headers = websocket.headers
        place, served = self._find(headers.get("host", ""), websocket.scope["path"])
        scheme = "https" if websocket.url.scheme == "wss" else "http"
        trusted = self._config.trusted_origins
        if place is None or served is None or place.rest != "/":
            await refuse_socket(websocket, 404, "not_found", "There is nothing at this address.")
        elif not may_connect(headers.get("origin"), headers.get("host", ""), scheme, trusted):
            await refuse_socket(websocket, 403, "foreign_origin", _FOREIGN)
        else:
            await serve_page(websocket, served.desk)

    async def _answer(self, request: PlainRequest) -> Response:
        place, served = self._find(request.said(b"host") or "", request.scope["path"])
        name = _name(place, request.scope["path"])
        if name in ("is_alive", "get_timestamp") and request.method in ("GET", "HEAD"):
            return json_response(_sign_of_life(name), request.method)
        if name == _ICON and request.method in ("GET", "HEAD") and not _has(served, _ICON):
            return Response(status_code=204)  # every browser asks for one; a page may have its own
        if place is None or served is None:
            return _no_such_run(request)
        if place.rest is None:
            query = f"?{request.url.query}" if request.url.query else ""
            return RedirectResponse(f"/run/{place.label}/{query}", 308)
        if request.method in ("GET", "HEAD"):
            return self._page(request, served, name)
        if name not in self._posts:
            return not_found()
        if request.method != "POST":
            return error(405, "method_not_allowed", "This address takes POST.")
        return await self._post(request, served, name)

    def _page(self, request: Request, served: Served, name: str) -> Response:
        page = served.pages.get("index.html" if name in _INDEX else name)
        if page is None:
            return not_found()
        version = request.query_params.get("mephisto_task_version")
        if name == "task_config.json" and version is not None:
            served.desk.page_uses(version)
        return page_response(page, request.headers, self._policy)

    async def _post(self, request: PlainRequest, served: Served, name: str) -> Response:
        if not self._may_post(request):
            return error(403, "foreign_origin", _FOREIGN)
        return await self._posts.handle(name, served, request)

    def _may_post(self, request: PlainRequest) -> bool:
        origin, fetch_site = request.said(b"origin"), request.said(b"sec-fetch-site")
        scheme, host = request.scope["scheme"], request.said(b"host") or ""  # `request.url` is made from both
        return may_post(origin, fetch_site, host, scheme, self._config.trusted_origins)


def sorry(exc: Exception) -> Response:
    """What is said instead of an answer: to nobody, to come again, or that it is our fault."""
    match exc:
        case PageGone():
            return Response(status_code=400)
        case NoThread():
            return json_response(refusal(Reason.TRY_LATER))
        case _:
            return json_response(_FAULT)


async def _nothing_more() -> Message:
    raise PageGone  # of what is here whole nothing is awaited


def _no_such_run(request: PlainRequest) -> Response:
    """Nothing here; a page that is still open from a run that was taken off has to be able to read it."""
    if request.method != "POST":
        return not_found()
    return readable(request.scope["path"].rpartition("/")[2], request, NOT_FOUND)


def _name(place: Place | None, path: str) -> str:
    return (path if place is None else place.rest or "").removeprefix("/")


def _has(served: Served | None, name: str) -> bool:
    return served is not None and served.pages.get(name) is not None


def _sign_of_life(name: str) -> HttpAnswer:
    if name == "is_alive":
        return HttpAnswer(200, {"status": "Alive!"})
    return HttpAnswer(200, {"timestamp": time.time_ns() // 1_000_000})
