"""What a launch keeps of the task that it has checked: its data, for whoever makes its rows."""

from pathlib import Path

import attrs
import pytest

from crowdd.daemon.house import House
from crowdd.daemon.launching import Launcher
from crowdd.daemon.registry import installed_plug_ins
from crowdd.daemon.routers import Routers
from crowdd.protocol.names import RunId
from crowdd.storage.records import TaskRun

from .test_checking import a_folder

TOML = 'name = "words"\n[provider]\ntype = "mock"\n'


@pytest.fixture
def launcher(house: House, tmp_path: Path) -> Launcher:
    (tmp_path / "tasks").mkdir()
    return Launcher(attrs.evolve(house, routers=Routers()), installed_plug_ins())


async def launched(launcher: Launcher, folder: Path, toml: str = TOML) -> TaskRun:
    folder.mkdir()
    return await launcher.store(a_folder(folder, toml), {}, folder.name, "staff:ann")


async def test_the_data_that_a_launch_has_read_is_given_once(launcher: Launcher, tmp_path: Path) -> None:
    run = await launched(launcher, tmp_path / "task")
    read = launcher.take_read(run.id)
    assert read is not None
    assert [row.shared for row in read.rows] == [{"text": "a"}]
    assert launcher.take_read(run.id) is None


async def test_a_launch_tells_what_check_warns_of(launcher: Launcher, tmp_path: Path) -> None:
    told = list[str]()
    await launcher.store(a_folder(tmp_path, TOML), {}, "a launch", "staff:ann", told.extend)
    assert [warning.partition(": ")[2] for warning in told] == [
        "no field of the <form> has a name: every answer would be empty"
    ]


async def test_data_is_given_to_no_other_run(launcher: Launcher, tmp_path: Path) -> None:
    run = await launched(launcher, tmp_path / "task")
    assert launcher.take_read(RunId(run.id + 1)) is None


async def test_the_data_of_a_run_that_makes_its_rows_as_they_are_needed_is_not_kept(
    launcher: Launcher, tmp_path: Path
) -> None:
    capped = TOML + "[limits]\nmax_num_concurrent_units = 5\n"
    run = await launched(launcher, tmp_path / "task", capped)
    assert launcher.take_read(run.id) is None
