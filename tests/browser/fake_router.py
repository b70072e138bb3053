"""A router with the daemon's answers built in: what crowdd.js meets, scripted. For tests of the page alone.

It keeps the rules of links and units (one live agent a link, `after`, one final answer), those of live
updates, and nothing else.
"""

import asyncio
import json
import socket
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Coroutine, Generator, Mapping, Sequence
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

from .talk import Talk

PATIENCE_S = 15.0
PROVIDER_SCRIPT = b"""
function getWorkerName() { return new URLSearchParams(location.search).get("link"); }
function getAssignmentId() { return "any"; }
function getAgentRegistration() { return {provider_type: "fake", worker_name: getWorkerName()}; }
"""
ENDED = ("timeout", "returned", "expired", "disconnect")
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
    talk: Talk = attrs.Factory(Talk)


@attrs.define(eq=False)
class Seat:
    """One page's socket: whose it is and what it said of itself."""

    page: WebSocket
    agent: FakeAgent
    crowdd: bool


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
        self.seats: list[Seat] = []
        self.live = False
        """Unit data comes as live tasks have it, with the past."""
        self.refuses_sockets = False
        self.deaf = False
        """Nothing that is sent is stored, as by a router that dies before it could pass it on."""
        self.onboarding: Any = None
        """What newcomers see first, if anything."""
        self.waiting: dict[str, Any] | None = None
        self.functions: dict[str, Callable[[Any], Any]] = {}
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
        self._await(self._tell_all(self.sockets, packet))

    def say(self, *updates: dict[str, Any]) -> None:
        """The task's code sends these to the last agent's pages."""
        for update in updates:
            self.deliver(self.agents[-1].talk.say(update))

    def deliver(self, number: int) -> None:
        """Send an update that was said (again) to the pages that are there."""
        self._await(self._deliver(self.agents[-1], number))

    def drop_sockets(self, code: int = 1012) -> None:
        """Close every socket, as a proxy that restarts."""

        async def drop() -> None:
            for page in self.sockets:
                await page.close(code)
            with self._news:
                self.sockets, self.seats = [], []

        self._await(drop())

    def wait_heard(self, count: int) -> Talk:
        """Until the last agent's pages have sent so many updates that were stored."""
        talk = self.agents[-1].talk
        with self._news:
            came = self._news.wait_for(lambda: len(talk.heard) >= count, PATIENCE_S)
        assert came, f"{len(talk.heard)} updates came, not {count}"
        return talk

    def wait_said(self, packet_type: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first packet of this type that a page sent and of whose data this holds, waited for."""
        with self._news:
            came = self._news.wait_for(lambda: any(map(holds, self.said(packet_type))), PATIENCE_S)
        assert came, f"no such {packet_type}: {self.said(packet_type)}"
        return next(filter(holds, self.said(packet_type)))

    def said(self, packet_type: str) -> list[dict[str, Any]]:
        """The data of all packets of this type that pages sent."""
        return [body["data"] for body in self.bodies("websocket") if body["packet_type"] == packet_type]

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
        if self.refuses_sockets:
            return await page.close()
        await page.accept()
        try:
            while True:
                packet = await page.receive_json()
                await self._heard(page, packet)
        except WebSocketDisconnect:
            with self._news:
                self.sockets = [other for other in self.sockets if other is not page]
                self.seats = [seat for seat in self.seats if seat.page is not page]

    async def _heard(self, page: WebSocket, packet: dict[str, Any]) -> None:
        kind = packet["packet_type"]
        seat = next((seat for seat in self.seats if seat.page is page), None)
        with self._news:
            self.asked.append(Asked("websocket", packet, {}))
            if kind == "alive" and page not in self.sockets:
                self.sockets.append(page)
            if kind == "mephisto_bound_live_update" and seat and not self.deaf:
                seat.agent.talk.take(packet["page"], packet["number"], packet["data"])
            self._news.notify_all()
        if kind == "alive" and seat is None:
            await self._bind(page, packet)
        if kind == "heartbeat":
            await page.send_json({"packet_type": "heartbeat", "data": {"last_mephisto_ping": 0}})
        if kind == "mephisto_bound_live_update" and seat and not self.deaf:
            await self._acknowledge(seat.agent, packet["page"])
            await self._run_function(seat.agent, packet["data"])

    async def _bind(self, page: WebSocket, packet: dict[str, Any]) -> None:
        agent = next((agent for agent in self.agents if agent.id == packet["subject_id"]), None)
        if agent is None:
            return
        self.seats.append(Seat(page, agent, packet["data"].get("crowdd") == 1))
        for number in range(packet["data"].get("seen", 0) + 1, len(agent.talk.said) + 1):
            await page.send_json(self._update(agent, number))

    async def _acknowledge(self, agent: FakeAgent, page: str) -> None:
        data = {"page": page, "number": agent.talk.last.get(page, 0)}
        pages = [seat.page for seat in self.seats if seat.agent is agent and seat.crowdd]
        await self._tell_all(pages, {"packet_type": "ack", "subject_id": agent.id, "data": data})

    async def _run_function(self, agent: FakeAgent, update: dict[str, Any]) -> None:
        function = self.functions.get(update.get("target", ""))
        if function is None or any(call["uuid"] == update["request_id"] for call in agent.talk.calls):
            return
        entry = {"uuid": update["request_id"], "target": update["target"], "args_json": update["args"]}
        agent.talk.calls.append({**entry, "response_json": None})
        try:
            answer = {"response": json.dumps(function(json.loads(update["args"])))}
        except ValueError as exc:
            answer = {"error": str(exc), "response": "null"}
        agent.talk.calls.append(
            {"uuid": "any", "target": update["request_id"], "args_json": None}
            | {"response_json": answer["response"], "error": answer.get("error")}
        )
        await self._deliver(agent, agent.talk.say({"handles": update["request_id"], **answer}))

    async def _deliver(self, agent: FakeAgent, number: int) -> None:
        pages = [seat.page for seat in self.seats if seat.agent is agent]
        await self._tell_all(pages, self._update(agent, number))

    def _update(self, agent: FakeAgent, number: int) -> dict[str, Any]:
        packet = {"packet_type": "client_bound_live_update", "subject_id": agent.id, "number": number}
        return packet | {"data": agent.talk.said[number - 1]}

    async def _tell_all(self, pages: Sequence[WebSocket], packet: dict[str, Any]) -> None:
        for page in list(pages):
            await page.send_json(packet)

    def _await(self, doing: Coroutine[Any, Any, None]) -> None:
        assert self.loop is not None
        asyncio.run_coroutine_threadsafe(doing, self.loop).result(PATIENCE_S)

    def _usual(self, asked: Asked) -> Reply:
        match asked.path:
            case "request_agent":
                return self._register(asked.body["provider_data"])
            case "submit_onboarding":
                agent = self._agent(asked.body["provider_data"]["USED_AGENT_ID"])
                agent.status, agent.answer = "onboarded", asked.body["provider_data"]["onboarding_data"]
                return self._register({"link": agent.link, "after": ""})
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
        newcomer = self._newcomer(link)
        if newcomer:
            return self._details(newcomer)
        mine = [agent for agent in self.agents if agent.link == link and agent.status != "onboarded"]
        live = [agent for agent in mine if agent.status in ("in task", "waiting", "partner disconnect")]
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

    def _newcomer(self, link: str) -> FakeAgent | None:
        """The onboarding agent of who has not passed yet, where the task has one."""
        if self.onboarding is None:
            return None
        for agent in self.agents:
            if agent.link == link:
                return agent if agent.status == "onboarding" else None
        self.agents.append(FakeAgent("onboarding_1", link, self.onboarding, "onboarding"))
        return self.agents[-1]

    def _details(self, agent: FakeAgent, finished: bool = False) -> Reply:
        data = {
            "worker_id": "7",
            "agent_id": agent.id,
            "init_task_data": None if finished else self._init_data(agent),
            "seen": len(agent.talk.said),
            "waiting": self.waiting if agent.status == "waiting" else None,
            "status": agent.status,
            "time_left_s": self.time_left_s,
            "finished": finished,
            "failure_reason": None,
            "reason": None,
            "retry_after_s": None,
        }
        return Reply(200, {"packet_type": "agent_details", "subject_id": "r", "data": data})

    def _init_data(self, agent: FakeAgent) -> Any:
        if not self.live:
            return agent.data
        talk = agent.talk
        return {
            "task_data": agent.data,
            "past_live_updates": list(talk.past),
            "previous_requests": list(talk.calls),
        }

    def _submit(self, body: dict[str, Any]) -> Reply:
        agent = self._agent(body["USED_AGENT_ID"])
        if agent.status in ENDED:
            return refusal(409, "time_over", "It is over.", status=agent.status)
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
