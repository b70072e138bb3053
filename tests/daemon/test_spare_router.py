"""The router process that is kept ready: what it becomes, and that nothing is left of one not wanted."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import trio

from crowdd.daemon.architects.contract import Site
from crowdd.daemon.architects.detached import find_detached, held_lock, is_held, opened_log, start_waiting
from crowdd.daemon.architects.local import LocalArchitect, LocalOptions
from crowdd.daemon.architects.processes import RouterProcesses
from crowdd.daemon.architects.spare import Spare, start_spare
from crowdd.daemon.websocket_channel import NO_TLS
from crowdd.protocol.names import RunId, RunState
from crowdd.storage.records import TaskRun
from crowdd.supervision.handover import READY, hand_over

from ..process_table import LOOK_S, files_of, first_of, spares

PATIENCE_S = 40.0  # a test that waits longer has found a hang
WAITS = """
import time
from crowdd.supervision.handover import wait_for_config
config = wait_for_config()
if config is not None:
    print("told", config, flush=True)
    time.sleep(100)
"""
ARGV = [sys.executable, "-P", "-c", WAITS]


@pytest.fixture
async def lock(tmp_path: Path) -> AsyncIterator[Path]:
    """Where the lock is; who holds it after the test is ended."""
    lock = tmp_path / "lock"
    with trio.fail_after(PATIENCE_S):
        yield lock
        left = find_detached(lock)
        if left is not None:
            await left.end(0)


@pytest.fixture
def spare(tmp_path: Path) -> Spare:
    return start_spare(ARGV, {"PYTHONPATH": os.pathsep.join(sys.path)})


async def become(spare: Spare, lock: Path) -> bool:
    with held_lock(lock) as held, opened_log(lock.with_name("log")) as log:
        return await spare.become(Path("/the/config"), held, log)


async def test_it_holds_the_lock_once_it_is_told(spare: Spare, lock: Path) -> None:
    assert await become(spare, lock)
    found = find_detached(lock)
    assert found is not None
    assert found.pid == spare.process.pid


async def test_what_it_says_goes_to_the_log_it_is_given(spare: Spare, lock: Path) -> None:
    await become(spare, lock)
    while not (said := lock.with_name("log").read_text()):
        await trio.sleep(LOOK_S)
    assert said == "told /the/config\n"


async def test_it_ends_when_nobody_wants_it(spare: Spare) -> None:
    spare.let_go()
    with trio.fail_after(PATIENCE_S):
        await spare.process.ended()


async def test_it_ends_when_its_daemon_is_killed(tmp_path: Path) -> None:
    program = (
        "import sys, time; from crowdd.daemon.architects.spare import start_spare; import os\n"
        f"kept = start_spare({ARGV!r}, dict(os.environ))\n"
        "print(kept.process.pid, flush=True); time.sleep(100)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as daemon:
        assert daemon.stdout is not None
        kept = os.pidfd_open(int(daemon.stdout.readline()))
        daemon.kill()
    with trio.fail_after(PATIENCE_S):
        await trio.lowlevel.wait_readable(kept)
    os.close(kept)


async def test_one_that_has_ended_becomes_nothing(spare: Spare, lock: Path) -> None:
    os.kill(spare.process.pid, signal.SIGKILL)
    assert not await become(spare, lock)
    assert not is_held(lock)


async def test_a_daemon_that_ends_as_it_tells_leaves_a_router_that_is_found_by_its_lock(lock: Path) -> None:
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, its:
        process = start_waiting(ARGV, its.fileno(), {"PYTHONPATH": os.pathsep.join(sys.path)})
        assert await trio.to_thread.run_sync(ours.recv, len(READY)) == READY
        with held_lock(lock) as held, opened_log(lock.with_name("log")) as log:
            hand_over(ours, Path("/the/config"), held, log)
    while (found := find_detached_soon(lock)) is None:
        await trio.sleep(LOOK_S)
    assert found == process.pid


def find_detached_soon(lock: Path) -> int | None:
    """Who holds it; None while it is on its way to who will."""
    try:
        found = find_detached(lock)
    except OSError:
        return None
    return None if found is None else found.pid


# --- as routers of runs ------------------------------------------------------------------------------------


@pytest.fixture
async def deploy(tmp_path: Path) -> AsyncIterator[Callable[[int], Awaitable[str]]]:
    """Deploys the run of this number on a router of its own; gives its address."""
    processes, architects = RouterProcesses(tmp_path, keeps_spare=True), list[LocalArchitect]()

    async def deployed(number: int) -> str:
        folder = tmp_path / str(number)
        folder.mkdir()
        architects.append(LocalArchitect(LocalOptions(), Site(a_run(number), folder, processes=processes)))
        [channel] = await architects[-1].deploy()
        return channel.url

    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(processes.keep_spare)
            yield deployed
            nursery.cancel_scope.cancel()
        for architect in architects:
            await architect.shutdown()
        while spares(tmp_path):
            await trio.sleep(LOOK_S)


def a_run(number: int) -> TaskRun:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return TaskRun(
        RunId(number), 1, 1, "launch", "digits", "static", "inhouse", "local", False, {}, b"k" * 32,
        RunState.RUNNING, None, 0, False, now, None,
    )  # fmt: skip


async def test_nothing_is_kept_where_the_operator_wants_none(tmp_path: Path) -> None:
    with trio.fail_after(PATIENCE_S):
        await RouterProcesses(tmp_path, keeps_spare=False).keep_spare()


async def with_the_one_kept(deploy: Callable[[int], Awaitable[str]], data: Path) -> int:
    """Deploys run 2 once a process is kept ready for its router; which one that was."""
    await deploy(1)
    kept = await first_of(lambda: spares(data))
    await deploy(2)
    return kept


@pytest.mark.system
async def test_the_next_router_is_the_process_that_was_kept_ready(
    deploy: Callable[[int], Awaitable[str]], tmp_path: Path
) -> None:
    kept = await with_the_one_kept(deploy, tmp_path)
    found = find_detached(tmp_path / "2" / "router" / "process.lock")
    assert found is not None
    assert found.pid == kept


@pytest.mark.system
async def test_its_lock_names_it_as_that_of_any_router(
    deploy: Callable[[int], Awaitable[str]], tmp_path: Path
) -> None:
    kept = await with_the_one_kept(deploy, tmp_path)
    assert (tmp_path / "2" / "router" / "process.lock").read_text() == str(kept)


@pytest.mark.system
async def test_a_router_that_was_kept_ready_answers(
    deploy: Callable[[int], Awaitable[str]], tmp_path: Path
) -> None:
    await deploy(1)
    await first_of(lambda: spares(tmp_path))
    url = await deploy(2)
    async with httpx.AsyncClient(trust_env=False, verify=NO_TLS) as client:
        assert (await client.get(f"{url}is_alive")).is_success


@pytest.mark.system
async def test_a_router_is_started_where_the_one_kept_ready_was_killed(
    deploy: Callable[[int], Awaitable[str]], tmp_path: Path
) -> None:
    await deploy(1)
    os.kill(await first_of(lambda: spares(tmp_path)), signal.SIGKILL)
    assert await deploy(2)


@pytest.mark.system
async def test_the_process_kept_ready_holds_no_file_of_ours(
    deploy: Callable[[int], Awaitable[str]], tmp_path: Path
) -> None:
    await deploy(1)
    kept = await first_of(lambda: spares(tmp_path))
    assert [file for file in files_of(kept) if file.startswith(str(tmp_path))] == []
