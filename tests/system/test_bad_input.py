"""Bad input at a real router with a real daemon: a clear answer, a counter, and everyone else goes on."""

from collections.abc import Iterator
from typing import Any

import attrs
import httpx
import orjson
import pytest
import trio
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from crowdd.protocol.codec import encode_frame
from crowdd.protocol.names import AgentStatus, WireId
from crowdd.protocol.packets import Hello, UpdateStatus

from .processes import Daemon, a_task

pytestmark = pytest.mark.system

HEADERS = {"X-Crowdd-Client": "1"}
BIG = 20 * 1024 * 1024


@attrs.define(eq=False)
class Served:
    """A running run, its address, and an honest worker who works on beside every attack."""

    daemon: Daemon
    label: str
    base: str
    links: Iterator[str]
    http: httpx.Client

    def register(self) -> dict[str, Any]:
        link = next(self.links)
        data = {"worker_name": "x", "agent_registration_id": "x", "link": link, "after": ""}
        answer = self.http.post("/request_agent", json={"provider_data": data}, headers=HEADERS)
        details: dict[str, Any] = answer.json()["data"]
        return details

    def submit(self, agent: str, data: Any = None) -> httpx.Response:
        body: dict[str, Any] = {"USED_AGENT_ID": agent, "final_data": data or {}}
        return self.http.post("/submit_task", json=body, headers=HEADERS)

    def an_honest_worker_still_works(self) -> bool:
        return bool(self.submit(self.register()["agent_id"]).json()["status"] == "Submitted!")

    def counters(self) -> dict[str, int]:
        return self.daemon.client.show(self.label).counters


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("bad-input")
    daemon = Daemon(folder / "data")
    try:
        trio.run(daemon.start)
        label = trio.run(daemon.launch, a_task(folder, 200))
        links = [url.partition("link=")[2] for url in trio.run(daemon.links, label, 150)]
        base = str(daemon.client.show(label).address)
        with httpx.Client(base_url=base, timeout=20, trust_env=False) as http:
            yield Served(daemon, label, base, iter(links), http)
    finally:
        daemon.clean_up()


BODIES: dict[str, tuple[str, bytes, int]] = {
    "malformed JSON": ("/submit_task", b"{not json", 400),
    "a body that is no object": ("/submit_task", b"[1]", 400),
    "an agent id of another type": ("/submit_task", b'{"USED_AGENT_ID": 7, "final_data": {}}', 400),
    "provider_data of another type": ("/request_agent", b'{"provider_data": "me"}', 400),
    "no provider_data": ("/request_agent", b"{}", 400),
    "a submission without data": ("/submit_task", b'{"USED_AGENT_ID": "x"}', 400),
    "infinity": ("/submit_task", b'{"USED_AGENT_ID": "x", "final_data": {"a": Infinity}}', 400),
    "a very deep document": (
        "/submit_task",
        b'{"USED_AGENT_ID": "x", "final_data": ' + b"[" * 500 + b"]" * 500 + b"}",
        400,
    ),
    "20 MB": ("/submit_task", b'{"USED_AGENT_ID": "x", "final_data": "' + b"x" * BIG + b'"}', 413),
    "bytes that are no text": ("/submit_metadata", b"\xff\xfe\x00", 400),
}


@pytest.mark.parametrize("name", BODIES)
def test_x12_a_body_that_cannot_be_read_gets_a_clear_answer(served: Served, name: str) -> None:
    path, body, status = BODIES[name]
    answer = served.http.post(path, content=body, headers={**HEADERS, "Content-Type": "application/json"})
    assert answer.status_code == status
    assert answer.json()["reason"]
    assert "Traceback" not in answer.text
    assert served.an_honest_worker_still_works()


def test_x12_unknown_forged_and_foreign_ids_get_one_and_the_same_answer(served: Served) -> None:
    real = served.register()["agent_id"]
    forged = real[:-4] + ("AAAA" if real[-4:] != "AAAA" else "BBBB")
    answers = {
        (answer.status_code, answer.text)
        for answer in map(served.submit, ["nobody", forged, "42", "../../x"])
    }
    assert len(answers) == 1
    assert next(iter(answers))[0] == 404


def test_another_answer_for_a_finished_unit_is_refused_and_the_first_stays(served: Served) -> None:
    agent = served.register()["agent_id"]
    served.submit(agent, {"kind": "a"})
    second = served.submit(agent, {"kind": "b"})
    assert (second.status_code, second.json()["reason"]) == (409, "already_submitted")


def test_a_forged_link_is_refused_in_words(served: Served) -> None:
    data = {"worker_name": "eve", "agent_registration_id": "e", "link": "bm8.bm8", "after": ""}
    answer = served.http.post("/request_agent", json={"provider_data": data}, headers=HEADERS)
    assert answer.status_code == 403
    assert answer.json()["data"]["reason"] == "identity_unverified"


@pytest.mark.parametrize(
    "path",
    [
        "/../router.toml",
        "/%2e%2e/router.toml",
        "/..%2f..%2fcrowdd.db",
        "/%2e%2e%2f%2e%2e%2fsecret",
        "//etc/passwd",
    ],
)
def test_x12_no_path_leads_out_of_the_pages(served: Served, path: str) -> None:
    target = httpx.URL(served.base).copy_with(raw_path=path.encode())
    answer = served.http.get(target)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("application/json")


def test_a_foreign_page_may_not_post(served: Served) -> None:
    foreign = {**HEADERS, "Origin": "https://evil.example"}
    answer = served.http.post("/request_agent", json={"provider_data": {}}, headers=foreign)
    assert answer.status_code == 403


def test_refusals_are_counted(served: Served) -> None:
    served.submit("nobody")

    async def counted() -> None:
        await served.daemon.until(
            served.label, lambda shown: any(name.startswith("router_refused_") for name in shown.counters)
        )

    trio.run(counted)


# --- websockets


def _talk(served: Served, packets: list[str]) -> list[dict[str, Any]]:
    """Send these over one browser socket; what came back until it was closed."""
    answers: list[dict[str, Any]] = []
    origin = Origin(served.base.rstrip("/"))
    with connect(served.base.replace("http", "ws"), origin=origin, proxy=None) as socket:
        try:
            for packet in packets:
                socket.send(packet)
            while True:
                answers.append(orjson.loads(socket.recv(timeout=15)))
        except ConnectionClosed as closed:
            answers.append({"closed": _code(closed)})
    return answers


def _code(closed: ConnectionClosed) -> int | None:
    return None if closed.rcvd is None else closed.rcvd.code


def _packet(kind: str, subject: str, **data: Any) -> str:
    return orjson.dumps({"packet_type": kind, "subject_id": subject, "data": data}).decode()


@pytest.mark.parametrize(
    "packet",
    [
        "{not json",
        '"text"',
        _packet("no such type", "mephisto"),
        _packet("alive", "mephisto"),
        _packet("update_status", "mephisto", status="disconnect"),
        _packet("request_statuses", "mephisto"),
        _packet("agent_details", "x", agent_id="x"),
        _packet("mephisto_bound_live_update", "somebody else", text="hi"),
    ],
)
def test_x12_three_bad_packets_close_their_socket_and_nobody_elses(served: Served, packet: str) -> None:
    answers = _talk(served, [packet] * 3)
    assert answers[-1] == {"closed": 1008}
    assert served.an_honest_worker_still_works()


def test_x12_a_browser_cannot_change_the_status_of_another_agent(served: Served) -> None:
    victim = served.register()["agent_id"]
    _talk(served, [_packet("update_status", victim, status="disconnect")] * 3)
    assert served.submit(victim).json()["status"] == "Submitted!"


def _claim_to_be_the_daemon(served: Served, frames: list[bytes]) -> int | None:
    """Open the link with these frames; the code it was closed with."""
    url = served.base.replace("http", "ws") + f"_crowdd/link/{served.label}"
    with connect(url, subprotocols=[Subprotocol("crowdd.1")], proxy=None) as socket:
        try:
            for frame in frames:
                socket.send(frame)
            while True:
                socket.recv(timeout=15)
        except ConnectionClosed as closed:
            return _code(closed)


def test_x12_a_browser_that_claims_to_be_the_daemon_is_refused(served: Served) -> None:
    victim = served.register()["agent_id"]
    hello = Hello(1, [1], served.label, b"n" * 32, 1)
    lie = UpdateStatus(WireId(victim), 99, AgentStatus.DISCONNECT)
    frames = [encode_frame([hello]), encode_frame([attrs.evolve(hello, step=3, proof=b"p" * 32)])]
    code = _claim_to_be_the_daemon(served, [*frames, encode_frame([lie])])
    assert code is not None
    assert served.submit(victim).json()["status"] == "Submitted!"


def test_a_frame_of_noise_on_the_link_is_refused(served: Served) -> None:
    assert _claim_to_be_the_daemon(served, [b"\xc1" * 100]) is not None
    assert served.an_honest_worker_still_works()


def test_files_cannot_be_fetched_without_proof(served: Served) -> None:
    answer = served.http.get(f"/_crowdd/runs/{served.label}/files/{'0' * 64}")
    assert answer.status_code == 401


def test_pages_cannot_be_deployed_without_proof(served: Served) -> None:
    answer = served.http.put(f"/_crowdd/runs/{served.label}/bundle/{'0' * 64}", content=b"x")
    assert answer.status_code == 401
