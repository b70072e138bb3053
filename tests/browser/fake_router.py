"""A router with the daemon's answers built in: what crowdd.js meets, scripted. For tests of the page alone.

It keeps the rules of links and units (one live agent a link, `after`, one final answer) and nothing else.
"""

import asyncio
import json
import socket
import threading
from collections import defaultdict, deque
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import attrs
import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

PATIENCE_S = 15.0
PROVIDER_SCRIPT = b"""
function getWorkerName() { return new URLSearchParams(location.search).get("link"); }
function getAssignmentId() { return "any"; }
function getAgentRegistration() { return {provider_type: "fake", worker_name: getWorkerName()}; }
"""
TYPES = {"html": "text/html", "js": "text/javascript", "css": "text/css", "json": "application/json"}


@attrs.frozen
class Reply:
    """An HTTP answer given instead of the usual one."""

    code: int
    body: Any = attrs.Factory(dict[str, Any])
    headers: Mapping[str, str] = attrs.Factory(dict[str, str])
    delivered: bool = False
    """True: the request takes effect, and only its answer is replaced."""


@attrs.frozen
class Asked:
    """One request as it came."""

    path: str
    body: dict[str, Any]
    headers: Mapping[str, str]
    files: dict[str, bytes] = attrs.Factory(dict[str, bytes])


@attrs.define(eq=False)
class FakeAgent:
    """One try at one unit."""

    id: str
    link: str
    data: Any
    status: str = "in task"
    answer: Any = None


def refusal(code: int, reason: str, text: str, **more: Any) -> Reply:
    """What the real router says to a page that sends X-Crowdd-Client."""
    return Reply(code, {"reason": reason, "text": text, **more})


class FakeRouter:
    """Serves pages and answers; `asked` is what came, `script` what to answer instead of the usual."""

    def __init__(self, pages: Mapping[str, bytes], units: Sequence[Any]) -> None:
        self.pages = {"wrap_crowd_source.js": PROVIDER_SCRIPT, "task_config.json": b"{}", **pages}
        self.left = deque(units)
        self.agents: list[FakeAgent] = []
        self.asked: list[Asked] = []
        self.script: dict[str, deque[Reply]] = defaultdict(deque)
        self.first_status = "in task"
        self.time_left_s: float | None = None
        self.address = ""
        self.sockets: list[WebSocket] = []
        self._news = threading.Condition()
        self.loop: asyncio.AbstractEventLoop | None = None

    # What tests ask

    def bodies(self, path: str) -> list[dict[str, Any]]:
        """The bodies of all requests to this path so far."""
        return [asked.body for asked in self.asked if asked.path == path]

    def wait_asked(self, path: str, times: int = 1) -> dict[str, Any]:
        """The body of the `times`-th request to the path, waited for."""
        with self._news:
            came = self._news.wait_for(lambda: len(self.bodies(path)) >= times, PATIENCE_S)
        assert came, f"{path} was asked {len(self.bodies(path))} times, not {times}"
        return self.bodies(path)[times - 1]

    def wait_socket(self, count: int = 1) -> None:
        """Until so many pages have said on their socket whose they are."""
        with self._news:
            assert self._news.wait_for(lambda: len(self.sockets) >= count, PATIENCE_S), "no socket came"

    def push(self, packet_type: str, data: Mapping[str, Any]) -> None:
        """Send a packet to every socket."""
        agent = self.agents[-1]
        packet = {"packet_type": packet_type, "subject_id": agent.id, "data": dict(data)}
        assert self.loop is not None
        for page in self.sockets:
            asyncio.run_coroutine_threadsafe(page.send_json(packet), self.loop).result(PATIENCE_S)

    def drop_sockets(self) -> None:
        """Close every socket, as a proxy that restarts."""
        assert self.loop is not None
        for page in self.sockets:
            asyncio.run_coroutine_threadsafe(page.close(1012), self.loop).result(PATIENCE_S)
        with self._news:
            self.sockets = []

    # What pages get

    async def serve_file(self, request: Request) -> Response:
        name = request.path_params["path"] or "index.html"
        if name not in self.pages:
            return Response("not here", 404)
        kind = TYPES.get(name.rsplit(".")[-1], "application/octet-stream")
        return Response(self.pages[name], media_type=kind, headers={"Cache-Control": "no-store"})

    async def answer(self, request: Request) -> Response:
        asked = await _read(request)
        scripted = self.script[asked.path].popleft() if self.script[asked.path] else None
        usual = self._usual(asked) if scripted is None or scripted.delivered else None
        reply = scripted or usual
        assert reply is not None
        with self._news:
            self.asked.append(asked)
            self._news.notify_all()
        if isinstance(reply.body, bytes):
            return Response(reply.body, reply.code, dict(reply.headers), "text/html")
        return JSONResponse(reply.body, reply.code, dict(reply.headers))

    async def hold_socket(self, page: WebSocket) -> None:
        await page.accept()
        try:
            while True:
                packet = await page.receive_json()
                await self._heard(page, packet)
        except WebSocketDisconnect:
            with self._news:
                self.sockets = [other for other in self.sockets if other is not page]

    async def _heard(self, page: WebSocket, packet: dict[str, Any]) -> None:
        with self._news:
            self.asked.append(Asked("websocket", packet, {}))
            if packet["packet_type"] == "alive":
                self.sockets.append(page)
            self._news.notify_all()
        if packet["packet_type"] == "heartbeat":
            await page.send_json({"packet_type": "heartbeat", "data": {"last_mephisto_ping": 0}})

    def _usual(self, asked: Asked) -> Reply:
        match asked.path:
            case "request_agent":
                return self._register(asked.body["provider_data"])
            case "submit_task":
                return self._submit(asked.body)
            case "return_unit" if asked.body.get("leaving"):
                return Reply(200, {"status": "Noted"})
            case "return_unit":
                self._agent(asked.body["USED_AGENT_ID"]).status = "returned"
                return Reply(200, {"status": "Returned"})
            case "submit_metadata":
                return Reply(200, {"status": "Submitted metadata"})
            case _:
                return Reply(200, {"status": "Error log sent!"})

    def _register(self, claims: dict[str, Any]) -> Reply:
        link = claims.get("link", "")
        mine = [agent for agent in self.agents if agent.link == link]
        live = [agent for agent in mine if agent.status in ("in task", "waiting")]
        if live:
            return self._details(live[-1])
        if mine and claims["after"] != mine[-1].id:
            return self._details(mine[-1], finished=True)
        if not self.left:
            words = {
                "agent_id": None,
                "reason": "no_available_units",
                "failure_reason": "No work is left here.",
            }
            return Reply(409, {"packet_type": "agent_details", "data": words})
        agent = FakeAgent(f"agent-{len(self.agents) + 1}", link, self.left.popleft(), self.first_status)
        self.agents.append(agent)
        return self._details(agent)

    def _details(self, agent: FakeAgent, finished: bool = False) -> Reply:
        data = {
            "worker_id": "7",
            "agent_id": agent.id,
            "init_task_data": None if finished else agent.data,
            "status": agent.status,
            "time_left_s": self.time_left_s,
            "finished": finished,
            "failure_reason": None,
            "reason": None,
            "retry_after_s": None,
        }
        return Reply(200, {"packet_type": "agent_details", "subject_id": "r", "data": data})

    def _submit(self, body: dict[str, Any]) -> Reply:
        agent = self._agent(body["USED_AGENT_ID"])
        if agent.status == "completed" and agent.answer != body["final_data"]:
            return refusal(409, "already_submitted", "It was saved before.", status="completed")
        agent.status, agent.answer = "completed", body["final_data"]
        return Reply(200, {"status": "Submitted!"})

    def _agent(self, wire_id: str) -> FakeAgent:
        return next(agent for agent in self.agents if agent.id == wire_id)


async def _read(request: Request) -> Asked:
    path = request.url.path.strip("/")
    if "multipart" not in request.headers.get("content-type", ""):
        return Asked(path, await request.json(), request.headers)
    async with request.form() as form:
        body = {key: value for key, value in form.multi_items() if isinstance(value, str)}
        files = {
            f"{key}:{value.filename}": await value.read()
            for key, value in form.multi_items()
            if isinstance(value, UploadFile)
        }

    return Asked(path, {**body, "final_data": json.loads(body["final_string_data"])}, request.headers, files)


@contextmanager
def open_fake_router(pages: Mapping[str, bytes], units: Sequence[Any]) -> Generator[FakeRouter, None, None]:
    """Serve until left, on a new port each time, so that browsers remember nothing of another."""
    router = FakeRouter(pages, units)
    posts = (
        "request_agent",
        "submit_task",
        "submit_metadata",
        "return_unit",
        "log_error",
        "submit_onboarding",
    )
    app = Starlette(
        routes=[
            *(Route(f"/{path}", router.answer, methods=["POST"]) for path in posts),
            WebSocketRoute("/", router.hold_socket),
            Route("/{path:path}", router.serve_file),
        ]
    )
    with socket.create_server(("127.0.0.1", 0)) as listener, _served(app, listener, router):
        router.address = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        yield router


@contextmanager
def _served(app: Starlette, listener: socket.socket, router: FakeRouter) -> Generator[None, None, None]:
    config = uvicorn.Config(app, log_level="critical", ws="websockets-sansio", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)

    async def serve() -> None:
        router.loop = asyncio.get_running_loop()
        await server.serve([listener])

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()
