"""POSTs of which all is here: answered without a task, and otherwise as any other."""

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import attrs
import pytest
import trio
import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import Scope
from uvicorn.server import ServerState

from crowdd.protocol.documents import dump_json
from crowdd.router import json_posts, posts
from crowdd.router.addresses import Proxies
from crowdd.router.at_once import Take, behind_proxies
from crowdd.router.commands import HttpAnswer
from crowdd.router.connections import Connections
from crowdd.router.http_protocol import BoundedProtocol
from crowdd.router.limits import PIPELINED_MAX

from .conftest import App, OpenApp
from .daemon import Daemon, linked_in_memory
from .kit import agent_id
from .test_app import BAD_BODIES, asgi_scope

ANSWER = HttpAnswer(200, {"status": "Submitted!"})
HEAD = b"POST /submit_task HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
WHOLE = HEAD + b"\r\n{}"
SUBMISSION = dump_json({"USED_AGENT_ID": agent_id(), "final_data": {"label": 7}})


@attrs.define(eq=False)
class Pipe(asyncio.Transport):
    """A connection whose other side tests play."""

    said: bytes = b""
    closing: bool = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("192.0.2.7", 4000) if name == "peername" else default

    def write(self, data: Any) -> None:
        self.said += data

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True

    abort = close

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


@attrs.define(eq=False)
class Line:
    """One connection to a server whose application says "asgi", and what it was given to take."""

    takes: bool = True
    taken: list[tuple[bytes, Callable[[HttpAnswer], None]]] = attrs.Factory(
        list[tuple[bytes, Callable[[HttpAnswer], None]]]
    )
    pipe: Pipe = attrs.Factory(Pipe)
    state: ServerState = attrs.Factory(ServerState)
    protocol: BoundedProtocol = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        config = uvicorn.Config(PlainTextResponse("asgi"), log_config=None, access_log=False)
        take: Take = self._take
        self.protocol = BoundedProtocol(
            Connections(9, Proxies([])), take, config=config, server_state=self.state, app_state={}
        )
        self.protocol.access_log = False
        self.protocol.connection_made(self.pipe)

    def _take(self, scope: Scope, body: bytes, answered: Callable[[HttpAnswer], None]) -> bool:
        if self.takes:
            self.taken.append((body, answered))
        return self.takes

    def answer(self, answer: HttpAnswer = ANSWER) -> None:
        """The first that was taken gets its answer."""
        self.taken.pop(0)[1](answer)

    async def settled(self) -> bytes:
        """What was said once every task is through."""
        while self.state.tasks:
            await asyncio.gather(*self.state.tasks)
        return self.pipe.said


Story = Callable[[Line], Awaitable[None]]


def told(story: Story) -> Callable[[], None]:
    """A story of one connection, in a loop of its own."""

    @functools.wraps(story)
    def run() -> None:
        async def tell() -> None:
            await story(Line())

        asyncio.run(tell())

    del run.__wrapped__  # pytest would ask for a fixture of that name
    return run


@told
async def test_what_is_here_whole_is_answered_in_one_piece_and_without_a_task(line: Line) -> None:
    line.protocol.data_received(WHOLE)
    assert [body for body, _ in line.taken] == [b"{}"]
    line.answer(HttpAnswer(503, {"reason": "try_later"}, 30))
    head, _, body = line.pipe.said.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert {b"retry-after: 30", b"content-length: 22", b"cache-control: no-store"} <= set(head.split(b"\r\n"))
    assert body == b'{"reason":"try_later"}'
    assert not line.state.tasks


@told
async def test_what_comes_in_parts_is_asgi_s(line: Line) -> None:
    line.protocol.data_received(WHOLE[:-1])
    line.protocol.data_received(WHOLE[-1:])
    assert (await line.settled()).endswith(b"asgi")
    assert not line.taken


@told
async def test_what_is_not_taken_is_asgi_s(line: Line) -> None:
    line.takes = False
    line.protocol.data_received(WHOLE)
    assert (await line.settled()).endswith(b"asgi")


@told
async def test_who_waits_to_be_asked_for_the_body_is_asked(line: Line) -> None:
    line.protocol.data_received(HEAD + b"Expect: 100-continue\r\n\r\n{}")
    assert (await line.settled()).endswith(b"asgi")


@told
async def test_requests_that_come_together_are_answered_in_their_order(line: Line) -> None:
    line.protocol.data_received(WHOLE * 3)
    await asyncio.sleep(0)
    assert not line.pipe.said
    line.answer()
    assert (await line.settled()).count(b"Submitted!") == 1
    assert line.pipe.said.count(b"asgi") == 2
    line.protocol.data_received(WHOLE)
    line.answer()
    assert line.pipe.said.endswith(b'{"status":"Submitted!"}')


@told
async def test_requests_that_pile_up_behind_one_are_answered_by_the_application(line: Line) -> None:
    line.protocol.data_received(WHOLE * (1 + PIPELINED_MAX))
    line.answer()
    assert (await line.settled()).count(b"asgi") == PIPELINED_MAX


@told
async def test_who_has_left_is_told_nothing(line: Line) -> None:
    line.protocol.data_received(WHOLE)
    line.protocol.connection_lost(None)
    line.answer()
    assert not await line.settled()


@told
async def test_who_wants_the_connection_to_end_is_told_that_it_does(line: Line) -> None:
    line.protocol.data_received(HEAD + b"Connection: close\r\n\r\n{}")
    line.answer()
    said = await line.settled()
    assert b"connection: close" in said
    assert said.endswith(b'{"status":"Submitted!"}')
    assert line.pipe.closing


@told
async def test_who_takes_nothing_is_told_once_it_does(line: Line) -> None:
    line.protocol.data_received(WHOLE)
    line.protocol.pause_writing()
    line.answer()
    await asyncio.sleep(0)
    assert not line.pipe.said
    line.protocol.resume_writing()
    assert (await line.settled()).endswith(b'{"status":"Submitted!"}')


@told
async def test_an_answer_that_cannot_be_said_ends_its_connection_and_nothing_else(line: Line) -> None:
    line.protocol.data_received(WHOLE)
    line.answer(HttpAnswer(200, {"strange": object()}))
    assert line.pipe.closing


@told
async def test_a_request_behind_which_nonsense_follows_is_not_taken(line: Line) -> None:
    line.protocol.data_received(WHOLE + b"\x00\x00\r\n\r\n")
    assert line.pipe.closing
    assert not line.pipe.said, "it would be taken for the answer to what came whole"
    assert not line.taken


def test_behind_a_proxy_who_asks_is_whom_it_names() -> None:
    seen = list[Scope]()

    def take(scope: Scope, body: bytes, answered: Callable[[HttpAnswer], None]) -> bool:
        seen.append(scope)
        return True

    scope = asgi_scope("POST", "/submit_task")
    scope["headers"] += [(b"x-forwarded-for", b"192.0.2.9"), (b"x-forwarded-proto", b"https")]
    assert behind_proxies(take, ["10.0.0.1"])(scope, b"", lambda _: None)
    assert behind_proxies(take, ["10.0.0.2"])(scope, b"", lambda _: None)
    assert [(each["client"][0], each["scheme"]) for each in seen] == [
        ("192.0.2.9", "https"),
        ("10.0.0.1", "http"),
    ]


# What is taken, and what is said to it.


def take(app: App, path: str, body: bytes, headers: Mapping[bytes, bytes] = {}) -> list[HttpAnswer] | None:
    """The answers as they come; None: it is not taken."""
    scope = asgi_scope("POST", path)
    scope["headers"] += list(headers.items())
    answers = list[HttpAnswer]()
    take: Take = app.asgi.take  # type: ignore[attr-defined]
    return answers if take(scope, body, answers.append) else None


async def test_a_submission_is_answered_once_the_daemon_has_it(open_app: OpenApp) -> None:
    daemon = Daemon()
    async with open_app() as app, linked_in_memory(daemon, app.run.desk):
        answers = take(app, "/submit_task", SUBMISSION)
        assert answers == []
        await trio.testing.wait_all_tasks_blocked()
        assert answers == [ANSWER]
        assert len(daemon.heard) == 1


@pytest.mark.parametrize(("path", "body"), BAD_BODIES)
async def test_a_bad_body_is_refused_as_by_asgi(open_app: OpenApp, path: str, body: bytes) -> None:
    async with open_app() as app:
        (answer,) = take(app, path, body) or []
        asgi = await app.client.post(path, content=body)
        assert (answer.status, answer.body) == (asgi.status_code, asgi.json())
        assert app.run.desk.run.counters["refused_bad_request"] == 2


async def test_bodies_that_wait_for_the_daemon_take_room_until_they_are_answered(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posts, "BODIES_BYTES_MAX", len(SUBMISSION))
    monkeypatch.setattr(posts, "BODIES_SHARES", 1)
    async with open_app() as app, linked_in_memory(Daemon(), app.run.desk):
        answers = take(app, "/submit_task", SUBMISSION)
        assert take(app, "/submit_task", SUBMISSION) is None
        await trio.testing.wait_all_tasks_blocked()
        assert answers == [ANSWER]
        assert take(app, "/submit_task", SUBMISSION) is not None


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/submit_task", {b"content-type": b"multipart/form-data; boundary=x"}),
        ("/submit_task", {b"origin": b"https://elsewhere.example"}),
        ("/submit_task", {b"sec-fetch-site": b"cross-site"}),
        ("/unknown", {}),
        ("/run/gone/submit_task", {}),
        ("/_crowdd/runs/digits", {}),
    ],
)
async def test_anything_else_is_not_taken(
    open_app: OpenApp, path: str, headers: Mapping[bytes, bytes]
) -> None:
    async with open_app(shared_origin=True) as app:
        assert take(app, path, SUBMISSION, headers) is None


async def test_a_body_over_its_limit_is_not_taken(open_app: OpenApp) -> None:
    async with open_app() as app:
        assert take(app, "/request_agent", b" " * (json_posts.SMALL_BODY_BYTES_MAX + 1)) is None


def a_fault(*_: object) -> None:
    raise ZeroDivisionError


async def test_a_fault_of_ours_is_said_logged_and_takes_no_room(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(posts, "BODIES_BYTES_MAX", len(SUBMISSION))
    monkeypatch.setattr(posts, "BODIES_SHARES", 1)
    async with open_app() as app, linked_in_memory(Daemon(), app.run.desk):
        with monkeypatch.context() as broken, caplog.at_level(logging.ERROR):
            broken.setattr(app.run.desk.run, "ask", a_fault)
            (answer,) = take(app, "/submit_task", SUBMISSION) or []
        assert (answer.status, answer.body["reason"]) == (500, "router_error")
        assert "ZeroDivisionError" in caplog.text
        assert take(app, "/submit_task", SUBMISSION) == []
