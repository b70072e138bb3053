"""Architects: routers come up, answer, are found again, come back when killed, and go for good (S33)."""

import os
import signal
import socket
import stat
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest
import trio

from crowdd.daemon.architects.contract import Site
from crowdd.daemon.architects.detached import Detached, find_detached, is_held, start_detached
from crowdd.daemon.architects.local import LocalArchitect, LocalOptions
from crowdd.daemon.architects.mock import MockArchitect, MockArchitectOptions, channels_from
from crowdd.daemon.architects.processes import TURNS
from crowdd.daemon.bundle import make_bundle
from crowdd.daemon.channel import Channel, LinkLost, LinkRefused
from crowdd.daemon.structuring import Faults
from crowdd.daemon.websocket_channel import NO_TLS
from crowdd.protocol.names import RunId, RunState
from crowdd.storage.records import TaskRun

PATIENCE_S = 40.0  # a test that waits longer has found a hang


@pytest.fixture
def site(tmp_path: Path) -> Site:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    run = TaskRun(
        RunId(1), 1, 1, "launch", "digits", "static", "inhouse", "local", False, {}, b"k" * 32,
        RunState.RUNNING, None, 0, False, now, None,
    )  # fmt: skip
    return Site(run, tmp_path)


class Impatient(LocalArchitect):
    """As a daemon that has seen routers hang."""

    adopt_within_s = 0.5
    stop_within_s = 0.5


@pytest.fixture
async def local(site: Site) -> AsyncIterator[Callable[..., LocalArchitect]]:
    """Makes architects of the same run, as restarted daemons do; the router is ended after the test."""

    def make(kind: type[LocalArchitect] = LocalArchitect, **options: Any) -> LocalArchitect:
        return kind(LocalOptions(**options), site)

    with trio.fail_after(PATIENCE_S):
        yield make
        process = find_detached(site.folder / "router" / "process.lock")
        if process is not None:
            await process.end(5)


async def get(url: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, verify=NO_TLS) as client:
        return await client.get(url)


def pid_of(site: Site) -> int:
    process = find_detached(site.folder / "router" / "process.lock")
    assert process is not None
    return process.pid


def port_of(channel: Channel) -> int:
    return int(channel.name.rpartition(":")[2])


@pytest.mark.system
async def test_s33_a_deployed_router_answers_and_serves_the_pages_it_is_given(
    local: Callable[..., LocalArchitect],
) -> None:
    [channel] = await local().deploy()
    assert (await get(f"{channel.url}is_alive")).status_code == 200
    await channel.put_bundle("digits", *make_bundle({"index.html": b"<h1>hello"}))
    assert (await get(channel.url)).content == b"<h1>hello"


@pytest.mark.system
async def test_a_restarted_daemon_takes_over_the_running_router(
    local: Callable[..., LocalArchitect], site: Site
) -> None:
    [before] = await local().deploy()
    pid = pid_of(site)
    [after] = await local().deploy()
    assert (pid_of(site), after.url, after.secrets) == (pid, before.url, before.secrets)


@pytest.mark.system
async def test_a_killed_router_comes_back_at_its_address(
    local: Callable[..., LocalArchitect], site: Site
) -> None:
    first = local()
    [channel] = await first.deploy()
    await channel.put_bundle("digits", *make_bundle({"index.html": b"kept"}))
    for architect in (first, local()):  # the child of this process, then one that was taken over
        await architect.deploy()
        killed = pid_of(site)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(architect.watch)
            os.kill(killed, signal.SIGKILL)
            await until_served(channel.url, b"kept")
            nursery.cancel_scope.cancel()
        assert pid_of(site) != killed


async def until_served(url: str, content: bytes) -> None:
    """Ask as a browser's user does who reloads: there is nothing else to wait for."""
    while True:
        await trio.sleep(0.05)
        try:
            if (await get(url)).content == content:
                return
        except httpx.HTTPError:
            pass


@pytest.mark.system
async def test_a_router_that_hangs_is_replaced_when_it_should_be_taken_over(
    local: Callable[..., LocalArchitect], site: Site
) -> None:
    [channel] = await local().deploy()
    hanging = pid_of(site)
    os.kill(hanging, signal.SIGSTOP)
    [after] = await local(Impatient).deploy()
    assert pid_of(site) != hanging
    assert (after.url, (await get(f"{after.url}is_alive")).status_code) == (channel.url, 200)


@pytest.mark.system
async def test_s33_shutdown_ends_the_router_and_its_address_is_kept_for_a_later_start(
    local: Callable[..., LocalArchitect], site: Site
) -> None:
    architect = local()
    [channel] = await architect.deploy()
    await architect.shutdown()
    assert not is_held(site.folder / "router" / "process.lock")
    with pytest.raises(LinkLost):
        await channel.undeploy("digits")
    [again] = await local().deploy()
    assert again.url == channel.url


@pytest.mark.system
async def test_a_daemon_that_did_not_deploy_can_still_end_the_router(
    local: Callable[..., LocalArchitect], site: Site
) -> None:
    await local().deploy()
    await local().shutdown()
    assert not is_held(site.folder / "router" / "process.lock")


async def test_ending_what_was_never_started_does_nothing(local: Callable[..., LocalArchitect]) -> None:
    await local().shutdown()


@pytest.mark.system
async def test_a_router_that_cannot_start_says_why(local: Callable[..., LocalArchitect], site: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{port}"):
            await local(port=port).deploy()
    assert not is_held(site.folder / "router" / "process.lock")


@pytest.mark.system
async def test_the_routers_secret_is_in_its_file_only(
    local: Callable[..., LocalArchitect], site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/only-for-the-daemon")
    [channel] = await local().deploy()
    assert stat.S_IMODE((site.folder / "router" / "secret").stat().st_mode) == 0o600
    process = Path(f"/proc/{pid_of(site)}")
    seen = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
    seen += (site.folder / "router" / "router.toml").read_bytes() + channel.name.encode()
    assert channel.secrets[0] not in seen
    assert b"only-for-the-daemon" not in seen


@pytest.mark.system
async def test_a_router_is_in_a_session_of_its_own(local: Callable[..., LocalArchitect], site: Site) -> None:
    await local().deploy()
    assert os.getsid(pid_of(site)) == pid_of(site)


@pytest.mark.system
async def test_workers_are_sent_where_the_proxy_is(local: Callable[..., LocalArchitect]) -> None:
    [channel] = await local(public_url="https://study.example.org").deploy()
    assert channel.url == "https://study.example.org/"
    assert channel.name.startswith("127.0.0.1:")


@pytest.mark.parametrize("url", ["study.example.org", "ftp://x", "https://", "//x"])
def test_a_public_address_is_a_web_address(url: str) -> None:
    with pytest.raises(Faults, match="public_url: must be like"):
        LocalOptions(public_url=url)


def test_an_address_that_means_every_interface_is_none_for_workers() -> None:
    with pytest.raises(Faults, match="public_url: is needed"):
        LocalOptions(host="0.0.0.0")


async def test_of_many_routers_only_a_few_are_brought_up_at_once(site: Site, tmp_path: Path) -> None:
    crowd = 3 * TURNS
    served = list[float]()

    class Crowded(LocalArchitect):
        async def _adopt(self) -> bool:
            turns = self.site.processes.turns
            while len(served) + turns.borrowed_tokens + turns.statistics().tasks_waiting < crowd:
                await trio.sleep(0.01)
            served.append(turns.borrowed_tokens)
            return True

    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            for number in range(crowd):
                its = attrs.evolve(site, folder=tmp_path / str(number))
                nursery.start_soon(Crowded(LocalOptions(), its).deploy)
    assert max(served) == TURNS


# --- processes that outlive us -----------------------------------------------------------------------------


@pytest.fixture
async def started(tmp_path: Path) -> AsyncIterator[Callable[[str], Detached]]:
    """Starts a small Python program under the lock `tmp_path/lock`, and ends it after the test."""

    def start(program: str) -> Detached:
        argv = [sys.executable, "-S", "-E", "-c", program]
        return start_detached(argv, tmp_path / "lock", tmp_path / "log", {})

    with trio.fail_after(PATIENCE_S):
        yield start
        left = find_detached(tmp_path / "lock")
        if left is not None:
            await left.end(0)


SLEEP = "import time; time.sleep(100)"


async def until_logged(tmp_path: Path, line: str) -> None:
    while line not in (tmp_path / "log").read_text():
        await trio.sleep(0.01)


async def test_a_process_is_found_by_its_lock(tmp_path: Path, started: Callable[[str], Detached]) -> None:
    assert find_detached(tmp_path / "lock") is None
    process = started(SLEEP)
    found = find_detached(tmp_path / "lock")
    assert found is not None
    assert found.pid == process.pid


async def test_who_is_named_in_the_lock_is_found_without_a_search(
    tmp_path: Path, started: Callable[[str], Detached], monkeypatch: pytest.MonkeyPatch
) -> None:
    process = started(SLEEP)
    with monkeypatch.context() as patched:
        patched.setattr("crowdd.daemon.architects.detached.os.listdir", nobody)
        found = find_detached(tmp_path / "lock")
    assert found is not None
    assert found.pid == process.pid


def nobody(_: str) -> list[str]:
    return []


@pytest.mark.parametrize("named", [b"", b"1", b"99999999999", b"-1", b"\xff"])
async def test_a_lock_that_names_somebody_else_is_searched_for(
    tmp_path: Path, started: Callable[[str], Detached], named: bytes
) -> None:
    process = started(SLEEP)
    (tmp_path / "lock").write_bytes(named)
    found = find_detached(tmp_path / "lock")
    assert found is not None
    assert found.pid == process.pid


async def test_the_lock_is_held_from_the_first_instruction(
    tmp_path: Path, started: Callable[[str], Detached]
) -> None:
    started(SLEEP)
    with pytest.raises(BlockingIOError):
        started(SLEEP)


async def test_the_lock_goes_with_the_process(tmp_path: Path, started: Callable[[str], Detached]) -> None:
    process = started("pass")
    await process.ended()
    assert not is_held(tmp_path / "lock")
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)  # reaped: not even a zombie is left


async def test_a_process_that_ends_when_asked_is_not_killed(
    tmp_path: Path, started: Callable[[str], Detached]
) -> None:
    process = started(
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(print('goodbye')))\n"
        "print('up', flush=True)\ntime.sleep(100)"
    )
    await until_logged(tmp_path, "up")
    await process.end(30)
    assert (tmp_path / "log").read_text() == "up\ngoodbye\n"


async def test_a_process_that_does_not_listen_is_killed(
    tmp_path: Path, started: Callable[[str], Detached]
) -> None:
    process = started(
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('up', flush=True)\ntime.sleep(100)"
    )
    await until_logged(tmp_path, "up")
    await process.end(0.1)
    assert not is_held(tmp_path / "lock")


async def test_ending_a_process_twice_is_ending_it(started: Callable[[str], Detached]) -> None:
    process = started(SLEEP)
    await process.end(5)
    await process.end(5)
    await process.ended()


async def test_signals_that_we_ignore_are_the_programs_own_again(
    tmp_path: Path, started: Callable[[str], Detached]
) -> None:
    process = started("print([l for l in open('/proc/self/status') if l.startswith('SigBlk')])")
    await process.ended()
    assert "0000000000000000" in (tmp_path / "log").read_text()


# --- the mock ----------------------------------------------------------------------------------------------


class Nowhere(Channel):
    """A channel that only has a name."""

    def __init__(self) -> None:
        self.name, self.url, self.secrets = "nowhere", "http://nowhere/", [b"s" * 32]

    def connect(self) -> Any:
        raise LinkLost("nowhere")

    async def put_bundle(self, label: str, sha256: str, bundle: bytes) -> None:
        raise LinkLost("nowhere")

    async def fetch_file(self, label: str, sha256: str, into: Path) -> None:
        raise LinkLost("nowhere")

    async def undeploy(self, label: str, discard: bool = False) -> None:
        raise LinkLost("nowhere")


async def test_the_mock_gets_its_routers_from_the_simulation(site: Site) -> None:
    channel, asked = Nowhere(), list[Site]()

    def routers(where: Site) -> list[Channel]:
        asked.append(where)
        return [channel]

    architect = MockArchitect(MockArchitectOptions(), site)
    with channels_from(routers):
        assert await architect.deploy() == [channel]
    assert asked == [site]


async def test_the_mock_has_no_routers_outside_a_simulation(site: Site) -> None:
    with pytest.raises(LinkRefused, match="only in a simulation"):
        await MockArchitect(MockArchitectOptions(), site).deploy()


async def test_two_simulations_beside_each_other_have_their_own_routers(site: Site) -> None:
    deployed: list[Any] = []

    async def simulate(channel: Channel) -> None:
        with channels_from(lambda _: [channel]):
            await trio.lowlevel.checkpoint()
            deployed.append((channel, *await MockArchitect(MockArchitectOptions(), site).deploy()))

    async with trio.open_nursery() as nursery:
        for _ in range(2):
            nursery.start_soon(simulate, Nowhere())
    assert all(given is found for given, found in deployed)
