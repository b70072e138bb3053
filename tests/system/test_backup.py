"""Backups of a daemon at work, and what they are worth: FLT24, P13."""

import sys
import tarfile
from pathlib import Path

import pytest
import trio

from crowdd.storage import check_store

from .processes import Daemon
from .workers import open_worker

pytestmark = pytest.mark.system


async def crowdd(*words: str) -> tuple[int, str]:
    """What the command says, and its exit status."""
    command = [sys.executable, "-m", "crowdd.cli", *words]
    ended = await trio.run_process(command, check=False, capture_stdout=True, capture_stderr=True)
    return ended.returncode, (ended.stdout + ended.stderr).decode()


async def test_flt24_a_backup_made_at_work_is_restored_as_the_present(daemon: Daemon, tmp_path: Path) -> None:
    backup = tmp_path / "backup.tar"
    restoring = ("storage", "restore", str(backup), "--data", str(daemon.data))
    await daemon.start()
    async with open_worker(daemon, tmp_path) as ann:
        assert await daemon.ask("save_backup", backup) == backup.stat().st_size
        assert (await ann.submit()).told["status"] == "Submitted!"
        await daemon.until(ann.label, lambda shown: shown.units_done == 1)  # not to be delivered after all
        status, words = await crowdd(*restoring)
        assert (status, "is held by process" in words) == (1, True)
        assert await daemon.terminate() == 0
        status, words = await crowdd(*restoring)
        assert status == 0, words
        await daemon.start()
        shown = await daemon.ask("show", ann.label)
        assert (shown.units_done, shown.agents_live) == (0, 1)  # as it was when the backup was made
        assert (await ann.submit()).told["status"] == "Submitted!"  # her page still has the answer
    assert await daemon.terminate() == 0
    (replaced,) = daemon.data.glob("replaced-*")
    assert {file.name for file in replaced.iterdir()} >= {"crowdd.db", "crowdd.db.generation"}
    assert check_store(daemon.data / "crowdd.db") == []


async def test_flt24_a_backup_begins_anew_on_another_machine(daemon: Daemon, tmp_path: Path) -> None:
    backup = tmp_path / "backup.tar"
    await daemon.start()
    async with open_worker(daemon, tmp_path) as ann:
        assert (await ann.submit()).told["status"] == "Submitted!"
        await daemon.until(ann.label, lambda shown: shown.units_done == 1)  # the router may keep it first
        await daemon.ask("save_backup", backup)
        assert await daemon.terminate() == 0
        other = Daemon(tmp_path / "other machine")
        status, words = await crowdd("storage", "restore", str(backup), "--data", str(other.data))
        assert status == 0, words
        try:
            await other.start()
            await other.until(ann.label, lambda shown: shown.address and shown.routers[0].up)
            assert (await other.ask("show", ann.label)).units_done == 1
            assert await other.terminate() == 0
        finally:
            other.clean_up()


async def test_p13_a_backup_that_is_only_put_in_place_is_refused(daemon: Daemon, tmp_path: Path) -> None:
    backup, database = tmp_path / "backup.tar", daemon.data / "crowdd.db"
    await daemon.start()
    await daemon.ask("save_backup", backup)
    daemon.kill()
    with tarfile.open(backup) as archive:
        copy = archive.extractfile("crowdd.db")
        assert copy is not None
        for left in daemon.data.glob("crowdd.db-*"):
            left.unlink()
        database.write_bytes(copy.read())
    status, words = await crowdd("serve", "--data", str(daemon.data))
    assert (status, "crowdd storage restore" in words) == (78, True)
    assert "is a backup" in check_store(database)[0]
    assert (await crowdd("storage", "accept", "--data", str(daemon.data)))[0] == 0
    await daemon.start()
    assert await daemon.terminate() == 0


async def test_what_is_no_backup_changes_nothing(daemon: Daemon, tmp_path: Path) -> None:
    await daemon.start()
    assert await daemon.terminate() == 0
    before = (daemon.data / "crowdd.db").read_bytes()
    for number, content in enumerate((b"", b"nonsense" * 1000)):
        nonsense = tmp_path / f"{number}.tar"
        nonsense.write_bytes(content)
        status, words = await crowdd("storage", "restore", str(nonsense), "--data", str(daemon.data))
        assert (status, "backup" in words, "Traceback" in words) == (1, True, False)
    assert (daemon.data / "crowdd.db").read_bytes() == before
    assert list(daemon.data.glob(".restoring-*")) == []


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/evil", "runs/1/files/../../../evil", "crowdd.db.generation"]
)
async def test_sec18_a_backup_with_other_names_than_ours_is_refused(tmp_path: Path, name: str) -> None:
    backup = tmp_path / "evil.tar"
    with tarfile.open(backup, "w") as archive:
        archive.addfile(tarfile.TarInfo(name))
    status, words = await crowdd("storage", "restore", str(backup), "--data", str(tmp_path / "data"))
    assert (status, "which no backup of crowdd does" in words) == (1, True)
    assert not (tmp_path / "evil").exists()
