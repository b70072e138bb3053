"""SEC5: who somebody says that they are counts only with a link that we have signed. SEC1: the id of an agent
is told to its page, and written down nowhere.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest
import trio
from websockets.sync.client import connect
from websockets.typing import Origin

from crowdd.daemon.providers.links import PURPOSE, PersonalLink, make_token

from ..system.processes import Daemon, a_task

pytestmark = pytest.mark.system

HEADERS = {"X-Crowdd-Client": "1"}


@attrs.define(eq=False)
class Served:
    """A run of a daemon that says all it has to say in its log, and a second one."""

    daemon: Daemon
    label: str
    base: str
    links: list[str]
    other_links: list[str]
    http: httpx.Client

    def register(self, link: Any, **more: Any) -> httpx.Response:
        data = {"worker_name": "x", "agent_registration_id": "x", "link": link, "after": "", **more}
        return self.http.post("/request_agent", json={"provider_data": data}, headers=HEADERS)

    def everything_staff_can_see(self) -> Iterator[tuple[str, str]]:
        """The answer of every endpoint that needs no more than a run."""
        transport = httpx.HTTPTransport(uds=str(self.daemon.data / "control"))
        with httpx.Client(transport=transport, base_url="http://daemon", timeout=20) as client:
            paths = client.get("/openapi.json").json()["paths"]
            for path, methods in paths.items():
                if "get" in methods and path.count("{") == path.count("{run}"):
                    address = path.replace("{run}", self.label)
                    if not {"events", "watch", "backup"} & set(address.split("/")):
                        yield address, client.get(address).text


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("identity")
    daemon = Daemon(folder / "data")
    try:
        trio.run(daemon.start, "--log-level", "debug")
        label = trio.run(daemon.launch, a_task(folder / "one", 50))
        other = trio.run(daemon.launch, a_task(folder / "two", 5), "label=other")
        links = [url.partition("link=")[2] for url in trio.run(daemon.links, label, 6)]
        others = [url.partition("link=")[2] for url in trio.run(daemon.links, other, 1)]
        base = str(daemon.client.show(label).address)
        with httpx.Client(base_url=base, timeout=20, trust_env=False) as http:
            yield Served(daemon, label, base, links, others, http)
    finally:
        daemon.clean_up()


SAID: dict[str, dict[str, Any]] = {
    "log_error": {"error_data": {"message": "x"}},
    "submit_task": {"final_data": {"a": 1}},
    "submit_metadata": {"metadata": {"feedback": "x"}},
    "submit_task?again": {"final_data": {"a": 2}},
}


def encoded(content: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def claims_of(link: str) -> dict[str, Any]:
    payload = link.partition(".")[0]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def signed(claims: Any, secret: bytes) -> str:
    payload = encoded(claims)
    mac = hmac.digest(secret, PURPOSE + payload.encode(), hashlib.sha256)
    return f"{payload}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


FORGED: dict[str, Callable[[Served], Any]] = {
    "nothing": lambda served: "",
    "no text": lambda served: 7,
    "a list": lambda served: [served.links[0]],
    "an object": lambda served: {"worker": "ann"},
    "not signed": lambda served: served.links[0].partition(".")[0],
    "signed with nothing": lambda served: served.links[0].partition(".")[0] + ".",
    "signed with an empty secret": lambda served: signed(claims_of(served.links[0]), b""),
    "signed with another secret": lambda served: signed(claims_of(served.links[0]), b"x" * 32),
    "signed with the label": lambda served: signed(claims_of(served.links[0]), served.label.encode()),
    "for somebody else": lambda served: (
        encoded(claims_of(served.links[0]) | {"worker": "eve"}) + "." + served.links[0].partition(".")[2]
    ),
    "for longer": lambda served: (
        encoded(claims_of(served.links[0]) | {"exp": 2**40}) + "." + served.links[0].partition(".")[2]
    ),
    "with a header that says no algorithm": lambda served: (
        f"{encoded({'alg': 'none', 'typ': 'JWT'})}.{encoded(claims_of(served.links[0]))}."
    ),
    "with the signature of another link": lambda served: (
        served.links[0].partition(".")[0] + "." + served.links[1].partition(".")[2]
    ),
    "for another run": lambda served: served.other_links[0],
    "in capitals": lambda served: served.links[0].upper(),
    "with more behind it": lambda served: served.links[0] + "A",
    "over and over": lambda served: served.links[0] * 100,
    "made by somebody": lambda served: make_token(b"y" * 32, PersonalLink(served.label, "eve", "x", 2**40)),
}


@pytest.mark.parametrize("name", FORGED)
def test_sec5_a_name_without_a_link_of_ours_gets_no_work(served: Served, name: str) -> None:
    before = served.daemon.client.show(served.label).units
    answer = served.register(FORGED[name](served), worker_name="ann", worker_id="1")
    assert answer.status_code == 403
    details = answer.json()["data"]
    assert (details["agent_id"], details["reason"]) == (None, "identity_unverified")
    assert served.daemon.client.show(served.label).units == before


def test_sec5_a_link_is_one_worker_however_it_calls_itself(served: Served) -> None:
    first = served.register(served.links[1], worker_name="ann").json()["data"]
    again = served.register(served.links[1], worker_name="eve", agent_registration_id="y").json()["data"]
    assert first["agent_id"] == again["agent_id"] is not None
    assert first["worker_id"] == again["worker_id"]


def test_sec1_the_ids_of_agents_are_written_down_nowhere(served: Served) -> None:
    told: dict[str, str] = {}
    for link in served.links[2:5]:
        details = served.register(link).json()
        told[details["data"]["agent_id"]] = json.dumps(details)
    assert len(told) == 3
    for agent in told:
        with connect(
            served.base.replace("http", "ws"), origin=Origin(served.base.rstrip("/")), proxy=None
        ) as page:
            page.send(json.dumps({"packet_type": "alive", "subject_id": agent, "data": {}}))
            page.send(json.dumps({"packet_type": "heartbeat", "subject_id": agent, "data": {}}))
            told[agent] += str(page.recv(timeout=20)) + str(page.recv(timeout=20))
        for path, body in SAID.items():
            answer = served.http.post(f"/{path}", json={"USED_AGENT_ID": agent, **body}, headers=HEADERS)
            told[agent] += answer.text
    for agent in told:
        assert not [other for other, said in told.items() if other != agent and agent in said]
        seen = dict(served.everything_staff_can_see())
        assert len(seen) > 10
        assert not [path for path, text in seen.items() if agent in text]
        for file in files_beside_the_store(served.daemon.data):
            assert agent.encode() not in file.read_bytes(), file


def files_beside_the_store(data: Path) -> Iterator[Path]:
    """Everything that the daemon and its router have written, but the database itself."""
    written = [path for path in data.rglob("*") if path.is_file() and not path.name.startswith("crowdd.db")]
    assert any(path.name == "daemon.log" for path in written)
    yield from written
