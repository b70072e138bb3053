"""Stores made large by copying what some workers left."""

from pathlib import Path

from benchmarks.copying import copy_workers
from benchmarks.stores import make_known
from tests.system.processes import Daemon

from crowdd.storage import check_store


async def test_copied_workers_are_known_by_name_did_as_much_and_the_store_is_whole(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path / "data")
    daemon.data.mkdir()
    names = [f"worker-{number}" for number in range(9)]
    async with daemon.store() as storage:
        await make_known(storage, "benchmark", names[:3])
    copy_workers(daemon.data / "crowdd.db", 3, 3)
    async with daemon.store() as storage:
        known = {worker.name: worker.id for worker in await storage.workers()}
        done = [len(await storage.agents_of_worker(worker)) for worker in known.values()]
        (run,) = await storage.runs()
    assert set(known) == {f"{name}_sandbox" for name in names}
    assert done == [1] * 9
    assert run.rows_made == 9
    assert check_store(daemon.data / "crowdd.db") == []
