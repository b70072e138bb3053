"""A full disk is tried again until it has room; the reserve is there for the last writes; FLT5."""

from pathlib import Path

import trio
from trio.testing import wait_all_tasks_blocked

from crowdd.daemon.clock import wall_clock
from crowdd.daemon.degraded import Degraded, Lack
from crowdd.daemon.disk_space import RESERVE_BYTES, RESERVE_NAME, DiskSpace

from .disks import Disk, OnDisk


async def reserve_of(folder: Path) -> Path:
    """The reserve, once it is there."""
    reserve = folder / RESERVE_NAME
    with trio.fail_after(10):
        while not reserve.exists() or reserve.stat().st_size < RESERVE_BYTES:
            await trio.sleep(0.01)
    return reserve


async def test_the_reserve_takes_real_space(tmp_path: Path, nursery: trio.Nursery) -> None:
    space = DiskSpace(tmp_path, OnDisk(Disk()), Degraded(wall_clock))
    nursery.start_soon(space.serve, trio.Event())
    reserve = await reserve_of(tmp_path)
    assert reserve.stat().st_blocks * 512 >= RESERVE_BYTES


async def test_the_reserve_is_kept_when_the_daemon_leaves_a_disk_with_room(
    tmp_path: Path, nursery: trio.Nursery
) -> None:
    leaving = trio.Event()
    nursery.start_soon(DiskSpace(tmp_path, OnDisk(Disk()), Degraded(wall_clock)).serve, leaving)
    reserve = await reserve_of(tmp_path)
    leaving.set()
    await wait_all_tasks_blocked()
    assert reserve.exists()


async def test_the_reserve_is_given_up_when_a_daemon_that_leaves_finds_the_disk_full(
    tmp_path: Path, nursery: trio.Nursery
) -> None:
    leaving, degraded = trio.Event(), Degraded(wall_clock)
    nursery.start_soon(DiskSpace(tmp_path, OnDisk(Disk()), degraded).serve, leaving)
    reserve = await reserve_of(tmp_path)
    leaving.set()
    await wait_all_tasks_blocked()
    degraded.begin(Lack.DISK_FULL, "no space left")
    with trio.fail_after(10):
        while reserve.exists():
            await trio.sleep(0.01)


async def test_a_data_folder_without_room_for_the_reserve_is_said(
    tmp_path: Path, nursery: trio.Nursery
) -> None:
    (tmp_path / RESERVE_NAME).mkdir()  # what cannot be opened for writing cannot be reserved
    degraded = Degraded(wall_clock)
    nursery.start_soon(DiskSpace(tmp_path, OnDisk(Disk()), degraded).serve, trio.Event())
    with trio.fail_after(10):
        while not degraded.has(Lack.DISK_RESERVE):
            await trio.sleep(0.01)
