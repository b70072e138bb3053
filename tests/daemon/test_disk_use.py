"""What the data folder is said to take."""

from pathlib import Path

from trio.testing import MockClock

from crowdd.daemon.disk_use import RunDisk, disk_use
from crowdd.protocol.names import RunId

from .virtual import open_virtual


def put(path: Path, count: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * count)


def test_every_byte_is_counted_once(tmp_path: Path) -> None:
    put(tmp_path / "crowdd.db", 100)
    put(tmp_path / "crowdd.db-wal", 20)
    put(tmp_path / "secrets" / "links", 3)
    put(tmp_path / "tasks" / "a" / "page" / "index.html", 1000)
    put(tmp_path / "tasks" / "unfinished" / "task.toml", 4)
    put(tmp_path / "runs" / "1" / "files" / "ab", 5000)
    put(tmp_path / "runs" / "1" / "router.log", 70)
    use = disk_use(tmp_path, {RunId(1): (tmp_path / "tasks" / "a", tmp_path / "runs" / "1")})
    assert use.runs == {RunId(1): RunDisk(task=1000, files=5000, router=70)}
    assert (use.database, use.other) == (120, 7)
    assert use.free > 0


def test_what_is_not_there_takes_nothing_and_links_are_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    put(elsewhere / "huge", 10_000)
    data = tmp_path / "data"
    (data / "runs" / "1").mkdir(parents=True)
    (data / "runs" / "1" / "files").symlink_to(elsewhere)
    use = disk_use(data, {RunId(1): (data / "tasks" / "gone", data / "runs" / "1")})
    assert use.runs[RunId(1)].task == 0
    assert use.runs[RunId(1)].files < 10_000


async def test_the_operator_knows_whose_folders_they_are(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_virtual(tmp_path) as virtual:
        first, second = await virtual.launch("first"), await virtual.launch("second")
        put(tmp_path / "data" / "runs" / str(second.id) / "files" / "ab", 5000)
        runs = (await virtual.operator.disk_use()).runs
        assert (runs[first.id].files, runs[second.id].files) == (0, 5000)
        assert runs[first.id].task > 0
