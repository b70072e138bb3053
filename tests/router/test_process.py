"""A real router process, real sockets, and a scripted daemon that comes and goes."""

import contextlib
import json
import os
import re
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeGuard

import httpx
import pytest
import trio
from trio.socket import SocketType
from trio_websocket import ConnectionClosed, ConnectionRejected, WebSocketConnection

from crowdd.protocol.codec import encode_frame
from crowdd.protocol.errors import LinkRefusal
from crowdd.protocol.limits import (
    SOCKET_PACKETS_BURST_MAX,
    SOCKET_PACKETS_PER_S_MAX,
    STREAM_UNACKED_MAX,
)
from crowdd.protocol.link import Heard
from crowdd.protocol.names import AgentStatus, Reason, WireId
from crowdd.protocol.packets import (
    Alive,
    Hello,
    MephistoBoundLiveUpdate,
    RegisterAgent,
    RequestStatuses,
    ReturnStatuses,
    ReturnUnit,
    SubmitUnit,
    UpdateStatus,
)

from .conftest import PAGES, Process
from .daemon import Daemon, deploy, linked, open_link, proof, until_closed
from .kit import Part, agent_id, bundle_of, done, form_of, packet
from .sockets import PATIENCE_S, open_websocket

pytestmark = pytest.mark.system
NEVER_KEPT = ("crowdd.router.keeping", "RELAY_S", 3600.0)  # a slow machine's router waits for its daemon, too
SUBMISSION = {"USED_AGENT_ID": agent_id(), "final_data": {"label": 7}}
REGISTRATION = {
    "provider_data": {"worker_name": "ann", "agent_registration_id": "a-ann", "assignment_id": "a"}
}


def browser(router: Process) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=router.url, trust_env=False, timeout=20)


@asynccontextmanager
async def page_socket(
    router: Process, origin: str | None = "own", path: str = "/"
) -> AsyncGenerator[WebSocketConnection]:
    """A page's websocket, from the run's own origin unless said otherwise."""
    named = router.url if origin == "own" else origin
    headers = [(b"Origin", named.encode())] if named is not None else []
    async with open_websocket(router.url, path, headers) as socket:
        yield socket


async def told(socket: WebSocketConnection) -> dict[str, Any]:
    with trio.fail_after(PATIENCE_S):
        message: dict[str, Any] = json.loads(await socket.get_message())
    return message


async def closed_with(socket: WebSocketConnection) -> int | None:
    with trio.fail_after(PATIENCE_S):
        try:
            while True:
                await socket.get_message()
        except ConnectionClosed as exc:
            return exc.reason.code if exc.reason else None


async def deployed(router: Process) -> None:
    router.start()
    async with browser(router) as client:
        assert (await deploy(client, bundle_of(PAGES))).status_code == 200


async def test_a_static_unit_from_page_to_saved(router_process: Process) -> None:
    await deployed(router_process)
    daemon = Daemon()
    async with linked(daemon, router_process.url), browser(router_process) as client:
        assert (await client.get("/")).content == PAGES["index.html"]
        details = (await client.post("/request_agent", json=REGISTRATION)).json()["data"]
        assert details["agent_id"] == agent_id()
        assert (await client.post("/submit_task", json=SUBMISSION)).json() == {"status": "Submitted!"}
        metadata = {"USED_AGENT_ID": agent_id(), "metadata": {"post_task": {"hard": "no"}}}
        assert (await client.post("/submit_metadata", json=metadata)).json() == {
            "status": "Submitted metadata"
        }
        error = {"USED_AGENT_ID": agent_id(), "error_data": {"message": "x"}}
        assert (await client.post("/log_error", json=error)).json() == {"status": "Error log sent!"}


async def test_an_upload_crosses_beside_the_link(router_process: Process) -> None:
    router_process.limits.append(NEVER_KEPT)
    await deployed(router_process)
    daemon = Daemon(script=lambda packet: [])
    content = os.urandom(3_000_000)
    parts = [
        Part("clip", content, "../clip.webm", "video/webm"),
        Part("USED_AGENT_ID", agent_id().encode()),
        Part("final_string_data", b"{}"),
    ]
    answers: list[httpx.Response] = []
    async with linked(daemon, router_process.url), browser(router_process) as client:

        async def submit() -> None:
            headers = {"Content-Type": "multipart/form-data; boundary=XX"}
            answers.append(await client.post("/submit_task", content=form_of(parts, "XX"), headers=headers))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(submit)
            await daemon.hears(SubmitUnit)
            (asked,) = daemon.asked
            assert isinstance(asked, SubmitUnit)
            path = f"/_crowdd/runs/digits/files/{asked.files[0].sha256}"
            async with browser(router_process) as other:
                fetched = await other.get(path, headers=proof("GET", path))
            daemon.say(done(asked.request))
    assert fetched.content == content
    assert fetched.headers["content-disposition"] == "attachment"
    assert answers[0].status_code == 200
    assert not list((Path(router_process.facts["folder"]) / "runs/digits/files").iterdir())


async def test_what_waits_for_an_absent_daemon_is_answered_when_it_returns(router_process: Process) -> None:
    await deployed(router_process)
    daemon = Daemon()
    answers: list[httpx.Response] = []
    async with browser(router_process) as client:
        async with linked(daemon, router_process.url):
            await client.post("/request_agent", json=REGISTRATION)

        async def post(path: str, body: dict[str, Any]) -> None:
            answers.append(await client.post(path, json=body))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(post, "/return_unit", {"USED_AGENT_ID": agent_id()})
            nursery.start_soon(post, "/request_agent", REGISTRATION)
            await trio.sleep(0.2)
            assert answers == []
            async with linked(daemon, router_process.url):
                await daemon.hears(ReturnUnit)
                await daemon.hears(RegisterAgent, 2)
                with trio.fail_after(PATIENCE_S):
                    while len(answers) < 2:
                        await trio.sleep(0.01)
    assert {answer.status_code for answer in answers} == {200}


async def test_a_request_that_the_daemon_died_on_is_repeated_to_the_next_one(router_process: Process) -> None:
    await deployed(router_process)
    first, second = Daemon(script=lambda packet: []), Daemon(epoch=2)
    answer = await died_on(router_process, "/request_agent", REGISTRATION, RegisterAgent, first, second)
    assert answer["data"]["agent_id"] == agent_id()
    assert first.asked == second.asked


async def test_an_answer_that_the_daemon_died_on_comes_to_the_next_one(router_process: Process) -> None:
    """Repeated, or kept meanwhile and delivered: that is a matter of how soon the next one comes."""
    await deployed(router_process)
    first, second = Daemon(script=lambda packet: []), Daemon(epoch=2)
    answer = await died_on(router_process, "/submit_task", SUBMISSION, SubmitUnit, first, second)
    assert answer == {"status": "Submitted!"}
    assert [submitted_in(asked) for asked in first.asked] == [(agent_id(), {"label": 7})]
    assert {str(submitted_in(asked)) for asked in second.asked} == {str((agent_id(), {"label": 7}))}


async def died_on(
    router: Process, path: str, body: dict[str, Any], kind: type[Heard], first: Daemon, second: Daemon
) -> Any:
    """What a page is answered that asks the first daemon, which dies, when the second one has come."""
    answers: list[Any] = []

    async def ask() -> None:
        answers.append((await client.post(path, json=body)).json())

    async with browser(router) as client, trio.open_nursery() as nursery:
        async with linked(first, router.url):
            nursery.start_soon(ask)
            await first.hears(kind)
        async with linked(second, router.url):
            await second.hears(kind)
            with trio.fail_after(PATIENCE_S):
                while not answers:
                    await trio.sleep(0.01)
    return answers[0]


def submitted_in(heard: Heard) -> tuple[WireId, Any]:
    assert isinstance(heard, SubmitUnit)
    return heard.subject, heard.final_data


async def test_a_killed_router_comes_back_with_its_pages_and_its_judgement(router_process: Process) -> None:
    await deployed(router_process)
    async with linked(Daemon(), router_process.url):
        pass
    router_process.kill()
    router_process.start()
    async with browser(router_process) as client:
        assert (await client.get("/bundle.js")).content == PAGES["bundle.js"]
        forged = SUBMISSION | {"USED_AGENT_ID": agent_id(1, b"x" * 32)}
        assert (await client.post("/submit_task", json=forged)).status_code == 404
        daemon = Daemon(epoch=2)
        async with linked(daemon, router_process.url):
            assert (await client.post("/submit_task", json=SUBMISSION)).status_code == 200


async def test_sigterm_answers_those_who_wait_and_ends_with_0(router_process: Process) -> None:
    router_process.limits.append(NEVER_KEPT)
    await deployed(router_process)
    daemon = Daemon(script=lambda packet: [])
    answers: list[httpx.Response] = []
    async with (
        linked(daemon, router_process.url),
        browser(router_process) as client,
        page_socket(router_process) as socket,
    ):
        await socket.send_message(packet("alive", agent_id()).decode())
        async with trio.open_nursery() as nursery:

            async def submit() -> None:
                answers.append(await client.post("/submit_task", json=SUBMISSION))

            nursery.start_soon(submit)
            await daemon.hears(SubmitUnit)
            assert router_process.process is not None
            router_process.process.send_signal(signal.SIGTERM)
            assert await closed_with(socket) in (1001, 1012)
        assert await router_process.ended() == 0
    assert (answers[0].status_code, answers[0].json()["reason"]) == (503, "try_later")


async def test_a_router_without_a_daemon_ends_itself(router_process: Process) -> None:
    router_process.facts["orphan_after_s"] = 0.5
    router_process.start()
    assert await router_process.ended() == 0


async def test_two_routers_do_not_share_a_folder(router_process: Process) -> None:
    router_process.start()
    second = Process(router_process.facts, router_process.ready_file)
    with pytest.raises(AssertionError):
        second.start()
    assert await second.ended() == 1
    second.kill()


# The link.


async def test_a_daemon_without_the_secret_gets_no_link(router_process: Process) -> None:
    await deployed(router_process)
    with pytest.raises(LinkRefusal):
        async with linked(Daemon(secret=b"x" * 32), router_process.url):
            pass
    await a_daemon_can_link(router_process)


async def a_daemon_can_link(router: Process) -> None:
    async with linked(Daemon(epoch=5), router.url), browser(router) as client:
        assert (await client.post("/request_agent", json=REGISTRATION)).status_code == 200


async def test_a_daemon_of_another_run_gets_no_link_to_this_one(router_process: Process) -> None:
    await deployed(router_process)
    async with open_link(router_process.url, "digits") as frames:
        with pytest.raises(LinkRefusal):
            await Daemon().shake_hands("other", frames)


async def test_browsers_get_no_link(router_process: Process) -> None:
    await deployed(router_process)
    for origin in (router_process.url, "http://evil.org", "null"):
        with pytest.raises(ConnectionRejected) as rejected:
            async with open_link(router_process.url, "digits", [(b"Origin", origin.encode())]):
                pass
        assert rejected.value.status_code == 403


async def test_a_large_bundle_without_proof_is_answered_all_the_same(router_process: Process) -> None:
    await deployed(router_process)
    async with browser(router_process) as client:
        path = f"/_crowdd/runs/digits/bundle/{'a' * 64}"
        assert (await client.put(path, content=bytes(20_000_000))).status_code == 401


async def test_a_recorded_hello_proves_nothing_the_second_time(router_process: Process) -> None:
    await deployed(router_process)
    said: list[bytes] = []

    class Recorder:
        def __init__(self, inner: Any) -> None:
            self.inner = inner

        async def send(self, frame: bytes) -> None:
            said.append(frame)
            await self.inner.send(frame)

        async def receive(self) -> bytes:
            return bytes(await self.inner.receive())

    async with open_link(router_process.url, "digits") as frames:
        await Daemon().shake_hands("digits", Recorder(frames))
    async with open_link(router_process.url, "digits") as frames:
        await frames.send(said[0])
        await frames.receive()
        await frames.send(said[1])
        with pytest.raises(ConnectionClosed):
            await until_closed(frames)
    await a_daemon_can_link(router_process)


@pytest.mark.parametrize(
    "frame",
    [
        encode_frame([RegisterAgent("r", {})]),
        encode_frame([UpdateStatus(agent_id(), 99, AgentStatus.COMPLETED)]),
        encode_frame([Hello(3, [1], "digits", b"n" * 32, 1, b"proof", b"k" * 32)]),
        b"\xc1",
        b"",
    ],
)
async def test_nothing_is_heard_before_the_proof(router_process: Process, frame: bytes) -> None:
    await deployed(router_process)
    async with linked(Daemon(), router_process.url), page_socket(router_process) as socket:
        await socket.send_message(packet("alive", agent_id()).decode())
        async with open_link(router_process.url, "digits") as frames:
            await frames.send(frame)
            with pytest.raises(ConnectionClosed):
                await until_closed(frames)
        await socket.send_message(packet("heartbeat", agent_id()).decode())
        assert (await told(socket))["data"]["status"] == "none"


async def test_a_later_link_of_the_daemon_replaces_the_earlier_one(router_process: Process) -> None:
    await deployed(router_process)
    first, second = Daemon(), Daemon(epoch=2)
    async with open_link(router_process.url, "digits") as frames:
        await first.shake_hands("digits", frames)
        async with linked(second, router_process.url), browser(router_process) as client:
            with pytest.raises(ConnectionClosed):
                await until_closed(frames)
            assert (await client.post("/submit_task", json=SUBMISSION)).status_code == 200
            await second.hears(SubmitUnit)


async def test_a_daemon_that_lost_its_lease_cannot_take_the_link_back(router_process: Process) -> None:
    await deployed(router_process)
    newer = Daemon(epoch=9)
    async with linked(newer, router_process.url), browser(router_process) as client:
        async with open_link(router_process.url, "digits") as frames:
            with pytest.raises(LinkRefusal, match="started later"):
                await Daemon(epoch=8).shake_hands("digits", frames)
        assert (await client.post("/submit_task", json=SUBMISSION)).status_code == 200


async def test_the_link_speaks_its_subprotocol_only(router_process: Process) -> None:
    await deployed(router_process)
    with pytest.raises(ConnectionRejected) as rejected:
        async with open_websocket(router_process.url, "/_crowdd/link/digits"):
            pass
    assert rejected.value.status_code == 400


# Sockets of pages.


async def test_a_pages_socket_hears_statuses_and_heartbeats(router_process: Process) -> None:
    await deployed(router_process)
    daemon = Daemon()
    async with (
        linked(daemon, router_process.url, statuses={agent_id(): "waiting"}),
        page_socket(router_process) as socket,
    ):
        await socket.send_message(packet("alive", agent_id()).decode())
        assert (await told(socket))["data"] == {"status": "waiting"}
        await daemon.hears(Alive)
        daemon.say(UpdateStatus(agent_id(), 1, AgentStatus.IN_TASK))
        assert (await told(socket))["data"] == {"status": "in task"}
        await socket.send_message(packet("heartbeat", agent_id(), client_timestamp=1000.5).decode())
        beat = await told(socket)
        assert beat["packet_type"] == "heartbeat"
        assert abs(beat["data"]["last_mephisto_ping"] - 1_000_500) < 5_000
        daemon.say(RequestStatuses())
        await daemon.hears_that(lambda heard: isinstance(heard, ReturnStatuses) and not heard.partial)
        reports = [heard.presence for heard in daemon.heard if isinstance(heard, ReturnStatuses)]
        assert [news for news in reports if news] == [{agent_id(): "present"}]  # once: asked, or before that


async def test_live_updates_cross_in_both_directions(router_process: Process) -> None:
    await deployed(router_process)
    daemon = Daemon()
    async with linked(daemon, router_process.url), page_socket(router_process) as socket:
        daemon.update(agent_id(), {"update_id": "d1", "text": "hello page"})
        await socket.send_message(packet("heartbeat", agent_id()).decode())
        packets = [await told(socket), await told(socket)]
        updates = [p["data"] for p in packets if p["packet_type"] == "client_bound_live_update"]
        assert updates == [{"update_id": "d1", "text": "hello page"}]
        data = {"update_id": "p1", "text": "hello daemon"}
        await socket.send_message(packet("mephisto_bound_live_update", agent_id(), data).decode())
        await daemon.hears(MephistoBoundLiveUpdate)
        (update,) = (heard for heard in daemon.heard if isinstance(heard, MephistoBoundLiveUpdate))
        assert (update.subject, update.update) == (agent_id(), data)


async def test_updates_of_any_size_reach_a_page_whole_and_in_order(router_process: Process) -> None:
    await deployed(router_process)
    daemon = Daemon()
    async with linked(daemon, router_process.url), page_socket(router_process) as socket:
        await socket.send_message(packet("alive", agent_id()).decode())
        await daemon.hears(Alive)
        texts = ["x" * size for size in (1, 200, 70_000, 300_000, 1)]
        for text in texts:
            daemon.update(agent_id(), {"text": text})
        packets = [await told(socket) for _ in texts]
        assert [packet["data"]["text"] for packet in packets] == texts


@pytest.mark.parametrize("origin", ["http://evil.org", "null", None, "http://127.0.0.1:1"])
async def test_only_the_runs_own_pages_may_connect(router_process: Process, origin: str | None) -> None:
    await deployed(router_process)
    with pytest.raises(ConnectionRejected) as rejected:
        async with page_socket(router_process, origin):
            pass
    assert rejected.value.status_code == 403


async def test_a_socket_anywhere_else_is_not_found(router_process: Process) -> None:
    await deployed(router_process)
    with pytest.raises(ConnectionRejected) as rejected:
        async with page_socket(router_process, path="/elsewhere"):
            pass
    assert rejected.value.status_code == 404


async def test_a_browser_that_claims_to_be_the_daemon_is_struck_out_and_others_go_on(
    router_process: Process,
) -> None:
    await deployed(router_process)
    daemon = Daemon()
    async with linked(daemon, router_process.url), page_socket(router_process) as honest:
        await honest.send_message(packet("alive", agent_id(2)).decode())
        async with page_socket(router_process) as hostile:
            await hostile.send_message(packet("alive", "mephisto").decode())
            await hostile.send_message(packet("update_status", agent_id(2), {"status": "completed"}).decode())
            await hostile.send_message(packet("request_statuses", "mephisto").decode())
            assert await closed_with(hostile) == 1008
        daemon.say(UpdateStatus(agent_id(2), 1, AgentStatus.IN_TASK))
        assert (await told(honest))["data"] == {"status": "in task"}
        assert [heard.subject for heard in daemon.heard if isinstance(heard, Alive)] == [agent_id(2)]


async def test_a_huge_frame_ends_its_socket_and_no_other(router_process: Process) -> None:
    await deployed(router_process)
    async with linked(Daemon(), router_process.url), page_socket(router_process) as honest:
        async with page_socket(router_process) as hostile:
            with contextlib.suppress(ConnectionClosed):
                await hostile.send_message("x" * 300_000)
            assert await closed_with(hostile) == 1009
        await honest.send_message(packet("heartbeat", agent_id()).decode())
        assert (await told(honest))["packet_type"] == "heartbeat"


async def test_binary_nonsense_is_a_bad_packet(router_process: Process) -> None:
    await deployed(router_process)
    async with linked(Daemon(), router_process.url), page_socket(router_process) as socket:
        await socket.send_message(b"\x00\xff")
        assert (await told(socket))["packet_type"] == "error"


async def test_a_page_that_reads_nothing_delays_nobody(router_process: Process) -> None:
    await deployed(router_process)
    daemon = Daemon()
    slow, quick = agent_id(1), agent_id(2)
    async with linked(daemon, router_process.url), page_socket(router_process) as reading:
        await reading.send_message(packet("alive", quick).decode())
        async with raw_page(router_process, slow):
            await daemon.hears(Alive, 2)
            for number in range(STREAM_UNACKED_MAX):
                daemon.update(slow, {"update_id": str(number), "text": "x" * 16_000})
            daemon.update(quick, {"update_id": "q", "text": "hello"})
            with trio.fail_after(PATIENCE_S):
                assert (await told(reading))["data"]["update_id"] == "q"


async def test_a_page_that_is_cut_off_is_told_of_unasked(router_process: Process) -> None:
    await deployed(router_process)
    daemon = Daemon()
    async with linked(daemon, router_process.url, statuses={agent_id(): "in task"}):
        async with raw_page(router_process, agent_id()):
            await daemon.hears(ReturnStatuses)
        await daemon.hears_that(lambda heard: is_away(heard, agent_id()))
        reports = [heard for heard in daemon.heard if isinstance(heard, ReturnStatuses)]
        assert all(report.partial for report in reports)


async def test_while_the_daemon_is_away_who_has_ended_is_told_so_and_who_works_waits(
    router_process: Process,
) -> None:
    await deployed(router_process)
    ended, working = agent_id(), agent_id(2)
    async with browser(router_process) as client:
        statuses: dict[str, str] = {ended: "in task", working: "in task"}
        daemon = Daemon()
        async with linked(daemon, router_process.url, statuses=statuses):
            daemon.say(UpdateStatus(ended, 2, AgentStatus.TIMEOUT, Reason.TIME_OVER, "Time is over."))
            async with page_socket(router_process) as socket:
                await socket.send_message(packet("alive", ended).decode())
                while (await told(socket))["data"]["status"] != "timeout":
                    pass
        answer = await client.post("/submit_task", json=SUBMISSION | {"USED_AGENT_ID": ended})
        assert answer.status_code == 409
        assert answer.json() == {"reason": "time_over", "text": "Time is over.", "status": "timeout"}
        async with page_socket(router_process) as socket:
            await socket.send_message(packet("heartbeat", ended).decode())
            assert (await told(socket))["data"]["text"] == "Time is over."
        with trio.move_on_after(1) as waited:
            await client.post("/return_unit", json={"USED_AGENT_ID": working})
        assert waited.cancelled_caught
        answer = await client.post("/submit_task", json=SUBMISSION | {"USED_AGENT_ID": working})
        assert answer.json() == {"status": "Submitted!"}


@asynccontextmanager
async def raw_page(router: Process, agent: WireId) -> AsyncGenerator[SocketType]:
    """A page that says whose it is, and reads nothing."""
    with trio.socket.socket() as raw:
        host, port = router.url.removeprefix("http://").split(":")
        raw.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_RCVBUF, 4096)
        await raw.connect((host, int(port)))
        await raw.send(upgrade(router.url))
        await raw.recv(4096)
        await raw.send(masked(packet("alive", agent)))
        yield raw


async def test_what_a_page_says_at_once_is_heard_in_order_where_it_is_cut_too(
    router_process: Process,
) -> None:
    await deployed(router_process)
    said = [masked(live_update(agent_id(), number).encode()) for number in range(8)]
    ping = b"\x89\x80" + bytes(4)
    daemon = Daemon()
    async with linked(daemon, router_process.url), raw_page(router_process, agent_id()) as page:
        await page.send(b"".join([*said[:3], said[3][:4]]))
        await daemon.hears(MephistoBoundLiveUpdate, 3)
        await page.send(b"".join([said[3][4:], said[4], ping, *said[5:]]))
        await daemon.hears(MephistoBoundLiveUpdate, len(said))
    heard = [update.update["update_id"] for update in daemon.heard if is_update_of(update, agent_id())]
    assert heard == [str(number) for number in range(8)]


async def test_a_page_that_takes_nothing_for_too_long_loses_its_socket(router_process: Process) -> None:
    router_process.limits.append(("crowdd.router.socket_protocol", "SEND_S", 0.5))
    await deployed(router_process)
    daemon = Daemon()
    daemon.script = lambda _: []
    async with (
        linked(daemon, router_process.url, statuses={agent_id(): "in task"}),
        raw_page(router_process, agent_id()),
    ):
        await daemon.hears(Alive)
        for number in range(STREAM_UNACKED_MAX):
            daemon.update(agent_id(), {"update_id": str(number), "text": "x" * 16_000})
        await daemon.hears_that(lambda heard: is_away(heard, agent_id()))


async def test_a_page_that_sends_a_thousand_messages_a_second_costs_only_itself(
    router_process: Process,
) -> None:
    await deployed(router_process)
    daemon = Daemon()
    async with linked(daemon, router_process.url), page_socket(router_process) as honest:
        await honest.send_message(packet("alive", agent_id(2)).decode())
        async with page_socket(router_process) as hostile:
            await hostile.send_message(packet("alive", agent_id(1)).decode())
            with contextlib.suppress(ConnectionClosed):
                for number in range(1_000):
                    await hostile.send_message(live_update(agent_id(1), number))
            assert await closed_with(hostile) in (1008, 1013)  # too fast for the router, or for the daemon
        await honest.send_message(live_update(agent_id(2), 1))
        await daemon.hears_that(lambda heard: is_update_of(heard, agent_id(2)))
        came = sum(is_update_of(heard, agent_id(1)) for heard in daemon.heard)
        assert came <= SOCKET_PACKETS_BURST_MAX + SOCKET_PACKETS_PER_S_MAX * 10


async def test_a_page_that_was_too_fast_may_not_come_back_at_once(router_process: Process) -> None:
    await deployed(router_process)
    async with linked(Daemon(), router_process.url):
        async with page_socket(router_process) as hostile:
            with contextlib.suppress(ConnectionClosed):
                for _ in range(1_000):
                    await hostile.send_message(packet("heartbeat", agent_id(1)).decode())
            assert await closed_with(hostile) == 1008
        async with page_socket(router_process) as again:
            await again.send_message(packet("alive", agent_id(1)).decode())
            assert await closed_with(again) == 1013


def is_away(heard: Heard, agent: WireId) -> bool:
    return isinstance(heard, ReturnStatuses) and heard.presence.get(agent) == "away"


def is_update_of(heard: Heard, agent: WireId) -> TypeGuard[MephistoBoundLiveUpdate]:
    return isinstance(heard, MephistoBoundLiveUpdate) and heard.subject == agent


def live_update(agent: WireId, number: int) -> str:
    return packet("mephisto_bound_live_update", agent, {"update_id": str(number)}).decode()


def upgrade(url: str) -> bytes:
    host = url.removeprefix("http://")
    lines = [
        "GET / HTTP/1.1",
        f"Host: {host}",
        f"Origin: {url}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def masked(text: bytes) -> bytes:
    """A client's text frame, masked with zeros."""
    size = bytes([0x80 | len(text)]) if len(text) < 126 else bytes([0xFE]) + len(text).to_bytes(2)
    return b"\x81" + size + bytes(4) + text


async def test_20_megabytes_are_refused_in_json_over_a_real_connection(router_process: Process) -> None:
    await deployed(router_process)
    async with browser(router_process) as client:
        answer = await client.post("/submit_task", content=b"x" * 20_000_000)
        assert (answer.status_code, answer.json()["reason"]) == (413, "too_large")


async def raw_answer(router: Process, *pieces: bytes) -> bytes:
    """What a stranger's bytes get before the router ends the connection."""
    host, port = router.url.removeprefix("http://").split(":")
    answer = b""
    with trio.fail_after(20):
        async with await trio.open_tcp_stream(host, int(port)) as stream:
            try:
                for piece in pieces:
                    await stream.send_all(piece)
                async for chunk in stream:
                    answer += chunk
            except trio.BrokenResourceError:
                pass
    return answer


LINE = b"GET / HTTP/1.1\r\nHost: x\r\n"
ALIVE = b"GET /is_alive HTTP/1.1\r\nHost: x\r\n\r\n"
TIME = ALIVE.replace(b"is_alive", b"get_timestamp")


@pytest.mark.parametrize(
    "request_bytes",
    [
        LINE + b"X: " + b"a" * 17_000 + b"\r\n\r\n",
        LINE + b"X: a\r\n" * 5_000 + b"\r\n",
        LINE + b"X: " + b"a" * 40_000,
        b"GET /" + b"a" * 17_000 + b" HTTP/1.1\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n",
        LINE + b"host: y\r\n\r\n",
    ],
)
async def test_headers_that_no_browser_sends_end_the_connection(
    router_process: Process, request_bytes: bytes
) -> None:
    await deployed(router_process)
    answer = await raw_answer(router_process, request_bytes)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400")
    assert b"<html" not in answer
    await a_daemon_can_link(router_process)


async def test_headers_up_to_the_limit_are_fine(router_process: Process) -> None:
    await deployed(router_process)
    async with browser(router_process) as client:
        assert (await client.get("/", headers={"X-Long": "a" * 15_000})).status_code == 200


async def test_headers_that_come_too_slowly_end_the_connection(router_process: Process) -> None:
    router_process.limits.append(("crowdd.router.http_protocol", "HEADER_S", 0.2))
    await deployed(router_process)
    assert await raw_answer(router_process, LINE) == b""


async def test_a_connection_on_which_nothing_more_is_asked_ends(router_process: Process) -> None:
    router_process.limits.append(("crowdd.router.http_protocol", "KEEP_ALIVE_S", 0.2))
    await deployed(router_process)
    assert (await raw_answer(router_process, ALIVE)).startswith(b"HTTP/1.1 200 OK\r\n")


async def test_later_headers_that_come_too_slowly_end_the_connection(router_process: Process) -> None:
    router_process.limits.append(("crowdd.router.http_protocol", "HEADER_S", 0.2))
    await deployed(router_process)
    assert (await raw_answer(router_process, ALIVE + LINE)).count(b"HTTP/1.1") == 1


async def test_requests_that_come_together_are_answered_one_after_the_other(router_process: Process) -> None:
    router_process.limits.append(("crowdd.router.http_protocol", "KEEP_ALIVE_S", 0.2))
    await deployed(router_process)
    answers = await raw_answer(router_process, ALIVE + TIME + ALIVE)
    assert re.findall(rb"Alive|timestamp", answers) == [b"Alive", b"timestamp", b"Alive"]


async def test_who_wants_the_connection_to_end_is_told_that_it_does(router_process: Process) -> None:
    await deployed(router_process)
    answer = await raw_answer(router_process, ALIVE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert b"connection: close" in answer


async def test_who_only_asks_for_the_head_gets_no_body(router_process: Process) -> None:
    router_process.limits.append(("crowdd.router.http_protocol", "KEEP_ALIVE_S", 0.2))
    await deployed(router_process)
    assert (await raw_answer(router_process, ALIVE.replace(b"GET", b"HEAD"))).endswith(b"\r\n\r\n")


async def test_runs_by_host_name_have_an_origin_of_their_own(router_process: Process) -> None:
    router_process.facts["default_run"] = None
    await deployed(router_process)
    async with browser(router_process) as client:
        port = router_process.url.rsplit(":", 1)[1]
        own = {"Host": f"digits.localhost:{port}"}
        assert (await client.get("/", headers=own)).content == PAGES["index.html"]
        assert (await client.get("/", headers={"Host": f"other.localhost:{port}"})).status_code == 404
        foreign = own | {"Origin": f"http://other.localhost:{port}"}
        assert (await client.post("/request_agent", json=REGISTRATION, headers=foreign)).status_code == 403


async def test_no_agent_id_and_no_link_token_reaches_the_log(router_process: Process, capfd: Any) -> None:
    await deployed(router_process)
    async with linked(Daemon(), router_process.url), browser(router_process) as client:
        await client.get("/?link=very-secret-token")
        await client.post("/submit_task", json=SUBMISSION)
        await client.post("/submit_task", json=SUBMISSION | {"USED_AGENT_ID": "forged-id-in-a-body"})
    router_process.kill()
    logged = capfd.readouterr().err
    assert "digits" in logged
    for secret in (agent_id(), "very-secret-token", "forged-id-in-a-body", WireId("k" * 32)):
        assert secret not in logged


async def test_a_router_that_fails_beside_its_requests_ends_and_serves_nobody_on(
    router_process: Process,
) -> None:
    fault: Any = ("crowdd.router.run", "LINK_SILENT_S", "no time")  # is looked at once a daemon is linked
    router_process.limits.append(fault)
    await deployed(router_process)
    async with linked(Daemon(), router_process.url):
        assert await router_process.ended() == 1
