"""Routers as services of their own: shared by runs, several for a run, restarted, mistrusted, under TLS."""

import subprocess
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio

from crowdd.daemon.architects.contract import Site
from crowdd.daemon.architects.remote import RemoteArchitect, RemoteOptions
from crowdd.daemon.bundle import make_bundle
from crowdd.daemon.channel import LinkLost, LinkRefused
from crowdd.daemon.routers import Routers
from crowdd.daemon.secrets import make_secret
from crowdd.daemon.websocket_channel import NO_TLS
from crowdd.files.durable import write_durably
from crowdd.protocol.names import RunId, RunState
from crowdd.storage.records import TaskRun
from crowdd.testing.bots import BotPlan, run_bots
from crowdd.testing.history import History

from .pages import open_pages
from .processes import Daemon, Router, a_task, texts
from .trouble import broken_promises, facts_of, go_through, patient

pytestmark = pytest.mark.system

PATIENCE_S = 180.0  # of a machine with much else to do


@pytest.fixture
async def start_router(tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    """Starts routers, each called by its name; they are ended after the test."""
    routers: list[Router] = []

    async def start(name: str, **settings: Any) -> Router:
        router = Router(tmp_path / name, **settings)
        routers.append(router)
        await router.start()
        return router

    with trio.fail_after(PATIENCE_S):
        yield start
    for router in routers:
        router.kill()


def tell_of(data: Path, host: str, scheme: str = "http", **routers: Router) -> None:
    """Write the daemon's routers.toml."""
    data.mkdir(exist_ok=True)
    tables = [
        f'[{name}]\nurl = "{scheme}://{host}:{router.port}"\nsecret_file = "{router.secret}"\n'
        for name, router in routers.items()
    ]
    (data / "routers.toml").write_text("".join(tables))


def remote_task(folder: Path, rows: int, *routers: str) -> Path:
    folder.mkdir(exist_ok=True)
    names = ", ".join(f'"{name}"' for name in routers)
    return a_task(folder, rows, f'[architect]\ntype = "remote"\nrouters = [{names}]\n')


@pytest.mark.parametrize(
    ("host", "shared_origin", "address"),
    [
        ("localhost", "false", "http://{label}.localhost:{port}/"),
        ("127.0.0.1", "true", "http://127.0.0.1:{port}/run/{label}/"),
    ],
    ids=["by host", "by path"],
)
async def test_two_runs_on_one_router_are_told_apart(
    daemon: Daemon,
    start_router: Callable[..., Any],
    tmp_path: Path,
    host: str,
    shared_origin: str,
    address: str,
) -> None:
    router = await start_router("crowd", shared_origin=shared_origin == "true")
    tell_of(daemon.data, host, crowd=router)
    await daemon.start()
    async with trio.open_nursery() as nursery:
        for label, rows in (("one", 7), ("two", 11)):
            task = remote_task(tmp_path / f"task-{label}", rows, "crowd")
            await daemon.launch(task, f"label={label}", f"shared_origin={shared_origin}")
            links = await daemon.links(label, 3)
            assert links[0].startswith(address.format(label=label, port=router.port) + "?link=")
            nursery.start_soon(run_bots, BotPlan(3, seed=1, think_s=0.05), links)
    for label, rows in (("one", 7), ("two", 11)):
        await daemon.until(label, lambda shown: shown.state == "completed")
        records = await trio.to_thread.run_sync(lambda of: list(daemon.client.submissions(of)), label)
        assert texts(records) == sorted(f"word {n}" for n in range(rows))


async def test_a_run_has_several_routers_and_an_answer_may_come_by_any(
    daemon: Daemon, start_router: Callable[..., Any], tmp_path: Path
) -> None:
    near, far = await start_router("near"), await start_router("far")
    tell_of(daemon.data, "localhost", near=near, far=far)
    await daemon.start()
    label = await daemon.launch(remote_task(tmp_path / "t", 2, "near", "far"))
    shown = await daemon.until(label, lambda shown: all(router.up for router in shown.routers))
    assert [router.url for router in shown.routers] == [
        f"http://{label}.localhost:{router.port}/" for router in (near, far)
    ]
    first, second = await daemon.links(label, 2)
    async with open_pages([first, second.replace(f":{near.port}/", f":{far.port}/")]) as pages:
        for page in pages:
            assert (await page.register()).agent_id
            assert (await page.submit({"kind": "a"})).status == "Submitted!"
    await daemon.until(label, lambda shown: shown.state == "completed")


async def test_a_router_killed_in_mid_run_loses_and_doubles_nothing(
    daemon: Daemon, start_router: Callable[..., Any], tmp_path: Path
) -> None:
    router = await start_router("crowd")
    tell_of(daemon.data, "localhost", crowd=router)
    await daemon.start()
    label = await daemon.launch(remote_task(tmp_path / "t", 40, "crowd"))
    links, history = await daemon.links(label, 4), History()
    plan = patient(BotPlan(4, seed=7, arrive_s=0.1, think_s=0.1, reload=0.05, double=0.1))

    async def kill_router() -> None:
        router.kill()
        await daemon.until(label, lambda shown: not shown.routers[0].up)
        await router.start()

    async def until_ten_are_done() -> None:
        await daemon.until(label, lambda shown: shown.units_done >= 10)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run_bots, plan, links, None, history)
        healed_at = await go_through(daemon, label, history, [(until_ten_are_done, kill_router)])
        await daemon.until(label, lambda shown: shown.state == "completed")
    assert await daemon.terminate() == 0, daemon.log
    assert broken_promises(history, await facts_of(daemon), healed_at) == []


def copy_for_daemon(data: Path, router: Router) -> Path:
    """The daemon's own copy of a router's secret, named in its routers.toml."""
    tell_of(data, "localhost", crowd=router)
    copy = data / "crowd.secret"
    copy.touch(mode=0o600)
    copy.write_bytes(router.secret.read_bytes())
    routers = data / "routers.toml"
    routers.write_text(routers.read_text().replace(str(router.secret), str(copy)))
    return copy


async def test_sec4_a_wrong_secret_is_said_on_both_sides_and_heals_when_it_is_mended(
    daemon: Daemon, start_router: Callable[..., Any], tmp_path: Path
) -> None:
    router = await start_router("crowd")
    copy = copy_for_daemon(daemon.data, router)
    right = router.secret.read_bytes()
    copy.unlink()
    make_secret(copy)
    await daemon.start()
    label = (await daemon.ask("launch", remote_task(tmp_path / "t", 1, "crowd"), {})).label
    shown = await daemon.until(label, lambda shown: "secret" in str(shown.routers))
    assert "both need the same secret file" in shown.routers[0].addition
    assert "both need the same secret file" in daemon.log
    assert "did not prove that it knows this router's secret" in router.log
    copy.write_bytes(right)
    await daemon.until(label, lambda shown: shown.routers[0].up)


async def test_sec4_a_secret_is_rotated_without_a_restart_and_the_old_one_opens_nothing(
    daemon: Daemon, start_router: Callable[..., Any], tmp_path: Path
) -> None:
    """As docs/production.md says it: add to both files, remove from the router's, then from the daemon's."""
    router = await start_router("crowd")
    copy = copy_for_daemon(daemon.data, router)
    old, new = router.secret.read_text(), "the-secret-of-next-month-and-on\n"
    await daemon.start()
    label = await daemon.launch(remote_task(tmp_path / "a", 1, "crowd"))
    for file, content in ((router.secret, old + new), (copy, old + new), (router.secret, new), (copy, new)):
        write_durably(file, content.encode())  # as whoever follows the page's advice: never half a file
        await met_again(daemon, router, label)
    assert "both need the same secret file" not in daemon.log
    write_durably(copy, old.encode())
    late = (await daemon.ask("launch", remote_task(tmp_path / "b", 1, "crowd"), {"label": "late"})).label
    shown = await daemon.until(late, lambda shown: "secret" in str(shown.routers))
    assert not shown.routers[0].up


async def met_again(daemon: Daemon, router: Router, label: str) -> None:
    """A new connection, and so a new proof."""
    router.kill()
    await daemon.until(label, lambda shown: not shown.routers[0].up)
    await router.start()
    await daemon.until(label, lambda shown: shown.routers[0].up)


async def test_a_run_that_has_ended_is_taken_off_the_router_which_goes_on(
    daemon: Daemon, start_router: Callable[..., Any], tmp_path: Path
) -> None:
    router = await start_router("crowd")
    tell_of(daemon.data, "localhost", crowd=router)
    await daemon.start()
    ended = await daemon.launch(remote_task(tmp_path / "t", 1, "crowd"), "label=ended")
    await daemon.launch(remote_task(tmp_path / "u", 1, "crowd"), "label=stays")
    kept = router.folder / "kept" / "runs"
    assert sorted(path.name for path in kept.iterdir()) == ["ended", "stays"]
    await daemon.ask("stop", ended, True)
    await daemon.until(ended, lambda shown: shown.state == "stopped")
    assert await daemon.terminate() == 0, daemon.log
    assert [path.name for path in kept.iterdir()] == ["stays"]
    assert router.process is not None
    assert router.process.poll() is None


async def test_what_was_set_aside_of_a_run_that_was_taken_off_goes_with_the_run(
    daemon: Daemon, start_router: Callable[..., Any], tmp_path: Path
) -> None:
    router = await start_router("crowd")
    tell_of(daemon.data, "localhost", crowd=router)
    await daemon.start()
    label = await daemon.launch(remote_task(tmp_path / "t", 1, "crowd"))
    aside = router.folder / "kept" / "runs" / label / "set_aside" / "1-a"
    aside.mkdir(parents=True)
    (aside / "answer").write_bytes(b"what somebody said")
    await daemon.ask("stop", label, True)
    await daemon.until(label, lambda shown: shown.state == "stopped")
    assert await daemon.terminate() == 0, daemon.log
    assert len([*router.folder.rglob("answer")]) == 1
    await daemon.start()
    assert (await daemon.ask("delete", label)).left == ()
    assert [*router.folder.rglob("answer")] == []


# --- the architect by itself


def site_of(folder: Path) -> Site:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    run = TaskRun(
        RunId(1), 1, 1, "launch", "digits", "static", "inhouse", "remote", False, {}, b"k" * 32,
        RunState.RUNNING, None, 0, False, now, None,
    )  # fmt: skip
    return Site(run, folder, Routers(folder / "routers.toml"))


async def page_at(url: str, host: str, verify: Any = NO_TLS) -> bytes:
    async with httpx.AsyncClient(trust_env=False, verify=verify) as client:
        return (await client.get(url, headers={"Host": host})).content


async def test_s33_a_router_that_runs_serves_the_pages_it_is_given_and_outlives_the_run(
    start_router: Callable[..., Any], tmp_path: Path
) -> None:
    router = await start_router("crowd")
    tell_of(tmp_path, "localhost", crowd=router)
    architect = RemoteArchitect(RemoteOptions(("crowd",)), site_of(tmp_path))
    for _ in range(2):  # a restarted daemon deploys again
        [channel] = await architect.deploy()
        assert channel.url == f"http://digits.localhost:{router.port}/"
        await channel.put_bundle("digits", *make_bundle({"index.html": b"<h1>hello"}))
    at, host = f"http://127.0.0.1:{router.port}/", f"digits.localhost:{router.port}"
    assert await page_at(at, host) == b"<h1>hello"
    await architect.shutdown()
    assert await page_at(at, host) == b"<h1>hello"


async def test_sec4_a_secret_is_read_when_the_router_is_met_and_half_a_file_leaves_the_last_one(
    tmp_path: Path,
) -> None:
    """No router is needed: what would be proved is decided before anybody answers."""
    secret = tmp_path / "crowd.secret"
    make_secret(secret)
    (tmp_path / "routers.toml").write_text(f'[crowd]\nurl = "http://localhost:1"\nsecret_file = "{secret}"\n')
    [channel] = await RemoteArchitect(RemoteOptions(("crowd",)), site_of(tmp_path)).deploy()
    old, new = channel.secrets, (b"the-secret-of-next-month-and-on",)
    for content, expected in ((b"", old), (b"half-a-secret", old), (b"\n".join([*old, *new]), (*old, *new))):
        secret.write_bytes(content)
        with pytest.raises(LinkLost):
            async with channel.connect():
                pass
        assert channel.secrets == expected


async def test_a_router_that_is_not_known_any_more_is_said_when_the_run_is_taken_up(tmp_path: Path) -> None:
    architect = RemoteArchitect(RemoteOptions(("crowd",)), site_of(tmp_path))
    with pytest.raises(LinkRefused, match=r"'crowd' is not in .*routers.toml"):
        await architect.deploy()


async def test_a_router_under_tls_is_believed_by_its_certified_name_only(
    start_router: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cert, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
               "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
               "-keyout", str(key), "-out", str(cert)]  # fmt: skip
    subprocess.run(request, check=True, capture_output=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    router = await start_router("crowd", tls_cert=str(cert), tls_key=str(key))

    async def deploy_at(host: str) -> None:
        tell_of(tmp_path, host, "https", crowd=router)
        site = site_of(tmp_path)
        site.run.config["shared_origin"] = True
        [channel] = await RemoteArchitect(RemoteOptions(("crowd",)), site).deploy()
        await channel.put_bundle("digits", *make_bundle({"index.html": b"hello"}))
        async with channel.connect():
            pass

    await deploy_at("localhost")
    with pytest.raises(LinkLost, match="certificate verify failed"):
        await deploy_at("127.0.0.1")
