"""Real daemons on disks that are full, fail or are slow, and two on one store; FLT4-6, FLT17, FLT23."""

import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import trio

from crowdd.cli import EXIT_LEASE_LOST, EXIT_STORE_LOST
from crowdd.daemon.disk_space import RESERVE_BYTES, RESERVE_NAME
from crowdd.protocol.names import AgentStatus
from crowdd.storage import check_store
from crowdd.testing.certify.strace import Fault, Injection, Strace, open_strace

from ..process_table import LOOK_S
from .pages import open_pages
from .processes import READY_S, Daemon
from .workers import open_worker

pytestmark = pytest.mark.system

DISK_MB = 64
NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: mounting a small disk needs root")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of its own, of DISK_MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
async def daemon_on(small_disk: Path) -> AsyncGenerator[Daemon]:
    daemon = Daemon(small_disk / "data")
    yield daemon
    daemon.clean_up()


def fill(folder: Path) -> Path:
    """Use up all space there; the file that does it."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return filler


async def until(holds: Callable[[], bool]) -> None:
    with trio.fail_after(READY_S):
        while not await trio.to_thread.run_sync(holds):
            await trio.sleep(LOOK_S)


def has_reserve(daemon: Daemon) -> bool:
    reserve = daemon.data / RESERVE_NAME
    return reserve.exists() and reserve.stat().st_size == RESERVE_BYTES


def lacks(daemon: Daemon) -> list[str]:
    return [each.what for each in daemon.client.status().degraded]


@NEEDS_ROOT
async def test_flt5_a_full_disk_is_announced_reads_go_on_and_it_heals_without_a_restart(
    daemon_on: Daemon, small_disk: Path, tmp_path: Path
) -> None:
    daemon = daemon_on
    await daemon.start()
    async with open_worker(daemon, tmp_path) as ann:
        filler = fill(small_disk)
        assert (await ann.submit(20_000)).reason == "try_later"
        assert "disk_full" in lacks(daemon)
        assert (await daemon.ask("show", ann.label)).units_done == 0
        filler.unlink()
        await until(lambda: lacks(daemon) == [])
        assert (await ann.submit(20_000)).told["status"] == "Submitted!"
        await daemon.until(ann.label, lambda shown: shown.units_done == 1)  # the router may keep it first
    assert daemon.log.count("degraded, disk full") == 1
    assert await daemon.terminate() == 0


@NEEDS_ROOT
async def test_flt5_a_stop_on_a_full_disk_says_goodbye_with_the_reserve(
    daemon_on: Daemon, small_disk: Path, tmp_path: Path
) -> None:
    daemon = daemon_on
    await daemon.start()
    async with open_worker(daemon, tmp_path):
        await until(lambda: has_reserve(daemon))
        filler = fill(small_disk)
        assert await daemon.terminate() == 0
    filler.unlink()
    async with daemon.store() as storage:
        (run,) = await storage.runs()
        (agent,) = await storage.agents(run.id)
    assert agent.status is AgentStatus.DISCONNECT


async def test_flt4_a_disk_that_fails_ends_the_daemon_by_name_after_everybody_was_told(
    daemon: Daemon, tmp_path: Path
) -> None:
    await daemon.start()
    assert daemon.process is not None
    async with open_worker(daemon, tmp_path) as ann:
        fault = Injection(Fault.EIO, "fdatasync", 1)
        async with open_strace(daemon.process.pid, tmp_path / "calls", fault):
            told = await ann.submit()
            assert told.reason == "try_later"
            assert await daemon.ended() == EXIT_STORE_LOST
        assert "degraded, store lost: the store failed: disk I/O error" in daemon.log
        assert "Traceback" not in daemon.log
        await daemon.start()
        assert (await ann.submit()).told["status"] == "Submitted!"  # stored then or now, but once
        await daemon.until(ann.label, lambda shown: shown.units_done == 1)  # the router may have kept it
    assert await daemon.terminate() == 0
    assert check_store(daemon.data / "crowdd.db") == []


async def test_flt6_while_the_disk_is_slow_the_loop_goes_on_and_who_waits_shares_a_sync(
    daemon: Daemon, tmp_path: Path
) -> None:
    await daemon.start()
    assert daemon.process is not None
    order: list[str] = []

    async def write() -> None:
        await daemon.ask("pause", ann.label)
        order.append("written")

    async with (
        open_worker(daemon, tmp_path, rows=12) as ann,
        open_pages(await daemon.links(ann.label, 10)) as pages,
    ):
        for page in pages[1:]:
            assert (await page.register()).agent_id
        up_since = (await daemon.ask("show", ann.label)).routers[0].since
        fault = Injection(Fault.SLOW, "fdatasync", 1)
        async with open_strace(daemon.process.pid, tmp_path / "calls", fault) as strace:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(write)
                await until(lambda: "fdatasync" in (tmp_path / "calls").read_text())
                await daemon.ask("status")  # not behind the write
                order.append("read")
            assert order == ["read", "written"]
            before = syncs(strace)
            async with trio.open_nursery() as nursery:
                for page in pages[1:]:
                    nursery.start_soon(page.submit, {"kind": "a"})
            await daemon.until(ann.label, lambda shown: shown.units_done == len(pages) - 1)
            assert syncs(strace) - before < len(pages) - 1
        shown = await daemon.ask("show", ann.label)
        assert (shown.agents, shown.routers[0].since) == ({"completed": 9, "in task": 1}, up_since)
    assert await daemon.terminate() == 0


def syncs(strace: Strace) -> int:
    """How often the log of the store was synced."""
    return sum(call.name == "fdatasync" and call.subject.endswith("-wal") for call in strace.calls())


async def test_flt23_a_daemon_that_was_stopped_while_another_took_the_store_writes_nothing_more(
    daemon: Daemon, tmp_path: Path
) -> None:
    await daemon.start()
    assert daemon.process is not None
    async with open_worker(daemon, tmp_path) as ann:
        daemon.process.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        second = await trio.run_process(
            [sys.executable, "-m", "crowdd.cli", "storage", "accept", "--data", str(daemon.data)],
            check=False,
            capture_stderr=True,
        )
        assert time.monotonic() - began < READY_S
        assert f"process {daemon.process.pid}" in second.stderr.decode()
        # A file system without locks would have let another in.
        with closing(sqlite3.connect(daemon.data / "crowdd.db", isolation_level=None)) as other:
            other.execute("UPDATE lease SET epoch = epoch + 1, holder = 'another'")
            before = other.execute("SELECT count(*) FROM history").fetchone()
        daemon.process.send_signal(signal.SIGCONT)
        assert (await ann.submit()).reason == "try_later"
        assert await daemon.ended() == EXIT_LEASE_LOST
    with closing(sqlite3.connect(daemon.data / "crowdd.db", isolation_level=None)) as other:
        assert other.execute("SELECT count(*) FROM history").fetchone() == before
    assert "has taken this store" in daemon.log


async def test_a_daemon_has_room_for_as_many_descriptors_as_it_may_have_whatever_it_begins_with(
    daemon: Daemon,
) -> None:
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Its own, too: it is ours that it begins with.
    resource.setrlimit(resource.RLIMIT_NOFILE, (most // 2, most))
    try:
        await daemon.start()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, most))
    assert daemon.process is not None
    assert resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE) == (most, most)


async def test_flt17_without_descriptors_those_at_work_go_on_and_staff_get_in_once_there_are_some(
    daemon: Daemon, tmp_path: Path
) -> None:
    await daemon.start()
    assert daemon.process is not None
    pid = daemon.process.pid
    async with open_worker(daemon, tmp_path) as ann:
        most = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        used = max(int(number) for number in os.listdir(f"/proc/{pid}/fd")) + 1
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (used, most[1]))
        assert (await ann.submit()).told["status"] == "Submitted!"
        resource.prlimit(pid, resource.RLIMIT_NOFILE, most)
        await daemon.until(ann.label, lambda shown: shown.units_done == 1)  # the router may keep it first
    assert await daemon.terminate() == 0, daemon.log
