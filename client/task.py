"""A task made in Python: what would be its folder, written to a temporary one when it is launched."""

import json
import os
import shutil
import tempfile
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from .errors import TaskFolderRefused
from .packing import CONFIG_FILE, FOLDER_BYTES_MAX
from .toml import dump_toml

DATA_FILE = "data.jsonl"
PAGE_FOLDER = "page"


@dataclass(frozen=True)
class Task:
    """What `Client.launch` takes instead of a folder.

    `rows` may be an iterator of any length: it is written row by row, and used up by one launch.
    `page` is a folder, or the page's files by name: `{"index.html": "<!doctype html>..."}`. `files` are all
    others, by their path in the task's folder: `{"task.py": "..."}`.
    """

    config: Mapping[str, Any]
    """The document of task.toml."""
    rows: Iterable[Mapping[str, Any]] = ()
    page: str | os.PathLike[str] | Mapping[str, str | bytes] = field(default_factory=dict[str, str | bytes])
    files: Mapping[str, str | bytes] = field(default_factory=dict[str, str | bytes])


@contextmanager
def written_task(task: Task) -> Generator[Path]:
    """The task as a folder, removed when left. TaskFolderRefused: something in it cannot be written."""
    with tempfile.TemporaryDirectory(prefix="crowdd-task-") as scratch:
        folder = Path(scratch)
        _write(folder, CONFIG_FILE, _config_text(task.config))
        for name, content in task.files.items():
            _write(folder, name, content)
        _write_page(folder, task.page)
        if DATA_FILE not in task.files:
            _write_rows(folder / DATA_FILE, task.rows)
        elif task.rows != ():
            raise TaskFolderRefused(f"There are rows, and a file {DATA_FILE!r}: give one of them.")
        yield folder


def _config_text(config: Mapping[str, Any]) -> str:
    try:
        return dump_toml(config)
    except (TypeError, ValueError) as exc:
        raise TaskFolderRefused(f"The task's config cannot be written: {exc}.") from exc


def _write_page(folder: Path, page: str | os.PathLike[str] | Mapping[str, str | bytes]) -> None:
    if isinstance(page, Mapping):
        for name, content in page.items():
            _write(folder, f"{PAGE_FOLDER}/{name}", content)
        return
    try:
        shutil.copytree(page, folder / PAGE_FOLDER, symlinks=True, dirs_exist_ok=True)
    except OSError as exc:
        raise TaskFolderRefused(f"The page's folder {os.fspath(page)!r} cannot be read: {exc}.") from exc


def _write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """A line for each row. No file without rows: they may come from task.py."""
    size = 0
    with path.open("xb") as file:
        for number, row in enumerate(rows):
            size += file.write(_line(number, row))
            if size > FOLDER_BYTES_MAX:
                raise TaskFolderRefused(
                    f"The rows are longer than {FOLDER_BYTES_MAX} bytes (up to row {number}).",
                    "Let task.py make them on the daemon's side: def rows(): yield {...}",
                )
    if size == 0:
        path.unlink()


def _line(number: int, row: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(row, ensure_ascii=False, allow_nan=False).encode() + b"\n"
    except (TypeError, ValueError) as exc:
        raise TaskFolderRefused(
            f"Row {number} cannot be written as JSON: {exc}.", "A row is a dictionary of plain values."
        ) from exc


def _write(folder: Path, name: str, content: str | bytes) -> None:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise TaskFolderRefused(f"{name!r} is no path inside a task's folder.")
    target = folder / path
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
    except (OSError, ValueError) as exc:
        raise TaskFolderRefused(f"{name!r} cannot be written: {exc}.") from exc
