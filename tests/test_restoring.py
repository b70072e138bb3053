"""`crowdd storage restore` where it cannot: what it says happened, where all is, and what helps."""

import tarfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from crowdd.cli import crowdd
from crowdd.storage import open_storage
from crowdd.storage.sqlite import copy_store


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
async def backup(here: Path) -> Path:
    """A backup of a store in which nothing is."""
    async with open_storage(here / "other.db"):
        copy_store(here / "other.db", here / "copy.db")
    with tarfile.open("backup.tar", "w") as archive:
        archive.add("copy.db", "crowdd.db")
    return Path("backup.tar")


def restore(backup: str | Path, data: str) -> Result:
    return CliRunner().invoke(crowdd, ["storage", "restore", str(backup), "--data", data])


def test_a_backup_that_cannot_be_read_is_named_and_nothing_was_changed(here: Path) -> None:
    told = restore("nowhere.tar", "data")
    assert (told.exit_code, told.stderr) == (
        1,
        "crowdd: the backup nowhere.tar cannot be read: No such file or directory. Nothing was changed. "
        "Name a file that `crowdctl backup` wrote, as a user who may read it\n",
    )
    assert not (here / "data").exists()


async def test_a_folder_that_cannot_be_made_is_named_with_what_to_choose(backup: Path) -> None:
    Path("file").touch()
    told = restore(backup, "file/data")
    assert (told.exit_code, told.stderr) == (
        1,
        "crowdd: backup.tar could not be restored into file/data: file/data: Not a directory. "
        "What was there stays as it was, and the backup is as it was. "
        "Choose a --data whose folder can be made, and run this again\n",
    )


async def test_where_nothing_was_no_folder_for_it_is_made_or_named(backup: Path) -> None:
    told = restore(backup, "data")
    assert (told.exit_code, told.stdout) == (
        0,
        "data/crowdd.db is the present now: `crowdd serve --data data` starts on it\n",
    )
    assert not [*Path("data").glob("replaced-*")]


async def test_it_is_said_where_the_store_is_once_it_is_out_of_its_place(here: Path, backup: Path) -> None:
    (here / "data" / "crowdd.db.generation").mkdir(parents=True)  # it is read after the store was set aside
    (here / "data" / "crowdd.db").write_text("what was there")
    told = restore(backup, "data")
    (replaced,) = Path("data").glob("replaced-*")
    assert (replaced / "crowdd.db").read_text() == "what was there"
    assert (told.exit_code, told.stderr) == (
        1,
        "crowdd: backup.tar could not be restored into data: data/crowdd.db.generation: Is a directory. "
        f"What was there is in {replaced}, and the backup is as it was. "
        "Look at the disk, or choose a --data on another one, and run this again\n",
    )
