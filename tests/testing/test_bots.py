"""Bots against a small HTTP server that stands for the router: real sockets, a model behind them, faults."""

import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Any
from urllib.parse import urlsplit

import attrs
import hypercorn
import hypercorn.trio
import pytest
import trio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from crowdd.protocol.documents import canonical_json
from crowdd.protocol.names import AgentStatus, Reason, RunState, WorkerId
from crowdd.testing.bots import BotPlan, run_bots
from crowdd.testing.checker import check_history
from crowdd.testing.history import History, Invoke, Ok, Operation, Refused, Told, Unknown
from crowdd.testing.model import Denied, Given, Model, ModelStore, Reply
from crowdd.testing.tables import DAEMON_TABLES

PAGE = """<form><input type=radio name=digit value=4><input type=radio name=digit value=7>
<textarea name=why></textarea><input type=hidden name=secret><button name=go value=1>Go</button></form>"""

QUICK = BotPlan(workers=3, seed=7, arrive_s=0.05, think_s=0.02, no_work_tries_max=1)


@attrs.define(eq=False)
class FakeRouter:
    """Serves a model's run; `trouble` is the share of requests that are done but not answered."""

    model: Model
    rng: random.Random
    url: str = ""
    trouble: float = 0.0
    bodies: list[tuple[str, dict[str, Any]]] = attrs.Factory(list[tuple[str, dict[str, Any]]])
    hosts: Counter[str] = attrs.Factory(Counter[str])
    heard: list[dict[str, Any]] = attrs.Factory(list[dict[str, Any]])
    push: AgentStatus | None = None
    is_over: bool = False

    def app(self) -> Starlette:
        paths = ("request_agent", "submit_task", "submit_metadata", "return_unit", "log_error")
        posts = [Route(f"/{path}", self.post, methods=["POST"]) for path in paths]
        return Starlette(routes=[Route("/", self.page), *posts, WebSocketRoute("/", self.socket)])

    def links(self, count: int) -> list[str]:
        return [f"http://digits.localhost:{urlsplit(self.url).port}/?link=token-{n}" for n in range(count)]

    async def page(self, request: Request) -> Response:
        return HTMLResponse(PAGE)

    async def post(self, request: Request) -> Response:
        path, body = request.url.path.strip("/"), await request.json()
        self.hosts[request.headers["Host"]] += 1
        self.bodies.append((path, body))
        assert request.headers["X-Crowdd-Client"] == "1"
        reply = await self.reply(path, body)
        if self.rng.random() < self.trouble:
            return JSONResponse({"reason": "try_later"}, 503, {"Retry-After": "1"})
        return answer(path, reply)

    async def reply(self, path: str, body: dict[str, Any]) -> Reply:
        match path:
            case "request_agent" if self.is_over:
                return Denied(Reason.RUN_ENDED)
            case "request_agent":
                told = body["provider_data"]
                number = WorkerId(int(told["link"].removeprefix("token-")) + 1)
                return await self.model.register(number, told["link"], told["after"])
            case "submit_task":
                return await self.model.submit(body["USED_AGENT_ID"], canonical_json(body["final_data"]))
            case "submit_metadata":
                return await self.model.say(body["USED_AGENT_ID"], body["metadata"])
            case "return_unit":
                return await self.model.give_back(body["USED_AGENT_ID"])
            case _:
                return Given()

    async def socket(self, socket: WebSocket) -> None:
        await socket.accept()
        try:
            while True:
                packet = await socket.receive_json()
                self.heard.append(packet)
                if self.push is not None:
                    data = {"status": self.push.value}
                    push = {"packet_type": "update_status", "subject_id": packet["subject_id"], "data": data}
                    await socket.send_json(push)
        except WebSocketDisconnect:
            pass


def answer(path: str, reply: Reply) -> Response:
    words = {"submit_task": "Submitted!", "submit_metadata": "Submitted metadata", "return_unit": "Returned"}
    match reply:
        case Given(wire_id, finished) if path == "request_agent":
            data = {
                "agent_id": wire_id,
                "init_task_data": {"n": 1},
                "finished": finished,
                "status": "in task",
            }
            return JSONResponse({"packet_type": "agent_details", "data": data})
        case Given():
            return JSONResponse({"status": words.get(path, "Error log sent!")})
        case Denied(reason) if path == "request_agent":
            return JSONResponse({"data": {"agent_id": None, "reason": reason.value}}, 409)
        case Denied(reason):
            return JSONResponse({"reason": reason.value, "text": "no"}, 409)


@pytest.fixture
async def router() -> AsyncIterator[FakeRouter]:
    fake = FakeRouter(Model(ModelStore(assignments=4, units_per_assignment=2)), random.Random(5))
    config = hypercorn.Config()
    config.bind = ["127.0.0.1:0"]
    config.graceful_timeout = 0.1
    stop = trio.Event()
    async with trio.open_nursery() as nursery:
        binds = await nursery.start(_serve, fake.app(), config, stop)
        fake.url = binds[0]
        yield fake
        stop.set()


async def _serve(
    app: Starlette,
    config: hypercorn.Config,
    stop: trio.Event,
    task_status: trio.TaskStatus[list[str]] = trio.TASK_STATUS_IGNORED,
) -> None:
    await hypercorn.trio.serve(app, config, shutdown_trigger=stop.wait, task_status=task_status)  # type: ignore[arg-type]  # Starlette's own ASGI types


def _violations(router: FakeRouter, history: History) -> Sequence[object]:
    facts = router.model.store.facts()
    if router.is_over:
        facts = attrs.evolve(facts, run=attrs.evolve(facts.run, state=RunState.STOPPED))
    return check_history(history.entries, facts, DAEMON_TABLES)


def _answers(history: History, kind: type[Ok | Refused | Unknown]) -> int:
    return sum(isinstance(entry, kind) for entry in history.entries)


def _asked(history: History, operation: Operation) -> int:
    return sum(isinstance(entry, Invoke) and entry.operation is operation for entry in history.entries)


async def test_bots_do_all_the_work_there_is_and_go_home(router: FakeRouter) -> None:
    history = await run_bots(QUICK, router.links(3))
    assert len(router.model.store.submissions) == 8
    assert _violations(router, history) == []
    assert _answers(history, Unknown) == 0


async def test_bots_fill_in_the_form_of_the_page(router: FakeRouter) -> None:
    await run_bots(attrs.evolve(QUICK, workers=1), router.links(1))
    answers = [body["final_data"] for path, body in router.bodies if path == "submit_task"]
    assert {answer["digit"] for answer in answers} == {"4", "7"}
    assert all(set(answer) == {"digit", "why", "go"} for answer in answers)


async def test_bots_name_the_host_of_their_link_and_connect_to_the_loopback(router: FakeRouter) -> None:
    await run_bots(attrs.evolve(QUICK, workers=1), router.links(1))
    assert list(router.hosts) == [urlsplit(router.links(1)[0]).netloc]


async def test_bots_ask_again_until_they_are_answered(router: FakeRouter) -> None:
    router.trouble = 0.15
    history = await run_bots(attrs.evolve(QUICK, double=0.5), router.links(3))
    assert len(router.model.store.submissions) == 8
    assert _answers(history, Unknown) > 0
    assert _violations(router, history) == []


async def test_bots_do_all_that_people_do(router: FakeRouter) -> None:
    plan = attrs.evolve(QUICK, abandon=0.2, reload=1.0, double=1.0, error=1.0, metadata=1.0)
    history = await run_bots(plan, router.links(3))
    assert {path for path, _ in router.bodies} >= {"submit_task", "submit_metadata", "log_error"}
    assert _asked(history, Operation.SUBMIT) == 2 * len(router.model.store.submissions)
    assert _asked(history, Operation.REGISTER) > 2 * len(router.model.store.agents)
    assert _violations(router, history) == []


async def test_bots_give_units_back(router: FakeRouter) -> None:
    history = await run_bots(attrs.evolve(QUICK, give_back=1.0), router.links(3))
    agents = router.model.store.agents.values()
    assert {agent.status for agent in agents} == {AgentStatus.RETURNED}
    assert _asked(history, Operation.RETURN) == len(agents)
    assert _violations(router, history) == []


async def test_bots_with_one_link_for_two_share_its_agents(router: FakeRouter) -> None:
    history = await run_bots(attrs.evolve(QUICK, workers=2), router.links(1))
    assert len({agent.link for agent in router.model.store.agents.values()}) == 1
    assert _violations(router, history) == []


async def test_bots_say_on_the_socket_whose_it_is_and_note_what_they_are_told(router: FakeRouter) -> None:
    router.push = AgentStatus.IN_TASK
    history = await run_bots(
        attrs.evolve(QUICK, workers=1, think_s=0.3, abandon=0, metadata=0), router.links(1)
    )
    known = {agent.wire_id for agent in router.model.store.agents.values()}
    assert {packet["packet_type"] for packet in router.heard} == {"alive"}
    assert {packet["subject_id"] for packet in router.heard} <= known
    assert {entry.status for entry in history.entries if isinstance(entry, Told)} == {AgentStatus.IN_TASK}


async def test_a_bot_goes_home_when_the_run_has_ended(router: FakeRouter) -> None:
    router.is_over = True
    history = await run_bots(attrs.evolve(QUICK, no_work_tries_max=100), router.links(3))
    assert _asked(history, Operation.REGISTER) == _answers(history, Refused) == 3
    assert _violations(router, history) == []


async def test_a_bot_gives_up_on_a_router_that_is_not_there() -> None:
    plan = BotPlan(unreachable_s_max=0.5)
    history = await run_bots(plan, ["http://127.0.0.1:9/?link=x"])
    assert {entry.why for entry in history.entries if isinstance(entry, Unknown)} >= {"gave up"}


async def test_the_same_seed_thinks_and_answers_the_same(router: FakeRouter) -> None:
    await run_bots(attrs.evolve(QUICK, workers=1, think_s=0), router.links(1))
    first = [body["final_data"] for path, body in router.bodies if path == "submit_task"]
    router.model = Model(ModelStore(assignments=4, units_per_assignment=2))
    router.bodies.clear()
    await run_bots(attrs.evolve(QUICK, workers=1, think_s=0), router.links(1))
    assert [body["final_data"] for path, body in router.bodies if path == "submit_task"] == first


@pytest.mark.parametrize("link", ["", "digits", "ftp://digits.localhost/"])
async def test_a_link_that_is_no_address_of_a_page_is_refused(link: str) -> None:
    with pytest.raises(ValueError, match="not the address of a page"):
        await run_bots(BotPlan(), [link])
