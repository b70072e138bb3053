"""SEC7, SEC19: what a request says of itself is believed where it cannot be forged, and nowhere else."""

import json
from collections.abc import Callable, Iterator, Mapping

import httpx
import pytest

from ..router.conftest import Process
from .conftest import TightRouter, running
from .requests import AMBIGUOUS, CLOSING, SMUGGLED, WHOLE
from .wild import is_well, stranger

pytestmark = pytest.mark.system

Forged = Callable[[int], tuple[str, ...]]
FAILURES = ("crowdd.router.deploy_door", "LINK_FAILURES_PER_ADDRESS_PER_MINUTE_MAX", 2.0)
FILE = "/_crowdd/runs/digits/files/" + "0" * 64


@pytest.mark.parametrize("name", AMBIGUOUS)
async def test_sec19_what_can_be_read_in_two_ways_ends_its_connection(router: Process, name: str) -> None:
    async with stranger(router) as wild:
        await wild.send(AMBIGUOUS[name] + SMUGGLED)
        came = await wild.read_all()
    assert came.startswith(b"HTTP/1.1 400 ")
    assert came.count(b"HTTP/1.1 ") == 1
    assert b"Traceback" not in came


@pytest.mark.parametrize("name", CLOSING)
async def test_sec19_nothing_is_read_behind_the_last_request(router: Process, name: str) -> None:
    async with stranger(router) as wild:
        await wild.send(CLOSING[name] + SMUGGLED)
        came = await wild.read_all()
    assert came.startswith(b"HTTP/1.1 200 ")
    assert b"Alive!" not in came


@pytest.mark.parametrize("name", WHOLE)
async def test_sec19_what_is_in_a_body_is_no_request(router: Process, name: str) -> None:
    async with stranger(router) as wild:
        await wild.send(WHOLE[name] + b"GET /is_alive HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        came = await wild.read_all()
    assert came.count(b"HTTP/1.1 ") == 2
    assert came.count(b"Alive!") == 1


async def test_sec19_after_all_of_that_the_router_is_well(router: Process) -> None:
    assert await is_well(router)


# Who is counted.


async def guess(router: Process, *forwarded: str) -> int:
    """Ask for a file without proof, with these X-Forwarded-For."""
    lines = [f"GET {FILE} HTTP/1.1", "Host: x", *[f"X-Forwarded-For: {each}" for each in forwarded]]
    async with stranger(router) as wild:
        await wild.send("\r\n".join([*lines, "", ""]).encode())
        return int((await wild.answer()).split(b" ")[1])


async def test_sec19_a_forged_forwarded_for_changes_nobody(tight_router: TightRouter) -> None:
    router = tight_router(FAILURES)
    assert [await guess(router, f"192.0.2.{n}") for n in range(3)] == [401, 401, 429]


@pytest.fixture(scope="module")
def proxied_router(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """One that believes the proxy on this machine."""
    folder = tmp_path_factory.mktemp("proxied")
    with running(folder, [FAILURES], trusted_proxies=["127.0.0.1"]) as process:
        yield process


FORGED: dict[str, Forged] = {
    "before the real one": lambda n: (f"192.0.2.{n}, 203.0.113.1",),
    "on a line of its own": lambda n: (f"192.0.2.{n}", "203.0.113.2"),
    "between proxies": lambda n: (f"192.0.2.{n}, 127.0.0.1, 203.0.113.3, 127.0.0.1",),
    "addresses of one network": lambda n: (f"2001:db8:1:2::{n}",),
    "addresses and ports of one network": lambda n: (f"[2001:db8:1:3::{n}]:{4000 + n}",),
    "an address in another form": lambda n: ("203.0.113.4" if n else "::ffff:203.0.113.4",),
    "ports of one address": lambda n: (f"203.0.113.5:{4000 + n}",),
    "words": lambda n: (f"no address {'x' * n * 1_000}",),
    "nothing": lambda n: (f"192.0.2.{n}, ",),
}


@pytest.mark.parametrize("name", FORGED)
async def test_sec19_behind_a_trusted_proxy_only_what_it_saw_counts(
    proxied_router: Process, name: str
) -> None:
    assert [await guess(proxied_router, *FORGED[name](n)) for n in range(3)] == [401, 401, 429]


async def test_sec19_whoever_forges_shuts_out_nobody_else(proxied_router: Process) -> None:
    assert await guess(proxied_router, "198.51.100.1") == 401


# Whose page asks.

LOOK_ALIKES = [
    "null",
    "https://evil.example",
    "http://{host}.evil.example",
    "http://evil{host}",
    "http://{host}@evil.example",
    "http://evil.example#{host}",
    "http://{name}",
    "http://{name}:1",
    "http://{host}0",
    "http://{host}/",
    "http://{host}?",
    "http://user@{host}",
    "ftp://{host}",
    "file://{host}",
    "//{host}",
    "{host}",
    "http://localhost:{port}",
    "http://127.0.0.2:{port}",
    "http://127.1:{port}",
    "http://[::ffff:127.0.0.1]:{port}",
    "http://{host} http://evil.example",
    "http://[",
    "http://{name}:99999",
    "http://{name}:x",
]


def spelled(router: Process, origin: str) -> str:
    host = router.url.removeprefix("http://")
    name, _, port = host.partition(":")
    return origin.format(host=host, name=name, port=port)


@pytest.mark.parametrize("origin", [None, *LOOK_ALIKES])
async def test_sec7_a_page_of_elsewhere_gets_no_websocket(router: Process, origin: str | None) -> None:
    host = router.url.removeprefix("http://")
    lines = [
        "GET / HTTP/1.1",
        f"Host: {host}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        *([] if origin is None else [f"Origin: {spelled(router, origin)}"]),
    ]
    async with stranger(router) as wild:
        await wild.send("\r\n".join([*lines, "", ""]).encode())
        head, _, body = (await wild.read_all()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 403 ")
    assert json.loads(body)["reason"] == "foreign_origin"


@pytest.mark.parametrize("origin", LOOK_ALIKES)
async def test_sec7_a_page_of_elsewhere_may_not_post(router: Process, origin: str) -> None:
    async with httpx.AsyncClient(base_url=router.url, trust_env=False) as client:
        headers = {"Origin": spelled(router, origin)}
        answer = await client.post("/submit_task", json={}, headers=headers)
    assert (answer.status_code, answer.json()["reason"]) == (403, "foreign_origin")
    assert "access-control-allow-origin" not in answer.headers


async def test_sec7_no_page_of_elsewhere_is_allowed_anything_by_asking_first(router: Process) -> None:
    asked = {
        "Origin": "https://evil.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "x-crowdd-client",
    }
    async with httpx.AsyncClient(base_url=router.url, trust_env=False) as client:
        for path in ("/submit_task", "/", "/request_agent", FILE):
            answer = await client.options(path, headers=asked)
            assert not answer.is_success
            assert not [name for name in answer.headers if name.startswith("access-control-")]


async def test_sec7_no_answer_sets_a_cookie_or_heeds_one(router: Process) -> None:
    async with httpx.AsyncClient(base_url=router.url, trust_env=False) as client:
        for path in ("/", "/task_config.json", "/is_alive"):
            with_one = await client.get(path, headers={"Cookie": "session=1"})
            assert "set-cookie" not in with_one.headers
        body: dict[str, object] = {"USED_AGENT_ID": "nobody", "final_data": {}}
        answer = await client.post("/submit_task", json=body, headers={"Cookie": "agent_id=1"})
        assert answer.status_code in (404, 503)


# What protects pages.

PAGE = {
    "content-security-policy": "object-src 'none'; base-uri 'self'; frame-ancestors 'self'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cache-control": "no-cache",
}
DATA = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
    "content-type": "application/json",
}


@pytest.mark.parametrize(
    ("method", "path", "protection"),
    [
        ("GET", "/", PAGE),
        ("GET", "/bundle.js", PAGE),
        ("GET", "/img/logo.png", PAGE),
        ("HEAD", "/", PAGE),
        ("GET", "/nothing", DATA),
        ("GET", "/is_alive", DATA),
        ("GET", "/_crowdd/openapi.json", DATA),
        ("GET", FILE, DATA),
        ("PUT", "/submit_task", DATA),
        ("POST", "/submit_task", DATA),
        ("POST", "/nothing", DATA),
        ("DELETE", "/_crowdd/runs/digits", DATA),
        ("POST", "/_crowdd/openapi.json", DATA),
    ],
)
async def test_sec19_every_answer_carries_what_protects_it(
    router: Process, method: str, path: str, protection: Mapping[str, str]
) -> None:
    async with httpx.AsyncClient(base_url=router.url, trust_env=False) as client:
        answer = await client.request(method, path)
    assert {name: answer.headers.get(name) for name in protection} == dict(protection)
    assert "server" not in answer.headers
    assert "strict-transport-security" not in answer.headers


async def test_sec19_browsers_can_be_told_to_insist_on_tls(tight_router: TightRouter) -> None:
    router = tight_router(hsts_s=31_536_000)
    async with httpx.AsyncClient(base_url=router.url, trust_env=False) as client:
        for path in ("/", "/is_alive", "/nothing"):
            answer = await client.get(path)
            assert answer.headers["strict-transport-security"] == "max-age=31536000"
