"""A full disk is definite: nothing happened. Requests are told to try later, runs go on afterwards."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from crowdd.daemon.degraded import Lack
from crowdd.daemon.live_run import LiveRun
from crowdd.protocol.names import RunId, RunState, UnitStatus

from .disks import Disk
from .virtual import Virtual, a_task, open_virtual


def still_held(virtual: Virtual, run_id: RunId, live: LiveRun) -> bool:
    return virtual.operator.live(run_id) is live


async def test_a_time_that_is_over_while_the_disk_is_full_ends_the_agent_afterwards(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    disk = Disk()
    async with open_virtual(tmp_path, disk.open) as virtual:
        run = await virtual.launch(units=1, limits__assignment_duration_s="600")
        live = await virtual.until_live(run.id)
        await virtual.at_work(run, "ann")
        disk.full = True
        await trio.sleep(700)
        disk.full = False
        await trio.sleep(10)
        assert still_held(virtual, run.id, live)
        assert await virtual.units(run) == [UnitStatus.LAUNCHED]


async def test_no_row_is_lost_while_the_disk_is_full(tmp_path: Path, autojump_clock: MockClock) -> None:
    disk = Disk()
    async with open_virtual(tmp_path, disk.open) as virtual:
        run = await virtual.operator.launch(a_task(tmp_path, units=3), {}, "a launch", "staff:ann")
        disk.full = True
        await trio.sleep(60)
        disk.full = False
        live = await virtual.until_live(run.id)
        await trio.sleep(10)
        assert still_held(virtual, run.id, live)
        assert await virtual.units(run) == [UnitStatus.LAUNCHED] * 3


async def test_a_request_is_told_to_try_later_while_the_disk_is_full(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    disk = Disk()
    async with open_virtual(tmp_path, disk.open) as virtual:
        run = await virtual.launch(units=1)
        live = await virtual.until_live(run.id)
        ann = await virtual.at_work(run, "ann")
        disk.full = True
        assert (await ann.submit({})).reason == "try_later"
        await ann.doors.post("log_error", {"USED_AGENT_ID": ann.agent, "error_data": {"m": "x"}}, 60)
        await trio.sleep(1)
        disk.full = False
        assert (await ann.submit({})).told["status"] == "Submitted!"
        await trio.sleep(10)
        assert live.run.state is RunState.COMPLETED


async def test_a_daemon_says_goodbye_though_the_disk_is_full(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    disk = Disk()
    async with open_virtual(tmp_path, disk.open) as virtual:
        run = await virtual.launch(units=1, limits__grace_s="5")
        await virtual.at_work(run, "ann")
        disk.full = True
        virtual.daemon.stop(down_s=1)
        await trio.sleep(10)
        disk.full = False
        await virtual.until_live(run.id)


async def test_a_run_whose_folder_cannot_be_made_because_the_disk_fails_is_held_once_it_can(
    tmp_path: Path, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = True
    make = Path.mkdir

    def mkdir(folder: Path, *args: Any, **kwargs: Any) -> None:
        if failing and folder.parent.name == "runs":
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(folder))
        make(folder, *args, **kwargs)

    monkeypatch.setattr(Path, "mkdir", mkdir)
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.operator.launch(a_task(tmp_path, units=1), {}, "a launch", "staff:ann")
        await trio.sleep(60)
        [missing] = virtual.operator.degraded()
        assert (missing.lack, missing.run_id) == (Lack.RUN_WAITS, run.id)
        failing = False
        await virtual.until_live(run.id)
        assert (await virtual.storage.run(run.id)).trouble is None
        assert not virtual.operator.degraded()
