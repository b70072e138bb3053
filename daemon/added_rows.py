"""Files of rows that staff added to runs: checked, kept in the run's folder, counted. Blocks."""

import hashlib
import itertools
import os
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from ..files.durable import settle, sync_folder
from .blueprints.contract import Blueprint, BlueprintFault, ReadData
from .row_source import MakeRows, RowSource

ROWS_FOLDER = "rows"


def checked_rows(blueprint: Blueprint, path: Path) -> tuple[int, list[str]]:
    """How many rows the file has, and all that is wrong with it."""
    try:
        problems = blueprint.check_added(path)
        return (0, problems) if problems else (sum(1 for _ in blueprint.added_rows(path)), [])
    except BlueprintFault as exc:
        return 0, [str(exc)]


def kept_rows(path: Path, run_folder: Path, request_id: str) -> str:
    """Copy the file into the run's folder, whole and on disk when it returns; its name there.

    A copy that no record names, left by a crash, is replaced when its request comes again.
    """
    folder = run_folder / ROWS_FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = hashlib.sha256(request_id.encode()).hexdigest()[:16] + path.suffix
    part = folder / f"{name}.part"
    with (
        path.open("rb") as source,
        open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out,
    ):
        shutil.copyfileobj(source, out)
    settle(part, folder / name)
    sync_folder(run_folder)
    return name


def rows_from(blueprint: Blueprint, run_folder: Path, name: str) -> MakeRows:
    """The rows of a kept file."""
    return partial(blueprint.added_rows, run_folder / ROWS_FOLDER / name)


def all_rows(
    blueprint: Blueprint, run_folder: Path, names: Sequence[str], read: ReadData | None = None
) -> RowSource:
    """The rows of a run with these kept files; `read`: its data, where its launch has just read it."""
    first = blueprint.rows if read is None else partial(blueprint.rows_of, read)
    return RowSource(first, *(rows_from(blueprint, run_folder, name) for name in names))


def rows_left(blueprint: Blueprint, run_folder: Path, names: Sequence[str], made: int) -> bool:
    """Whether there are more rows than so many."""
    return next(itertools.islice(all_rows(blueprint, run_folder, names), made, None), None) is not None
