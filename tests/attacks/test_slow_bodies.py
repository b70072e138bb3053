"""SEC9: bodies that only come to hold a place."""

import contextlib
from collections.abc import AsyncGenerator
from functools import partial
from typing import Any

import httpx
import pytest
import trio
import trio.testing

from crowdd.router import bodies, posts
from crowdd.router.limits import (
    BODY_BYTES_PER_S_MIN,
    BODY_SILENT_S,
    BODY_TOTAL_S,
    FORMS_OPEN_MAX,
    FORMS_SHARES,
)

from ..router.conftest import OpenApp, open_app
from ..router.daemon import Daemon, linked_in_memory
from ..router.kit import Part, agent_id, form_of

__all__ = ["open_app"]

FORM = {"Content-Type": "multipart/form-data; boundary=XX"}
PARTS = [
    Part("clip", b"0123456789" * 100, "clip.webm", "video/webm"),
    Part("USED_AGENT_ID", agent_id().encode()),
    Part("final_string_data", b"{}"),
]


async def drip(body: bytes, each_s: float, piece: int = 1) -> AsyncGenerator[bytes]:
    for at in range(0, len(body), piece):
        yield body[at : at + piece]
        await trio.sleep(each_s)


async def sent(app: Any, content: AsyncGenerator[bytes], **headers: str) -> tuple[httpx.Response, float]:
    """The answer, and after how many seconds of virtual time it came."""
    began = trio.current_time()
    async with contextlib.aclosing(content):
        answer = await app.client.post("/submit_task", content=content, headers=headers)
    return answer, trio.current_time() - began


async def test_sec9_a_body_that_trickles_is_given_up(
    open_app: OpenApp, autojump_clock: trio.testing.MockClock
) -> None:
    async with open_app() as app, linked_in_memory(Daemon(), app.run.desk):
        slow = b'{"USED_AGENT_ID": "' + agent_id().encode() + b'", "final_data": {}}'
        answer, after_s = await sent(app, drip(slow, each_s=BODY_SILENT_S - 1))
        assert (answer.status_code, answer.json()["reason"]) == (408, "too_slow")
        assert after_s < 2 * BODY_SILENT_S


@pytest.mark.parametrize(("rate", "too_slow"), [(0.5, True), (0.9, True), (1.1, False)])
async def test_sec9_a_body_may_come_so_slowly_and_no_slower(
    open_app: OpenApp, autojump_clock: trio.testing.MockClock, rate: float, too_slow: bool
) -> None:
    async with open_app() as app:
        size = int(BODY_BYTES_PER_S_MIN * BODY_SILENT_S * 20)
        body = b'{"USED_AGENT_ID": "%s", "final_data": "%s"}' % (agent_id().encode(), b"x" * size)
        piece = int(BODY_BYTES_PER_S_MIN * rate)
        answer, _ = await sent(app, drip(body, each_s=1.0, piece=piece))
        assert (answer.status_code == 408) is too_slow


async def test_sec9_no_body_takes_for_ever(open_app: OpenApp, autojump_clock: trio.testing.MockClock) -> None:
    async with open_app() as app, linked_in_memory(Daemon(), app.run.desk):
        size = int(BODY_BYTES_PER_S_MIN * 2 * BODY_TOTAL_S * 2)
        answer, after_s = await sent(app, drip(b"x" * size, 1.0, int(BODY_BYTES_PER_S_MIN * 2)))
        assert answer.status_code == 408
        assert after_s <= BODY_TOTAL_S + 1


async def test_sec9_forms_that_trickle_keep_no_honest_form_waiting(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posts, "UPLOAD_TURN_S", 0.01)
    body = form_of(PARTS, "XX")

    async def stalling() -> AsyncGenerator[bytes]:
        yield body[:200]
        await trio.sleep_forever()

    async with open_app() as app, linked_in_memory(Daemon(), app.run.desk), trio.open_nursery() as hostile:
        for _ in range(FORMS_OPEN_MAX // FORMS_SHARES - 1):
            hostile.start_soon(partial(app.client.post, "/submit_task", content=stalling(), headers=FORM))
        await trio.sleep(0.2)
        answer = await app.client.post("/submit_task", content=body, headers=FORM)
        assert answer.status_code == 200
        hostile.cancel_scope.cancel()


@pytest.mark.parametrize(("open_already", "status"), [(1, 200), (2, 503)])
async def test_sec9_one_address_has_so_many_forms_open_and_no_more(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch, open_already: int, status: int
) -> None:
    monkeypatch.setattr(posts, "FORMS_OPEN_MAX", 2 * FORMS_SHARES)
    monkeypatch.setattr(posts, "UPLOAD_TURN_S", 0.01)
    body = form_of(PARTS, "XX")
    stalled = trio.Event()

    async def stalling() -> AsyncGenerator[bytes]:
        stalled.set()
        await trio.sleep_forever()
        yield b""

    async with open_app() as app, linked_in_memory(Daemon(), app.run.desk), trio.open_nursery() as hostile:
        for _ in range(open_already):
            stalled = trio.Event()
            hostile.start_soon(partial(app.client.post, "/submit_task", content=stalling(), headers=FORM))
            await stalled.wait()
        answer = await app.client.post("/submit_task", content=body, headers=FORM)
        assert answer.status_code == status
        hostile.cancel_scope.cancel()


async def test_a_place_that_is_given_back_goes_to_who_waits(autojump_clock: trio.testing.MockClock) -> None:
    places = bodies.Places(4, 4)
    await places.take("a")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(places.take, "a")
        await trio.testing.wait_all_tasks_blocked()
        places.give_back("a")
