"""SEC14: secrets are in their files and nowhere else: canaries go in, what comes out is searched."""

import base64
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import trio

from crowdd.daemon.websocket_channel import NO_TLS
from crowdd.testing.bots import BotPlan, run_bots
from crowdd.testing.history import History

from .processes import Daemon, Router, a_task

pytestmark = pytest.mark.system

CANARIES = ("canary-of-the-links-old-0123", "canary-of-the-links-new-0123", "canary-of-the-router-0123456")


def forms(canary: str) -> list[bytes]:
    """As it is, and as careless code would write it."""
    raw = canary.encode()
    return [raw, raw.hex().encode(), base64.b64encode(raw).rstrip(b"="), repr(raw).encode()]


def keep(path: Path, *secrets: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text("".join(f"{secret}\n" for secret in secrets))


def of_process(pid: int) -> bytes:
    """What every process of this user can see of another."""
    seen = Path(f"/proc/{pid}")
    return (seen / "environ").read_bytes() + (seen / "cmdline").read_bytes()


def files_below(folder: Path, but: set[Path]) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file() and path not in but)


async def test_sec14_no_secret_leaves_its_file(daemon: Daemon, tmp_path: Path) -> None:
    old, new, shared = CANARIES
    links, copy = daemon.data / "secrets" / "links", tmp_path / "crowd.secret"
    keep(links, new, old)
    router = Router(tmp_path / "crowd")
    router.secret.write_text(f"{shared}\n")
    keep(copy, shared)
    try:
        await router.start()
        (daemon.data / "routers.toml").write_text(
            f'[crowd]\nurl = "http://localhost:{router.port}"\nsecret_file = "{copy}"\n'
        )
        await daemon.start("--log-level", "debug")
        label = await daemon.launch(
            a_task(tmp_path / "t", 2, '[architect]\ntype = "remote"\nrouters = ["crowd"]\n')
        )
        addresses = await daemon.links(label, 1)
        await run_bots(BotPlan(1, seed=1, arrive_s=0.1, think_s=0.1), addresses, None, History())
        seen = await everything_that_comes_out(daemon, router, label, addresses[0], copy)
    finally:
        router.kill()
    seen += files_below(daemon.data, {links}) + files_below(router.folder, {router.secret})
    assert label.encode() in seen
    for canary in CANARIES:
        for form in forms(canary):
            assert form not in seen, f"{canary} was found"
    token = parse_qs(urlsplit(addresses[0]).query)["link"][0]
    assert token.encode() not in files_below(daemon.data, {links}) + files_below(router.folder, set())


async def everything_that_comes_out(
    daemon: Daemon, router: Router, label: str, address: str, copy: Path
) -> bytes:
    """Pages, exports, what is shown, environments; and what a failure about each secret file says."""
    assert daemon.process is not None
    assert router.process is not None
    seen = of_process(daemon.process.pid) + of_process(router.process.pid)
    here, host = f"http://127.0.0.1:{router.port}/", {"Host": urlsplit(address).netloc}
    async with httpx.AsyncClient(verify=NO_TLS, trust_env=False, headers=host) as client:
        for path in ("", "crowdd.js", "task_config.json", "wrap_crowd_source.js"):
            page = await client.get(here + path)
            assert page.status_code == 200
            seen += page.content
    for method in ("show", "submissions", "errors", "units", "agents"):
        found = await daemon.ask(method, label)
        seen += repr(found if method == "show" else list(found)).encode()
    seen += repr(list(await daemon.ask("audit"))).encode()
    copy.chmod(0o644)
    daemon.process.send_signal(signal.SIGHUP)
    router.secret.chmod(0o644)
    router.kill()
    await daemon.until(label, lambda shown: not shown.routers or not shown.routers[0].up)
    refused = await trio.run_process(
        [sys.executable, "-m", "crowdd.cli", "router", "--config", str(router.folder / "router.toml")],
        capture_stdout=True,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert b"chmod 600" in refused.stdout
    assert await daemon.terminate() == 0
    (daemon.data / "secrets" / "links").chmod(0o644)
    again = await trio.run_process(
        [sys.executable, "-m", "crowdd.cli", "serve", "--data", str(daemon.data)],
        capture_stdout=True,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert b"chmod 600" in again.stdout
    shown = await trio.run_process(
        [sys.executable, "-m", "crowdd.cli", "config", "show", "--data", str(daemon.data)],
        capture_stdout=True,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert shown.returncode == 0
    return seen + refused.stdout + again.stdout + shown.stdout
