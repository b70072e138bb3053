"""The daemon's frame: what is open while it lives, and that nothing is left when it has ended; S1, S13."""

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from crowdd.daemon.daemon_config import DaemonConfig
from crowdd.daemon.departure import Manner
from crowdd.daemon.house import SCRATCH
from crowdd.daemon.opening import DATABASE, open_house
from crowdd.daemon.operator import Operator
from crowdd.daemon.registry import installed_plug_ins
from crowdd.daemon.service import tell_step
from crowdd.storage.errors import StorageRefused
from crowdd.storage.sql.schema import MIGRATIONS
from crowdd.storage.sqlite.connecting import migrate
from crowdd.supervision.notify import Notifier

from .virtual import SOON_S, open_virtual


async def test_s13_an_operator_starts_and_stops_and_leaves_no_threads(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    async with open_house(DaemonConfig(tmp_path / "data")) as house:
        operator = Operator(house, installed_plug_ins())
        async with trio.open_nursery() as nursery:
            await nursery.start(operator.serve)
            operator.departure.leave(Manner.STOP)
    assert [thread for thread in set(threading.enumerate()) - before if not thread.daemon] == []


async def test_what_a_daemon_keeps_is_for_its_own_user_only(tmp_path: Path) -> None:
    async with open_house(DaemonConfig(tmp_path / "data")) as house:
        modes = {path.name: path.stat().st_mode & 0o077 for path in house.data.iterdir() if path.is_dir()}
    assert modes == {"runs": 0, "tasks": 0, "secrets": 0}


async def test_what_a_crash_left_unpacked_is_gone_after_a_start_and_nothing_else(tmp_path: Path) -> None:
    left, kept = tmp_path / "data" / SCRATCH / "task-x" / "task", tmp_path / "data" / "tasks" / "a"
    for folder in (left, kept):
        folder.mkdir(parents=True)
        (folder / "task.toml").touch()
    async with open_house(DaemonConfig(tmp_path / "data")) as house:
        assert not house.scratch.exists()
    assert (kept / "task.toml").exists()


async def test_a_daemon_that_is_refused_the_store_removes_nothing(tmp_path: Path) -> None:
    async with open_house(DaemonConfig(tmp_path / "data")) as house:
        house.scratch.mkdir()
        with pytest.raises(StorageRefused):
            async with open_house(DaemonConfig(tmp_path / "data")):
                pass
        assert house.scratch.exists()


async def test_systemd_gives_each_step_of_a_migration_its_time(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with closing(sqlite3.connect(data / DATABASE, isolation_level=None)) as db:
        migrate(db, MIGRATIONS[:-1])
    said = Said()
    async with open_house(DaemonConfig(data), partial(tell_step, said)):
        last = len(MIGRATIONS)
    assert said.fields == [
        {"status": f"migrating the store: step {last} of {last}", "extend_timeout_usec": 1_800_000_000}
    ]


class Said(Notifier):
    """A notifier that keeps what it was told."""

    def __init__(self) -> None:
        super().__init__(None, None)
        self.fields: list[dict[str, str | int]] = []

    def say(self, **fields: str | int) -> None:
        self.fields.append(fields)


async def test_the_link_secret_is_the_same_after_a_restart(tmp_path: Path) -> None:
    async with open_house(DaemonConfig(tmp_path / "data")) as first:
        pass
    async with open_house(DaemonConfig(tmp_path / "data")) as second:
        assert second.link_secrets == first.link_secrets


async def test_every_start_has_a_higher_epoch(tmp_path: Path) -> None:
    epochs: list[int] = []
    for _ in range(3):
        async with open_house(DaemonConfig(tmp_path / "data")) as house:
            epochs.append(house.storage.epoch)
    assert epochs == sorted(set(epochs))


async def test_a_data_folder_that_cannot_be_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StorageRefused, match="--data"):
        async with open_house(DaemonConfig(tmp_path / "file" / "data")):
            pass


async def test_s1_the_link_to_a_router_opens_when_a_run_begins(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        began = trio.current_time()
        run = await virtual.launch()
        assert trio.current_time() - began < 10
        assert (await virtual.until_live(run.id)).routers()[0].up


async def test_s1_a_link_that_was_cut_is_shown_as_away_and_comes_back(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_virtual(tmp_path) as virtual:
        run = await virtual.launch()
        live = await virtual.until_live(run.id)
        virtual.router(run).restart(down_s=3)
        await _until(lambda: not live.routers()[0].up)
        await _until(lambda: live.routers()[0].up)


async def _until(holds: Callable[[], bool]) -> None:
    with trio.fail_after(SOON_S):
        while not holds():
            await trio.sleep(0.05)
