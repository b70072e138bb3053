"""A store that cannot be opened now is not called damaged: what is said, and that nothing is changed."""

import os
import shutil
import subprocess
import threading
from collections.abc import Generator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
import trio

from crowdd.storage.errors import StorageFailed, StorageRefused
from crowdd.storage.opening import open_storage
from crowdd.storage.sqlite import check_store
from crowdd.storage.sqlite.lane import CLOSE_S

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="ONLY ROOT MAY MOUNT A SMALL DISK")


@pytest.fixture
async def database(tmp_path: Path) -> Path:
    """A store that was opened before."""
    path = tmp_path / "crowdd.db"
    async with open_storage(path):
        pass
    return path


@contextmanager
def small_disk(at: Path) -> Generator[None]:
    at.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "small", at], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", at], check=True)


def fill(disk: Path) -> Path:
    filler, room = disk / "filler", shutil.disk_usage(disk).free
    filler.write_bytes(bytes(room))
    return filler


async def opened(path: Path) -> None:
    async with open_storage(path):
        pass


@needs_root
async def test_flt5_a_full_disk_is_no_damage_and_room_lets_the_store_open(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with small_disk(disk):
        await opened(disk / "crowdd.db")
        filler = fill(disk)
        with pytest.raises(StorageFailed, match=r"cannot be opened now: .* Nothing was changed.* make room"):
            await opened(disk / "crowdd.db")
        filler.unlink()
        await opened(disk / "crowdd.db")
        assert check_store(disk / "crowdd.db") == []


@needs_root
async def test_flt5_a_first_start_on_a_full_disk_says_so(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with small_disk(disk):
        fill(disk)
        with pytest.raises(StorageFailed, match="make room"):
            await opened(disk / "crowdd.db")


async def test_flt7_what_is_no_database_any_more_is_named_damaged_with_the_remedy(database: Path) -> None:
    database.write_bytes(os.urandom(8192))
    with pytest.raises(StorageRefused, match=r"is damaged.*crowdd storage accept"):
        await opened(database)


@pytest.mark.parametrize("granted", range(4))
async def test_flt20_a_store_that_gets_too_few_threads_says_so_and_waits_for_none_that_never_began(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, granted: int
) -> None:
    start, begun = threading.Thread.start, count()

    def start_some(thread: threading.Thread) -> None:
        if next(begun) >= granted:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_some)
    with trio.fail_after(CLOSE_S / 2), pytest.raises(StorageFailed, match="needs a thread"):
        await opened(tmp_path / "crowdd.db")
