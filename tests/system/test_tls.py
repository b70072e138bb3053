"""Whole runs over TLS: ended by the router itself, and by nginx in front of it."""

import shutil
import ssl
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest
import trio

from crowdd.router.limits import LINK_FAILURES_PER_ADDRESS_PER_MINUTE_MAX
from crowdd.testing.bots import BotPlan, run_bots

from ..process_table import LOOK_S
from .processes import READY_S, Daemon, Router, a_task, texts

pytestmark = pytest.mark.system

PATIENCE_S = 60.0
WORKERS = 3
ROWS = 9
REMOTE = '[architect]\ntype = "remote"\nrouters = ["crowd"]\n'
EXAMPLE = Path(__file__).parents[2] / "examples" / "ops" / "nginx.conf"
NGINX = """daemon off; pid nginx.pid; error_log error.log; worker_processes 1;
events {{ worker_connections 256; }}
http {{
    client_body_temp_path body; proxy_temp_path proxy;
    fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    {example}
}}
"""


NGINX_PROGRAM = shutil.which("nginx", path="/usr/sbin:/usr/bin:/bin")
needs_nginx = pytest.mark.skipif(NGINX_PROGRAM is None, reason="nginx is not installed (Debian: nginx-light)")


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A certificate and its key for localhost, which every process of the test believes."""
    cert, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
               "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
               "-keyout", str(key), "-out", str(cert)]  # fmt: skip
    subprocess.run(request, check=True, capture_output=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    return cert, key


@asynccontextmanager
async def running(router: Router) -> AsyncGenerator[Router]:
    await router.start()
    try:
        yield router
    finally:
        router.kill()


@asynccontextmanager
async def nginx(folder: Path, behind: int, cert: Path, key: Path) -> AsyncGenerator[int]:
    """nginx with our example of a configuration, on a free port, in front of the router at `behind`."""
    folder.mkdir()
    with trio.socket.socket() as probe:
        await probe.bind(("0.0.0.0", 0))
        port = int(probe.getsockname()[1])
    (folder / "nginx.conf").write_text(NGINX.format(example=example(port, behind, cert, key)))
    assert NGINX_PROGRAM is not None
    process = subprocess.Popen([NGINX_PROGRAM, "-e", "error.log", "-p", str(folder), "-c", "nginx.conf"])
    try:
        with trio.fail_after(READY_S):
            while not await answers(port):
                assert process.poll() is None, (folder / "error.log").read_text()
                await trio.sleep(LOOK_S)
        yield port
    finally:
        process.terminate()
        process.wait()


def example(port: int, behind: int, cert: Path, key: Path) -> str:
    """What operators are shown, for this test's ports and certificate."""
    text = EXAMPLE.read_text()
    for shown, ours in {
        "443": str(port),
        "127.0.0.1:8090": f"127.0.0.1:{behind}",
        "/etc/ssl/crowd.example.org.crt": str(cert),
        "/etc/ssl/private/crowd.example.org.key": str(key),
    }.items():
        assert shown in text
        text = text.replace(shown, ours)
    return text


async def answers(port: int) -> bool:
    try:
        stream = await trio.open_tcp_stream("127.0.0.1", port)
    except OSError:
        return False
    await stream.aclose()
    return True


def tell_of(daemon: Daemon, router: Router, url: str, public_url: str) -> None:
    daemon.data.mkdir()
    told = {"url": url, "public_url": public_url, "secret_file": router.secret}
    lines = [f'{key} = "{value}"\n' for key, value in told.items()]
    (daemon.data / "routers.toml").write_text("[crowd]\n" + "".join(lines))


async def work_through(daemon: Daemon, folder: Path, address: str) -> None:
    """A whole run by simulated workers, at pages whose address begins so."""
    await daemon.start()
    label = await daemon.launch(a_task(folder / "t", ROWS, REMOTE), "shared_origin=true")
    links = await daemon.links(label, WORKERS)
    assert all(link.startswith(address) for link in links)
    with trio.fail_after(PATIENCE_S):
        await run_bots(BotPlan(WORKERS, seed=3, think_s=0.05), links)
    await daemon.until(label, lambda shown: shown.state == "completed")
    records = await trio.to_thread.run_sync(lambda: list(daemon.client.submissions(label)))
    assert texts(records) == sorted(f"word {n}" for n in range(ROWS))


async def test_a_whole_run_under_the_routers_own_tls(
    daemon: Daemon, tmp_path: Path, certificate: tuple[Path, Path]
) -> None:
    cert, key = certificate
    async with running(
        Router(tmp_path / "crowd", tls_cert=str(cert), tls_key=str(key), shared_origin=True)
    ) as router:
        url = f"https://localhost:{router.port}"
        tell_of(daemon, router, url, url)
        await work_through(daemon, tmp_path, f"{url}/run/")


@needs_nginx
async def test_a_whole_run_behind_nginx_which_ends_the_tls_of_workers_and_daemon(
    daemon: Daemon, tmp_path: Path, certificate: tuple[Path, Path]
) -> None:
    async with (
        running(Router(tmp_path / "crowd", trusted_proxies=["127.0.0.1"], shared_origin=True)) as router,
        nginx(tmp_path / "nginx", router.port, *certificate) as port,
    ):
        url = f"https://localhost:{port}"
        tell_of(daemon, router, url, url)
        await work_through(daemon, tmp_path, f"{url}/run/")


@needs_nginx
async def test_behind_a_trusted_proxy_one_address_that_guesses_secrets_does_not_shut_out_another(
    tmp_path: Path, certificate: tuple[Path, Path]
) -> None:
    async with (
        running(Router(tmp_path / "crowd", trusted_proxies=["127.0.0.1"])) as router,
        nginx(tmp_path / "nginx", router.port, *certificate) as port,
    ):
        guesses = LINK_FAILURES_PER_ADDRESS_PER_MINUTE_MAX + 1
        assert await guess(port, "127.0.0.2", guesses) == HTTPStatus.TOO_MANY_REQUESTS
        assert await guess(port, "127.0.0.3", 1) == HTTPStatus.UNAUTHORIZED


async def guess(port: int, address: str, times: int) -> int:
    """Deploy a page with a wrong proof so often, from this address; the last answer's status."""
    transport = httpx.AsyncHTTPTransport(local_address=address, verify=ssl.create_default_context())
    status = 0
    async with httpx.AsyncClient(transport=transport) as client:
        for _ in range(times):
            answer = await client.put(
                f"https://127.0.0.1:{port}/_crowdd/runs/digits/bundle/{'0' * 64}",
                headers={"Authorization": "Crowdd 1:wrong"},
            )
            status = answer.status_code
    return status
