"""What takes how much in the data folder. Only looks; sizes are those of the files, not of their blocks."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import attrs

from ..protocol.names import RunId
from .added_rows import ROWS_FOLDER

DATABASE = "crowdd.db"  # its log and its generation file begin with this, too


@attrs.frozen
class RunDisk:
    """What one run takes beside its records in the database, in bytes."""

    task: int
    """What was launched, and rows that were added."""
    files: int
    """What workers uploaded."""
    router: int
    """The rest of the run's folder: that of its local router."""


@attrs.frozen
class DiskUse:
    """The data folder, in bytes."""

    data: str
    database: int
    """The records of all runs."""
    runs: Mapping[RunId, RunDisk]
    other: int
    """All else: secrets, logs, tasks whose launch was not finished."""
    free: int
    """What the disk still has for us."""


def disk_use(data: Path, folders: Mapping[RunId, tuple[Path, Path]]) -> DiskUse:
    """Measure the data folder; `folders` are the task folder and the run folder of each run.

    What comes or goes while it is measured may be counted or not.
    """
    runs = {run_id: _run_disk(task, run) for run_id, (task, run) in folders.items()}
    database = sum(_size_of(path) for path in data.iterdir() if path.name.startswith(DATABASE))
    known = database + sum(each.task + each.files + each.router for each in runs.values())
    return DiskUse(str(data), database, runs, max(0, _size_of(data) - known), shutil.disk_usage(data).free)


def _run_disk(task: Path, run: Path) -> RunDisk:
    files, rows = _size_of(run / "files"), _size_of(run / ROWS_FOLDER)
    return RunDisk(_size_of(task) + rows, files, max(0, _size_of(run) - files - rows))


def _size_of(path: Path) -> int:
    """The bytes of a file or of all files below a folder; links are not followed, what is gone is nothing."""
    if not path.is_dir() or path.is_symlink():
        return _file_size(path)
    return sum(_file_size(Path(top, name)) for top, _, names in os.walk(path) for name in names)


def _file_size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0
