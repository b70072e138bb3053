"""A copy that is made while somebody writes shows one moment, whole, and passes for nothing else; FLT24."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import trio

from crowdd.storage import accept, check_store, open_storage, restore_store
from crowdd.storage.errors import StorageRefused
from crowdd.storage.sqlite import copy_store

from .world import NOW, World, new_run


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return tmp_path / "copy.db"


async def test_a_copy_made_while_somebody_writes_shows_one_moment(database: Path, copy: Path) -> None:
    async with open_storage(database) as storage:
        world = World(storage)
        await world.at_work()

        async def write(task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
            for number in range(10_000):
                await storage.create_run(new_run(f"run-{number}"), NOW, "staff:ada")
                if number == 20:
                    task_status.started()

        async with trio.open_nursery() as nursery:
            await nursery.start(write)
            await trio.to_thread.run_sync(copy_store, database, copy)
            nursery.cancel_scope.cancel()
    accept(copy)
    assert check_store(copy) == []
    async with open_storage(copy) as storage:
        labels = [run.label for run in await storage.runs()][1:]
        assert labels == [f"run-{number}" for number in range(len(labels))]
        assert len(labels) > 20


async def test_a_copy_is_refused_until_it_is_accepted(database: Path, copy: Path) -> None:
    async with open_storage(database) as storage:
        epoch = storage.epoch
        await trio.to_thread.run_sync(copy_store, database, copy)
    with pytest.raises(StorageRefused, match="is a backup"):
        async with open_storage(copy):
            pass
    accept(copy)
    async with open_storage(copy) as storage:
        assert storage.epoch > epoch + 1_000_000  # whoever knows the lost present has met no such epoch


async def test_a_restored_store_is_never_in_an_epoch_that_was(
    database: Path, copy: Path, tmp_path: Path
) -> None:
    async with open_storage(database):
        await trio.to_thread.run_sync(copy_store, database, copy)
    content = copy.read_bytes()
    epochs = set[int]()
    for number in range(3):
        copy.write_bytes(content)
        restore_store(copy, database, tmp_path / f"replaced-{number}")
        for _ in range(2):
            async with open_storage(database) as storage:
                assert storage.epoch > max(epochs, default=0)
                epochs.add(storage.epoch)


async def test_a_damaged_copy_is_not_put_in_place(database: Path, copy: Path, tmp_path: Path) -> None:
    async with open_storage(database) as storage:
        await World(storage).at_work()
        await trio.to_thread.run_sync(copy_store, database, copy)
    with copy.open("r+b") as file:
        for page in range(4, 40):
            file.seek(page * 4096)
            file.write(bytes(4096))
    before = database.read_bytes()
    with pytest.raises(StorageRefused, match="the backup cannot be used"):
        restore_store(copy, database, tmp_path / "replaced")
    assert database.read_bytes() == before
    assert not (tmp_path / "replaced").exists()


async def test_a_store_with_faults_is_not_copied(database: Path, copy: Path) -> None:
    async with open_storage(database) as storage:
        await World(storage).at_work()
    with closing(sqlite3.connect(database, isolation_level=None)) as db:
        db.execute("UPDATE unit SET status = 'launched', agent_id = NULL, worker_id = NULL")
    with pytest.raises(StorageRefused, match="has faults"):
        copy_store(database, copy)
    assert not copy.exists()


async def test_a_store_that_is_held_is_not_replaced(database: Path, copy: Path, tmp_path: Path) -> None:
    async with open_storage(database):
        await trio.to_thread.run_sync(copy_store, database, copy)
        with pytest.raises(StorageRefused, match="is held by process"):
            restore_store(copy, database, tmp_path / "replaced")
